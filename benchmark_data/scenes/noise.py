"""Smooth random fields: the raw material of every texture."""

from __future__ import annotations

import numpy as np
from PIL import Image


def value_noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """Bicubic interpolation of a random grid.

    Args:
        rng: Source of randomness.
        shape: Height and width of the result.
        cells: Number of grid cells down and across; fewer cells give smoother noise.

    Returns:
        Array (H, W) float32, roughly in [-1, 1].

    Example:
        >>> value_noise(np.random.default_rng(0), (8, 12), (2, 3)).shape
        (8, 12)
    """
    rows, columns = (max(2, int(count) + 1) for count in cells)
    grid = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    height, width = shape
    return np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC))


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int] = (4, 4), octaves: int = 4
) -> np.ndarray:
    """Sum of `octaves` layers of value noise, each twice as fine and half as strong.

    Returns:
        Array (H, W) float32, roughly in [-1, 1].

    Example:
        >>> bool(abs(fractal(np.random.default_rng(0), (16, 16))).max() < 1.5)
        True
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        fine = (min(shape[0], cells[0] * 2**octave), min(shape[1], cells[1] * 2**octave))
        total += value_noise(rng, shape, fine) * 0.5**octave
    return total / (2 - 0.5 ** (octaves - 1))
