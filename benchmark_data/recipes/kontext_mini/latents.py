"""Second stage: encode every picture once, so that the flow model never waits for the autoencoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.data import Groups
from regionroute.flux import pack

__all__ = ["LatentGroups", "encode_all", "latent_scale"]

PART = 250


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
        path.write_text(json.dumps([round(float(values.mean()), 4), round(float(1 / values.std()), 4)]))
    shift, scale = json.loads(path.read_text())
    return shift, scale


class LatentGroups:
    """All latents in memory, scaled and packed as the transformer reads them."""

    def __init__(self, data: Path, folder: Path):
        self.facts = Groups(data).facts
        self._values = np.concatenate([np.load(path) for path in sorted(folder.glob("part-*.npy"))])
        self.shift, self.scale = latent_scale(folder)

    def __len__(self) -> int:
        return len(self._values)

    def tokens(self, groups: np.ndarray, views: np.ndarray) -> torch.Tensor:
        """Return (B, 64, 64) tokens of the chosen views."""
        latents = torch.from_numpy(self._values[groups, views]).float()
        return pack((latents - self.shift) * self.scale)
