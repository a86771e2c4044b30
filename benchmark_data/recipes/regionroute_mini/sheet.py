"""Samples picked by hash, not by hand, edited plainly and routed: what the card asks its reader to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from baselines.sheets import contact_sheet
from regionroute.overlay import mask_overlay
from regionroute.pipeline import RegionRoutePipeline
from rses.images.decode import read_image
from rses.methods import sample_seed
from rses.suites import Sample

__all__ = ["COUNT", "by_hash", "draw_sheet"]

COUNT, COLUMNS = 24, 2


def by_hash(samples: Sequence[Sample], count: int = COUNT) -> list[Sample]:
    """Return the samples whose ids have the smallest SHA-256, in that order: nobody's choice."""
    return sorted(samples, key=lambda sample: hashlib.sha256(sample.id.encode()).hexdigest())[:count]


def draw_sheet(pipe: RegionRoutePipeline, samples: Sequence[Sample], path: Path, batch: int = 8) -> None:
    """Draw source, plain edit, the model's own mask and the routed edit of every sample, numbered, two to a row.

    Args:
        pipe: With experts and their gate.
        samples: An even number.
        path: The picture (JPEG).
        batch: Pictures edited together.
    """
    cells: list[list[np.ndarray]] = []
    for start in range(0, len(samples), batch):
        part = samples[start : start + batch]
        images, prompts = [read_image(sample.image) for sample in part], [sample.prompt for sample in part]
        seeds = [sample_seed(0, sample.id) for sample in part]
        plain = pipe.edit(images, prompts, seeds=seeds)
        routed = pipe.edit(images, prompts, seeds=seeds, routed=True)
        for image, own, found in zip(images, plain, routed, strict=True):
            assert found.mask is not None
            cells.append([image, own.image, mask_overlay(image, found.mask), found.image])
    rows = [sum(cells[start : start + COLUMNS], []) for start in range(0, len(cells), COLUMNS)]
    titles = [f"{number}. {sample.style}, {sample.object}" for number, sample in enumerate(samples, start=1)]
    labels = [
        {4 * column: titles[start + column] for column in range(COLUMNS)} for start in range(0, len(cells), COLUMNS)
    ]
    # As PNG it would be larger than a repository should hold.
    Image.fromarray(contact_sheet(rows, labels=labels)).save(path, quality=90)
