"""Look at an expert in training: where do the style tokens look on a few fixed pairs?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from baselines.sheets import contact_sheet
from regionroute.attention import StyleAttention
from regionroute.data.pairs import TrainingPair
from regionroute.flux import predict_velocity
from regionroute.losses import mean_map
from regionroute.overlay import heat_overlay
from regionroute.training.config import FlowConfig
from regionroute.training.encoding import PairBatch
from regionroute.training.objective import draw_noise
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import resize_array

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel

LEVEL = 0.7
"""Noise level at which the maps are taken."""
SIZE = (256, 256)


@torch.no_grad()
def draw_overlay(
    transformer: FluxTransformer2DModel, attention: StyleAttention, pairs: Sequence[TrainingPair], batch: PairBatch,
    grid: tuple[int, int], flow: FlowConfig,
) -> np.ndarray:  # fmt: skip
    """Return a sheet with a row per pair: source, pseudo-ground truth, mask, attention over the source.

    Args:
        transformer: With the expert active.
        attention: Recorder on it.
        pairs: What is shown.
        batch: The same pairs, encoded.
        grid: Rows and columns of tokens.
        flow: Flow matching settings.
    """
    noise, _ = draw_noise(batch.ids, 0, 0, (batch.target.shape[1], batch.target.shape[2]), flow)
    noise = noise.to(batch.target)
    sigma = torch.full((len(noise),), LEVEL, device=noise.device)
    with attention.record(batch.positions, batch.text.shape[1], batch.target.shape[1]) as maps:
        predict_velocity(
            transformer, (1 - LEVEL) * batch.target + LEVEL * noise, batch.context, sigma, grid=grid, text=batch.text,
            pooled=batch.pooled, guidance=flow.guidance,
        )  # fmt: skip
        heat = mean_map(maps.stacked(), maps.valid).view(len(noise), *grid).cpu().numpy()
    rows = []
    for pair, level in zip(pairs, heat, strict=True):
        source = resize_array(read_image(pair.source), SIZE)
        mask = np.repeat(read_mask(pair.mask)[..., None].astype(np.uint8) * 255, 3, -1)
        target = resize_array(read_image(pair.target), SIZE)
        rows.append([source, target, resize_array(mask, SIZE), heat_overlay(source, level)])
    return contact_sheet(rows)
