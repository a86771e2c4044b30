"""Look at an expert in training: where do the style tokens look on a few fixed pairs?"""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

import numpy as np
import torch

from baselines.sheets import contact_sheet
from regionroute.losses import mean_map
from regionroute.overlay import heat_overlay
from regionroute.training.encoding import collate
from regionroute.training.objective import draw_noise, predict_velocity
from rses.images.decode import read_image
from rses.images.masks import read_mask

__all__ = ["draw_overlay"]

LEVEL = 0.7
"""Noise level at which the maps are taken."""
SIDE = 256


class Watched(Protocol):
    """What is looked at of a trainer."""

    accelerator: Any
    attention: Any
    config: Any
    data: Any
    grid: Any
    pairs: Any
    transformer: Any


@torch.no_grad()
def draw_overlay(trainer: Watched, count: int) -> np.ndarray:
    """Return a sheet with a row a pair: source, pseudo-ground truth, mask, attention over the source."""
    data = trainer.data[:count]
    batch = collate(data, trainer.accelerator.device, getattr(torch, trainer.config.model.dtype))
    noise, _ = draw_noise(batch.ids, 0, 0, tuple(batch.target.shape[1:]), trainer.config.flow)  # type: ignore[arg-type]
    noise = noise.to(batch.target)
    sigma = torch.full((len(noise),), LEVEL, device=noise.device)
    with trainer.accelerator.autocast(), contextlib.ExitStack() as stack:
        maps = stack.enter_context(
            trainer.attention.record(batch.positions, batch.text.shape[1], batch.target.shape[1])
        )
        predict_velocity(
            trainer.transformer, (1 - LEVEL) * batch.target + LEVEL * noise, batch.context, sigma, grid=trainer.grid,
            text=batch.text, pooled=batch.pooled, guidance=trainer.config.flow.guidance,
        )  # fmt: skip
        heat = mean_map(maps.stacked(), maps.valid).view(len(noise), *trainer.grid).cpu().numpy()
    rows = []
    for pair, level in zip(trainer.pairs, heat, strict=False):
        source = _square(read_image(pair.source))
        mask = np.repeat(read_mask(pair.mask)[..., None].astype(np.uint8) * 255, 3, -1)
        rows.append([source, _square(read_image(pair.target)), _square(mask), heat_overlay(source, level)])
    return contact_sheet(rows)


def _square(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
