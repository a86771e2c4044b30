"""Which size a picture is edited at. The answer is resized back, so that every pixel keeps its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rses.errors import InputError
from rses.images.tensors import nearest_aspect
from rses.images.tensors import resize_array as resize

__all__ = ["choose_bucket", "kontext_buckets", "resize", "to_pixels"]


def kontext_buckets() -> tuple[tuple[int, int], ...]:
    """Return the (width, height) that FLUX.1-Kontext was trained at."""
    from diffusers.pipelines.flux.pipeline_flux_kontext import PREFERRED_KONTEXT_RESOLUTIONS

    return tuple((int(width), int(height)) for width, height in PREFERRED_KONTEXT_RESOLUTIONS)


def choose_bucket(size: tuple[int, int], buckets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the bucket whose aspect ratio is nearest on a logarithmic scale; where two tie, the first.

    Left to itself the Kontext pipeline snaps the source to such a size, but not the answer, so that the two do not
    lie on top of each other.

    Args:
        size: (width, height) of the picture.
        buckets: (width, height) to choose from.

    Raises:
        InputError: The picture is empty or longer than 8 times its shorter side.

    Example:
        >>> choose_bucket((640, 480), [(1024, 1024), (1184, 880), (880, 1184)])
        (1184, 880)
    """
    width, height = size
    if min(size) < 1 or max(size) > 8 * min(size):
        raise InputError(f"A picture of {width} x {height} cannot be edited: its sides may differ by a factor of 8.")
    return nearest_aspect(size, buckets)


def to_pixels(image: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Resize (H, W, 3) uint8 to ``size`` (width, height) and return pixels (3, height, width) in [-1, 1].

    Example:
        >>> to_pixels(np.full((4, 6, 3), 255, np.uint8), (3, 2)).unique().tolist()
        [1.0]
    """
    return torch.from_numpy(resize(image, size).copy()).permute(2, 0, 1).float() / 127.5 - 1
