"""Batches for the trunk, each determined by its number alone, so that a resumed run sees the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmark_data.recipes.mini.data import Group, Groups

__all__ = ["TrunkBatches", "stream"]


class TrunkBatches(Dataset[torch.Tensor]):
    """Patches (B, S, S, 3) uint8 of plain and styled pictures, for the trunk.

    Args:
        folder: Data folder.
        batch_size: Patches per batch.
        image_size: Side of a patch, at most 96.
        steps: Number of batches.
    """

    def __init__(self, folder: Path, batch_size: int, image_size: int, steps: int):
        self.groups = Groups(folder)
        self.batch_size, self.image_size, self.steps = batch_size, image_size, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return patches (B, S, S, 3) uint8 and their classes (B,)."""
        rng = np.random.default_rng([step, 2])
        drawn = [self._patch(rng, self.groups[int(rng.integers(len(self.groups)))]) for _ in range(self.batch_size)]
        patches, labels = zip(*drawn, strict=True)
        return torch.from_numpy(np.stack(patches)), torch.tensor(labels)

    def _patch(self, rng: np.random.Generator, group: Group) -> tuple[np.ndarray, int]:
        index = int(rng.integers(len(group.labels)))
        plain = rng.random() < 0.6
        picture, side = (group.source if plain else group.styled[index]), self.image_size
        top, left = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
        return picture[top : top + side, left : left + side], 0 if plain else int(group.labels[index])


def stream(batches: Dataset, start: int, workers: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:  # type: ignore[type-arg]
    """Yield the batches from number ``start`` on, prepared in other processes."""
    order = range(start, len(batches))  # type: ignore[arg-type]
    loader = DataLoader(
        batches, batch_size=None, sampler=order, num_workers=workers, prefetch_factor=4 if workers else None
    )
    yield from loader
