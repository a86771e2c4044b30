"""Encode every picture once, so that the flow model never waits for the autoencoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, Groups
from benchmark_data.recipes.kontext_mini.windows import Window, change_boxes
from regionroute.flux import pack
from rses.files.atomic import write_atomic

__all__ = ["CHANGED", "LatentGroups", "encode_all", "latent_scale"]

PART = 250
CHANGED = 0.1
"""Mean square from which on a token counts as changed by an edit; latents have deviation 1."""


@torch.no_grad()
def encode_all(
    data: Path, out: Path, vae: AutoencoderKL, parts: int | None = None,
    change: Callable[[torch.Tensor, int], None] | None = None,
) -> None:  # fmt: skip
    """Write ``part-*.npy`` (groups, VIEWS, channels, side, side) float16, unscaled modes; parts that are there stay.

    Args:
        data: Folder of groups.
        out: Where to write.
        vae: Encoder.
        parts: Only so many parts of :data:`PART` groups.
        change: Alters the pixels (VIEWS, 3, SIZE, SIZE) in [-1, 1] of a group, given its number.
    """
    out.mkdir(parents=True, exist_ok=True)
    groups = Groups(data)
    for number in range(0, len(groups), PART)[:parts]:
        target = out / f"part-{number // PART:04d}.npy"
        if target.exists():
            continue
        rows = []
        for index in range(number, min(number + PART, len(groups))):
            pixels = torch.from_numpy(groups[index].images.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
            if change is not None:
                change(pixels, index)
            rows.append(vae.encode(pixels).latent_dist.mode().half().numpy())
        temporary = target.with_suffix(".tmp")
        with temporary.open("wb") as stream:
            np.save(stream, np.stack(rows))
        temporary.replace(target)


def latent_scale(folder: Path) -> tuple[float, float]:
    """Return (shift, scale) such that (latent - shift) * scale has mean 0 and deviation 1; kept in ``scale.json``."""
    path = folder / "scale.json"
    if not path.exists():
        values = np.load(folder / "part-0000.npy").astype(np.float32)
        scale = [round(float(values.mean()), 4), round(float(1 / values.std()), 4)]
        # Of several processes of one training, one may read while another writes.
        write_atomic(path, json.dumps(scale).encode())
    shift, scale = json.loads(path.read_text())
    return shift, scale


class LatentGroups:
    """All latents in memory, scaled and packed as the transformer reads them.

    Attributes:
        facts: What the recoloured pictures show, by group.
        changed: (groups, RECOLOURINGS, side, side), the tokens that each recolouring changed: those of its object.
        boxes: (groups x RECOLOURINGS, 4) token boxes of what each recolouring changed.
    """

    def __init__(self, data: Path, folder: Path):
        self._values = np.concatenate([np.load(path) for path in sorted(folder.glob("part-*.npy"))])
        self.facts = Groups(data).facts[: len(self._values)]
        self.shift, self.scale = latent_scale(folder)
        self.changed = np.stack([self._changes(1 + number) for number in range(RECOLOURINGS)], 1)
        self.boxes = change_boxes(self.changed.reshape(-1, self.side, self.side))

    def __len__(self) -> int:
        return len(self._values)

    @property
    def side(self) -> int:
        """Tokens along a side of a whole picture."""
        return int(self._values.shape[-1]) // 2

    def tokens(self, groups: np.ndarray, views: np.ndarray, window: Window | None = None) -> torch.Tensor:
        """Return (B, N, 64) tokens of the chosen views, of a window or of whole pictures."""
        window = window or Window(0, 0, self.side)
        latents = torch.from_numpy(window.cut(self._values)[groups, views]).float()
        return pack((latents - self.shift) * self.scale)

    def objects(self, groups: np.ndarray, which: np.ndarray, window: Window) -> torch.Tensor:
        """Return (B, N), whether a token of a window belongs to the object of a recolouring."""
        rows, columns = (slice(start, start + window.side) for start in (window.top, window.left))
        return torch.from_numpy(self.changed[groups, which, rows, columns].reshape(len(groups), -1))

    def _changes(self, view: int) -> np.ndarray:
        changes = []
        for start in range(0, len(self), PART):
            part = self._values[start : start + PART]
            error = np.square((part[:, view].astype(np.float32) - part[:, 0]) * self.scale).mean(1)
            cells = error.reshape(len(part), self.side, 2, self.side, 2).mean((2, 4))
            changes.append(cells > CHANGED)
        return np.concatenate(changes)
