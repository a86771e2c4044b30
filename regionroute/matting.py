"""Bring a mask of token cells to pixels along the edges of the source, and put the edit there.

The edge-aware filter is the guided filter (He et al., TPAMI 2013) in its fast form (arXiv 1505.00996): its linear
coefficients are found at the size that the model edits at, and applied at the size of the source.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from rses.images.tensors import resize_array

FLOOR = 0.4
"""Values this near to 0 or 1 become 0 or 1: what lies far from the object is the source's own pixels, and the object is
not half edited because the model is not sure of it. Chosen on pairs kept aside, see ``docs/routing.md``."""
SMOOTHNESS = 1e-3
"""Variance of the guide, in [0, 1]^2, below which a neighbourhood counts as flat."""


def refine_mask(mask: np.ndarray, source: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a soft mask of cells to the pixels of its source.

    Args:
        mask: (h, w) in [0, 1].
        source: (H, W, 3) uint8.
        size: (width, height) that the model edits at: the filter works there, with a radius of one cell.

    Returns:
        (H, W) float32 in [0, 1], exactly 0 and 1 where the mask is nearly sure.

    Example:
        >>> grey = np.full((64, 64, 3), 90, np.uint8)
        >>> fine = refine_mask(np.eye(2).repeat(4, 0).repeat(4, 1), grey, (64, 64))
        >>> fine.shape, float(fine[8, 8]), float(fine[8, 56])
        ((64, 64), 1.0, 0.0)
    """
    radius = max(1, size[0] // mask.shape[1])
    guide = resize_array(source, size).astype(np.float64) / 255
    slopes, offsets = _coefficients(_enlarge(mask, size), guide, radius)
    full = (source.shape[1], source.shape[0])
    value = _enlarge(offsets, full)
    for channel in range(3):
        value += _enlarge(slopes[..., channel], full) * (source[..., channel] / 255)
    return ((value - FLOOR) / (1 - 2 * FLOOR)).clip(0, 1).astype(np.float32)


def blend(source: np.ndarray, edit: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mix two pictures (H, W, 3) uint8 by a soft mask (H, W): the source where it is 0, the edit where it is 1.

    Example:
        >>> dark, light = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 200, np.uint8)
        >>> blend(dark, light, np.array([[0.0, 0.5, 1.0]]))[0, :, 0].tolist()
        [0, 100, 200]
    """
    share = mask[..., None].astype(np.float64)
    mixed: np.ndarray = ((1 - share) * source + share * edit).round().astype(np.uint8)
    return mixed


def _coefficients(mask: np.ndarray, guide: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (H, W, 3) and offsets (H, W) of the mask as a linear function of the guide, averaged over windows."""

    def mean(values: np.ndarray) -> np.ndarray:
        result: np.ndarray = ndimage.uniform_filter(values, (2 * radius + 1,) * 2 + (1,) * (values.ndim - 2))
        return result

    average, level = mean(guide), mean(mask)
    products = mean((guide[..., :, None] * guide[..., None, :]).reshape(*mask.shape, 9)).reshape(*mask.shape, 3, 3)
    variance = products - average[..., :, None] * average[..., None, :]
    shared = mean(guide * mask[..., None]) - average * level[..., None]
    slopes = np.linalg.solve(variance + SMOOTHNESS * np.eye(3), shared[..., None])[..., 0]
    return mean(slopes), mean(level - (slopes * average).sum(-1))


def _enlarge(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (h, w) to (width, height), bilinearly: the values stay within their range."""
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR), np.float64).copy()
