"""Simple renderings that no encoder of ours was trained with: what filters of any image program make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from rses.images.nuisances import LUMA, to_bytes

__all__ = ["CHOICES", "RENDERERS", "pixelation"]

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
"""The matrix found in most tutorials."""


def pixelation(image: np.ndarray, block: float) -> np.ndarray:
    """Mean colours of blocks of ``block`` px; the picture itself for less than 2."""
    if block < 2:
        return image
    picture = Image.fromarray(image)
    small = picture.resize([max(2, round(side / block)) for side in picture.size], Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.NEAREST))


def canny(image: np.ndarray, sigma: float = 1.4, low: float = 20.0, high: float = 50.0) -> np.ndarray:
    """Edges after Canny (1986): ridges of the gradient above ``low`` that touch one above ``high``; (H, W) bool."""
    tone = ndimage.gaussian_filter(image @ LUMA, sigma)
    down, right = ndimage.sobel(tone, 0), ndimage.sobel(tone, 1)
    size = np.hypot(down, right)
    # The direction across the edge, to the nearest of four; a ridge is no lower than both neighbours there.
    sector = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(size, 1)
    height, width = size.shape
    ridge = np.zeros(size.shape, bool)
    for number, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = padded[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        ridge |= (sector == number) & (size >= ahead) & (size >= behind)
    lines, _ = ndimage.label(ridge & (size > low), np.ones((3, 3)))
    return np.isin(lines, np.unique(lines[ridge & (size > high)]))


def canny_lines(image: np.ndarray) -> np.ndarray:
    """Canny's edges, black on white."""
    return _drawn(canny(image))


def difference_of_gaussians(image: np.ndarray) -> np.ndarray:
    """Where a narrow blur is darker than a wide one, black on white."""
    tone = image @ LUMA
    return _drawn(ndimage.gaussian_filter(tone, 1.0) - ndimage.gaussian_filter(tone, 1.6) < -2.5)


def neon_edges(image: np.ndarray) -> np.ndarray:
    """Canny's edges in glowing violet to cyan on black."""
    picture = Image.fromarray(image)
    hues = picture.convert("HSV").getchannel(0).point([(hue // 3 + 177) % 256 for hue in range(256)])
    full = Image.new("L", picture.size, 255)
    colours = np.asarray(Image.merge("HSV", (hues, full, full)).convert("RGB"), np.float64)
    glow = colours * ndimage.binary_dilation(canny(image))[..., None]
    return to_bytes(glow + 1.5 * ndimage.gaussian_filter(glow, (3, 3, 0)))


def mode_filter(image: np.ndarray) -> np.ndarray:
    """The most frequent colour around each pixel."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.ModeFilter(7)))


def dodge_pencil(image: np.ndarray) -> np.ndarray:
    """Luma divided by its blurred self."""
    tone = image @ LUMA
    return _grey(255 * np.minimum(1, tone / np.maximum(ndimage.gaussian_filter(tone, 5), 1)))


def sepia(image: np.ndarray) -> np.ndarray:
    """The usual matrix."""
    return to_bytes(image @ SEPIA.T)


def _drawn(lines: np.ndarray) -> np.ndarray:
    return _grey(np.where(lines, 0, 255))


def _grey(tone: np.ndarray) -> np.ndarray:
    return np.repeat(to_bytes(tone)[..., None], 3, axis=2)


RENDERERS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "pixelation 6 px": ("pixel art", lambda image: pixelation(image, 6)),
    "pixelation 10 px": ("pixel art", lambda image: pixelation(image, 10)),
    "pixelation 16 px": ("pixel art", lambda image: pixelation(image, 16)),
    "Canny lines": ("line art", canny_lines),
    "DoG lines": ("line art", difference_of_gaussians),
    "neon edges": ("cyberpunk", neon_edges),
    "mode filter": ("oil painting", mode_filter),
    "dodge pencil": ("pencil sketch", dodge_pencil),
    "sepia matrix": ("sepia photograph", sepia),
}
"""Name: the style that the picture should be seen as, and the function of (H, W, 3) uint8."""

CHOICES = (
    *("pixel art", "cyberpunk", "expressionism", "line art", "oil painting", "watercolor", "pencil sketch"),
    *("cartoon", "mosaic", "sepia photograph"),
)
"""The ten styles of which the right one should be the nearest."""
