"""Pictures for pages: shrunk ones, the outline of a region, heat maps, and how they stand in a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

__all__ = ["SIDE", "Embedded", "difference", "embedded", "fit", "fit_map", "heat_colors", "outline", "outline_png"]

SIDE = 256
QUALITY = 84
# Anchors of a dark-to-light map whose lightness rises evenly, so that more is always brighter.
_ANCHORS = np.array(
    [(8, 8, 24), (60, 14, 98), (132, 32, 107), (203, 66, 72), (244, 128, 24), (250, 196, 60), (252, 255, 190)],
    dtype=np.float64,
)
_OUTLINE, _HALO = (255, 64, 160), (255, 255, 255)
_PIXEL_ART = 128
"""Pictures up to this side are enlarged as squares, not smoothed."""


@dataclass(frozen=True)
class Embedded:
    """A picture inside a page: its ``data:`` URI, and its size in px."""

    uri: str
    width: int
    height: int

    @property
    def small(self) -> bool:
        """Whether its pixels must stay squares where it is enlarged."""
        return max(self.width, self.height) <= _PIXEL_ART


def fit(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Shrink an image so that its longer side is at most ``side``; a smaller one stays as it is.

    Args:
        image: (H, W, 3) uint8.
        side: Longest side of the result in px.

    Example:
        >>> fit(np.zeros((512, 256, 3), np.uint8)).shape
        (256, 128, 3)
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def fit_map(values: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Shrink a map (H, W) of nonnegative floats by taking means, as :func:`fit` does images.

    Example:
        >>> fit_map(np.ones((512, 512))).shape
        (256, 256)
    """
    height, width = values.shape
    scale = side / max(height, width)
    picture = Image.fromarray(values.astype(np.float32))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)
    return np.asarray(picture)


def outline(image: np.ndarray, region: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Draw the edge of a region, two-coloured so that it shows on any picture.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool.
        side: Longest side of the result in px; small images are enlarged so that the line stays thin.

    Returns:
        (h, w, 3) uint8.
    """
    factor = max(1, side // max(image.shape[:2]))
    drawn: np.ndarray = np.kron(fit(image, side), np.ones((factor, factor, 1), np.uint8))
    inner, halo = _edges(region, (drawn.shape[1], drawn.shape[0]))
    drawn[halo] = _HALO
    drawn[inner] = _OUTLINE
    return drawn


def _edges(region: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of the line and of its halo in a picture of (width, height)."""
    mask = np.asarray(Image.fromarray(region).resize(size, Image.Resampling.NEAREST)) > 0
    inner = mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    return inner, ndimage.binary_dilation(mask, iterations=1) & ~mask


def outline_png(region: np.ndarray, side: int = SIDE) -> bytes:
    """Return the edge of a region (H, W) bool alone, as a PNG that lies over a picture.

    Example:
        >>> region = np.zeros((64, 32), bool)
        >>> region[8:24, 8:24] = True
        >>> picture = Image.open(io.BytesIO(outline_png(region)))
        >>> picture.size, picture.convert("RGBA").getpixel((0, 0))[3]
        ((128, 256), 0)
    """
    scale = side / max(region.shape)
    size = (max(1, round(region.shape[1] * scale)), max(1, round(region.shape[0] * scale)))
    inner, halo = _edges(region, size)
    picture = Image.fromarray((inner + 2 * halo).astype(np.uint8), mode="P")
    picture.putpalette([0, 0, 0, *_OUTLINE, *_HALO])
    stream = io.BytesIO()
    picture.save(stream, "PNG", transparency=0, optimize=True, bits=2)
    return stream.getvalue()


def difference(pred: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return the largest absolute difference over channels, (H, W) float in [0, 1].

    Args:
        pred: (H, W, 3) uint8.
        source: The same shape.

    Example:
        >>> difference(np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)).item()
        1.0
    """
    change = np.abs(pred.astype(np.float64) - source.astype(np.float64))
    return np.asarray(change.max(axis=2) / 255)


def heat_colors(values: np.ndarray, top: float, region: np.ndarray | None = None) -> np.ndarray:
    """Colour a map on a square-root scale, so that faint leaks show.

    Args:
        values: (H, W) nonnegative floats.
        top: Value of the brightest colour; larger ones are clipped.
        region: (H, W) bool; inside, the map is grey, because it is not counted.

    Returns:
        (H, W, 3) uint8.

    Example:
        >>> heat_colors(np.array([[0.0, 1.0]]), 1.0)[0].tolist()
        [[8, 8, 24], [252, 255, 190]]
    """
    level = np.sqrt(np.clip(values / top, 0, 1)) if top > 0 else np.zeros(values.shape)
    stops = np.linspace(0, 1, len(_ANCHORS))
    colors = np.stack([np.interp(level, stops, _ANCHORS[:, channel]) for channel in range(3)], axis=2)
    if region is not None:
        colors[region] = (96 + 110 * level)[region][:, None]
    return np.asarray(colors.round(), dtype=np.uint8)


def embedded(image: np.ndarray) -> Embedded:
    """Encode an image (H, W, 3) uint8 as JPEG without colour subsampling, in a ``data:`` URI.

    Example:
        >>> picture = embedded(np.zeros((8, 4, 3), np.uint8))
        >>> picture.uri[:23], picture.width, picture.height, picture.small
        ('data:image/jpeg;base64,', 4, 8, True)
    """
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=QUALITY, subsampling=0)
    uri = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Embedded(uri, image.shape[1], image.shape[0])
