"""Fit the gate of a set of experts on training pairs that none of them was trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from regionroute.gate import Gate, fit_gate
from regionroute.grid import mask_to_grid
from regionroute.matting import refine_mask
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.masks import read_mask

if TYPE_CHECKING:
    from regionroute.data.pairs import TrainingPair
    from regionroute.pipeline import RegionRoutePipeline

BATCH = 12


@dataclass(frozen=True)
class Fit:
    """A gate, and the mean IoU in [0, 1] of its refined masks at one half with the true ones of its pairs."""

    gate: Gate
    iou: float
    pairs: int


def fit_on_pairs(pipe: RegionRoutePipeline, pairs: Sequence[TrainingPair], steps: int) -> Fit:
    """Let the experts look at the pairs' sources, and fit the gate to the pairs' masks.

    All cells of all pairs count alike; the maps come from the finder, or else from the expert of a pair's style.

    Args:
        pipe: With a finder, or an expert for each style of the pairs, or with none: then the base looks.
        pairs: Kept aside from training, and no part of a suite.
        steps: Denoising steps over which attention is averaged, here and in editing.

    Raises:
        InputError: There is no pair, or a style has no expert.
    """
    if not pairs:
        raise InputError("A gate is fitted on at least one pair. Make some with `regionroute data`.", code="empty")
    heats, sizes = [], []
    for start in range(0, len(pairs), BATCH):
        part = pairs[start : start + BATCH]
        edits = pipe.edit(
            [read_image(pair.source) for pair in part], [pair.prompt for pair in part],
            styles=[pipe.looker(pair.style if pipe.styles else None) for pair in part], steps=steps, attention=True,
        )  # fmt: skip
        heats += [edit.attention for edit in edits if edit.attention is not None]
        sizes += [edit.size for edit in edits]
    grids = {heat.shape for heat in heats}
    if len(grids) > 1:
        raise InputError("A gate is fitted on pairs of one size, as all their cells count alike.", code="mismatch")
    masks = [np.ascontiguousarray(read_mask(pair.mask)) for pair in pairs]
    grid = (heats[0].shape[0], heats[0].shape[1])
    # No minimum: what a cell holds is what the gate has to say, however little it is.
    wanted = torch.stack([mask_to_grid(torch.from_numpy(mask), grid, minimum=0.0) for mask in masks])
    heat = torch.from_numpy(np.stack(heats)).flatten(1)
    gate = dataclasses.replace(fit_gate(heat, wanted, steps), finder=pipe.has_finder)
    cells = gate.mask(heat).unflatten(1, grid).numpy()
    scores = [
        mask_iou(refine_mask(cells[row], read_image(pair.source), sizes[row]), masks[row])
        for row, pair in enumerate(pairs)
    ]
    return Fit(gate, float(np.mean(scores)), len(pairs))


def mask_iou(soft: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of a soft mask at one half and a true one.

    Example:
        >>> mask_iou(np.array([[0.9, 0.6, 0.1]]), np.array([[True, False, False]]))
        0.5
    """
    found = soft > 0.5
    return float((found & mask).sum() / max((found | mask).sum(), 1))
