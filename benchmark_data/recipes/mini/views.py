"""What the style encoder is shown in training: square crops of regions, with the background kept or filled."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

__all__ = ["MEAN_COLOUR", "distort", "training_view"]

# The mean of MiniConfig as bytes.
MEAN_COLOUR = np.array([123, 117, 104], dtype=np.uint8)
Box = tuple[int, int, int, int]


def training_view(
    rng: np.random.Generator, source: np.ndarray, styled: np.ndarray, mask: np.ndarray, size: int
) -> np.ndarray:
    """Make one training picture.

    Args:
        rng: Source of every choice.
        source: (H, W, 3) uint8, before stylisation.
        styled: The same in a style, or ``source`` itself for the class of plain photographs.
        mask: (H, W) uint8 region.
        size: Side of the result.

    Returns:
        (size, size, 3) uint8.
    """
    region = mask > 127
    kind = rng.choice(["pasted", "masked", "global", "full", "hole", "patch"], p=[0.3, 0.36, 0.12, 0.1, 0.06, 0.06])
    if region.sum() < 40 or (kind == "hole" and region.mean() > 0.6):
        kind = "full"
    height, width = region.shape
    box = (0, 0, height, width)
    if kind in ("pasted", "masked", "global"):
        box = _square(region, rng.uniform(0.0, 0.25))
    elif kind == "patch":
        side = int(rng.uniform(0.35, 0.9) * min(height, width))
        top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
        box = (top, left, top + side, left + side)
    picture, below, inside = (_cut(x, box) for x in (styled, source, region))
    # A pasted region that covers little of its box would teach the background's style.
    if kind == "pasted" and inside.mean() > 0.25:
        picture = np.where(inside[..., None], picture, below)
    elif kind == "masked":
        picture = np.where(inside[..., None], picture, MEAN_COLOUR)
    elif kind == "hole":
        picture = np.where(inside[..., None], MEAN_COLOUR, picture)
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)
    return _letterboxed(rng, np.asarray(image)) if rng.random() < 0.12 else np.asarray(image)


def distort(rng: np.random.Generator, image: np.ndarray, amount: float) -> np.ndarray:
    """Save as JPEG, or make smaller and larger again, with probability ``amount``."""
    if rng.random() > amount:
        return image
    picture = Image.fromarray(image)
    if rng.random() < 0.6:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(35, 96)))
        return np.asarray(Image.open(buffer).convert("RGB"))
    side = int(image.shape[0] * rng.uniform(0.5, 0.95))
    return np.asarray(
        picture.resize((side, side), Image.Resampling.BICUBIC).resize(picture.size, Image.Resampling.BICUBIC)
    )


def _square(region: np.ndarray, pad: float) -> Box:
    """Padded bounding box, made square by extending where the image allows."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = round(max(bottom - top, right - left) * (1 + 2 * pad))
    side = min(side, *region.shape)
    top = int(np.clip((top + bottom - side) // 2, 0, region.shape[0] - side))
    left = int(np.clip((left + right - side) // 2, 0, region.shape[1] - side))
    return (top, left, top + side, left + side)


def _cut(array: np.ndarray, box: Box) -> np.ndarray:
    return array[box[0] : box[2], box[1] : box[3]]


def _letterboxed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Squeeze the picture between two bands of the mean colour, as for objects wider than the image is high."""
    size = image.shape[0]
    band = int(size * rng.uniform(0.05, 0.25))
    result = image.copy()
    if rng.random() < 0.5:
        result[:band], result[size - band :] = MEAN_COLOUR, MEAN_COLOUR
    else:
        result[:, :band], result[:, size - band :] = MEAN_COLOUR, MEAN_COLOUR
    return result
