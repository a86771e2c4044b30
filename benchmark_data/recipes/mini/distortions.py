"""Ladders of distortions: the same picture, ever more damaged."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

__all__ = ["LADDERS", "MARGIN", "climb", "distance", "inner"]

# Pictures lose this many pixels on each side, so that shifting needs no invented border.
MARGIN = 16
LADDERS: dict[str, tuple[float, ...]] = {
    "noise": (0.01, 0.02, 0.04, 0.08, 0.16, 0.32),
    "blur": (0.6, 1.0, 1.5, 2.2, 3.2, 4.6),
    "jpeg": (92, 80, 60, 40, 20, 8),
    "colour shift": (0.02, 0.04, 0.08, 0.14, 0.22, 0.32),
    "shift by pixels": (1, 2, 3, 4, 6, 8),
    "contrast": (0.9, 0.8, 0.65, 0.5, 0.35, 0.2),
    "brightness": (0.03, 0.06, 0.1, 0.16, 0.24, 0.34),
    "pixelation": (2, 3, 4, 6, 8, 12),
}
"""Rungs from mild to strong. The last three are never used in training."""

TRAINED = ("noise", "blur", "jpeg", "colour shift", "shift by pixels")


def inner(images: torch.Tensor) -> torch.Tensor:
    """Cut ``MARGIN`` off every side: the undamaged picture that the rungs are compared with."""
    return images[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def climb(name: str, images: torch.Tensor, level: float, seed: int = 0, direction: int = 0) -> torch.Tensor:
    """Damage pictures.

    Args:
        name: A key of ``LADDERS``.
        images: (N, 3, H, W) in [0, 1].
        level: A value of that ladder, or one between its ends.
        seed: For noise.
        direction: 0..3; which way pixels are shifted, or which channels lose.

    Returns:
        (N, 3, H - 2 * MARGIN, W - 2 * MARGIN) in [0, 1].
    """
    damaged = DAMAGE[name](images, level, seed, direction)
    return damaged if name == "shift by pixels" else inner(damaged).clamp(0, 1)


def distance(first: list[torch.Tensor], second: list[torch.Tensor], heads: list[torch.Tensor]) -> torch.Tensor:
    """Plain LPIPS (N,) from two lists of normalised maps."""
    layers = [
        ((a - b).square() * w.view(1, -1, 1, 1)).sum(dim=1).mean(dim=(1, 2))
        for a, b, w in zip(first, second, heads, strict=True)
    ]
    return torch.stack(layers).sum(dim=0)


def _noise(x: torch.Tensor, level: float, seed: int, _direction: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return x + level * torch.randn(x.shape, generator=generator)


def _blur(x: torch.Tensor, level: float, _seed: int, _direction: int) -> torch.Tensor:
    reach = max(1, int(np.ceil(3 * level)))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / level) ** 2)
    taps = (taps / taps.sum()).to(x.dtype)
    channels = x.shape[1]
    padded = F.pad(x, (reach,) * 4, mode="replicate")
    wide = F.conv2d(padded, taps.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(wide, taps.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def _jpeg(x: torch.Tensor, level: float, _seed: int, _direction: int) -> torch.Tensor:
    arrays = np.uint8(np.round(255 * x.permute(0, 2, 3, 1).numpy()))
    results = []
    for array in arrays:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "JPEG", quality=round(level))
        results.append(np.asarray(Image.open(buffer).convert("RGB")))
    return torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2).float() / 255


def _colour(x: torch.Tensor, level: float, _seed: int, direction: int) -> torch.Tensor:
    casts = ((1.0, 0.0, -1.0), (-1.0, 1.0, 0.0), (0.5, -1.0, 0.5), (-1.0, 0.3, 0.7))
    return x + level * torch.tensor(casts[direction]).view(1, 3, 1, 1)


def _shift(x: torch.Tensor, level: float, _seed: int, direction: int) -> torch.Tensor:
    down, right = ((0, 1), (1, 0), (1, 1), (-1, 1))[direction]
    top, left = MARGIN + down * round(level), MARGIN + right * round(level)
    return x[..., top : top + x.shape[-2] - 2 * MARGIN, left : left + x.shape[-1] - 2 * MARGIN]


def _contrast(x: torch.Tensor, level: float, _seed: int, _direction: int) -> torch.Tensor:
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    return middle + level * (x - middle)


def _brightness(x: torch.Tensor, level: float, _seed: int, direction: int) -> torch.Tensor:
    return x + (level if direction % 2 == 0 else -level)


def _pixelation(x: torch.Tensor, level: float, _seed: int, _direction: int) -> torch.Tensor:
    height, width = x.shape[-2:]
    small = F.interpolate(x, size=(max(1, round(height / level)), max(1, round(width / level))), mode="area")
    return F.interpolate(small, size=(height, width), mode="nearest")


DAMAGE: dict[str, Callable[[torch.Tensor, float, int, int], torch.Tensor]] = {
    "noise": _noise,
    "blur": _blur,
    "jpeg": _jpeg,
    "colour shift": _colour,
    "shift by pixels": _shift,
    "contrast": _contrast,
    "brightness": _brightness,
    "pixelation": _pixelation,
}
