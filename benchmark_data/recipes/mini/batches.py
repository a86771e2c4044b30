"""Batches for training, each determined by its number alone, so that a resumed run sees the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmark_data.recipes.mini.data import Group, Groups
from benchmark_data.recipes.mini.views import distort, training_view

__all__ = ["StyleBatches", "TrunkBatches", "stream"]

PLAIN_SHARE = 0.14


class StyleBatches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Views and their class numbers; item n is the whole n-th batch.

    Args:
        folder: Data folder.
        batch_size: Views a batch.
        image_size: Side of a view.
        steps: Number of batches.
    """

    def __init__(self, folder: Path, batch_size: int, image_size: int, steps: int):
        self.groups = Groups(folder)
        self.batch_size, self.image_size, self.steps = batch_size, image_size, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (B, S, S, 3) uint8 and labels (B,)."""
        rng = np.random.default_rng([step, 1])
        views, labels = [], []
        for _ in range(self.batch_size):
            group = self.groups[int(rng.integers(len(self.groups)))]
            plain = rng.random() < PLAIN_SHARE
            index = int(rng.integers(len(group.labels)))
            styled = group.source if plain else group.styled[index]
            mask = group.masks[int(rng.integers(len(group.masks)))]
            view = training_view(rng, group.source, styled, mask, self.image_size)
            view = distort(rng, view, 0.3 if plain else 0.12)
            views.append(view[:, ::-1] if rng.random() < 0.5 else view)
            labels.append(0 if plain else int(group.labels[index]))
        return torch.from_numpy(np.stack(views)), torch.tensor(labels)


class TrunkBatches(Dataset[torch.Tensor]):
    """Patches (B, S, S, 3) uint8 of plain and styled pictures at their own resolution, for the trunk.

    Args:
        folder: Data folder.
        batch_size: Patches a batch.
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
