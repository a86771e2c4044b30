"""Pixel art: blocks of 3 to 24 pixels, with and without palettes."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    image_magick,
    kmeans,
    posterised,
    saturated,
    to_bytes,
    uniform,
)

__all__ = ["HELD_OUT", "TRAINING"]


def _block(image: Picture, rng: np.random.Generator) -> int:
    """Side of a block: log-uniform, and at least five blocks a side."""
    top = max(3.5, min(24.0, min(image.shape[:2]) / 5))
    return round(float(np.exp(rng.uniform(np.log(3), np.log(top)))))


def _small(image: Picture, block: int) -> tuple[int, int]:
    return max(2, round(image.shape[1] / block)), max(2, round(image.shape[0] / block))


def _enlarged(small: Picture, image: Picture) -> Picture:
    return cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_NEAREST)


def area_mean(image: Picture, rng: np.random.Generator) -> Picture:
    """OpenCV: shrink by area, enlarge by nearest neighbour."""
    return _enlarged(cv2.resize(image, _small(image, _block(image, rng)), interpolation=cv2.INTER_AREA), image)


def picked(image: Picture, rng: np.random.Generator) -> Picture:
    """One pixel of each block, taken as it is."""
    block = _block(image, rng)
    rows, columns = (np.arange(n) // block * block for n in image.shape[:2])
    half = int(rng.integers(0, block))
    return image[np.minimum(rows + half, image.shape[0] - 1)][:, np.minimum(columns + half, image.shape[1] - 1)]


def levels(image: Picture, rng: np.random.Generator) -> Picture:
    """Blocks whose channels have few levels, in brighter colours."""
    small = cv2.resize(image, _small(image, _block(image, rng)), interpolation=cv2.INTER_AREA)
    return _enlarged(posterised(saturated(small, uniform(rng, 0.9, 1.8)), int(rng.integers(3, 8))), image)


def clustered(image: Picture, rng: np.random.Generator) -> Picture:
    """Blocks in a palette found by k-means."""
    small = cv2.resize(image, _small(image, _block(image, rng)), interpolation=cv2.INTER_LINEAR)
    palette, index = kmeans(small, int(rng.integers(4, 20)))
    return _enlarged(np.clip(palette[index], 0, 255).astype(np.uint8), image)


def median_cut(image: Picture, rng: np.random.Generator) -> Picture:
    """Blocks in a palette found by median cut, dithered or not."""
    small = cv2.resize(image, _small(image, _block(image, rng)), interpolation=cv2.INTER_AREA)
    dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.5 else Image.Dither.NONE
    colours = Image.fromarray(small).quantize(int(rng.integers(6, 40)), Image.Quantize.MEDIANCUT)
    return _enlarged(np.asarray(Image.fromarray(small).quantize(palette=colours, dither=dither).convert("RGB")), image)


def ordered_dither(image: Picture, rng: np.random.Generator) -> Picture:
    """Blocks with a 4 x 4 Bayer pattern between few levels, as old consoles drew."""
    small = cv2.resize(image, _small(image, _block(image, rng)), interpolation=cv2.INTER_AREA)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
    steps = int(rng.integers(2, 6))
    pattern = np.tile(bayer, (small.shape[0] // 4 + 1, small.shape[1] // 4 + 1))[: small.shape[0], : small.shape[1]]
    x = saturated(small, uniform(rng, 1.0, 1.5)).astype(np.float32) / 255 * (steps - 1) + pattern[..., None]
    return _enlarged(to_bytes(np.rint(np.clip(x, 0, steps - 1)) / (steps - 1)), image)


def lattice(image: Picture, rng: np.random.Generator) -> Picture:
    """Blocks separated by thin darker lines."""
    block = max(5, _block(image, rng))
    result = _enlarged(cv2.resize(image, _small(image, block), interpolation=cv2.INTER_AREA), image)
    rows, columns = (np.arange(n) % block == 0 for n in image.shape[:2])
    shade = np.where(rows[:, None] | columns[None], uniform(rng, 0.5, 0.85), 1.0)
    return (result * shade[..., None]).astype(np.uint8)


def pillow_blocks(image: Picture, rng: np.random.Generator) -> Picture:
    """Pillow: shrink by box, enlarge by nearest neighbour."""
    return pillow_pixelation(image, _block(image, rng))


def pillow_pixelation(image: Picture, block: int) -> Picture:
    """Pillow's pixelation with blocks of a given side."""
    picture = Image.fromarray(image)
    small = picture.resize(_small(image, block), Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.NEAREST))


def octree_sprite(image: Picture, rng: np.random.Generator) -> Picture:
    """Pillow: bilinear shrinking, a palette by octree, nearest enlarging."""
    picture = Image.fromarray(image)
    small = picture.resize(_small(image, _block(image, rng)), Image.Resampling.BILINEAR)
    small = small.quantize(int(rng.integers(8, 33)), Image.Quantize.FASTOCTREE).convert("RGB")
    return np.asarray(small.resize(picture.size, Image.Resampling.NEAREST))


def magick_scale(image: Picture, rng: np.random.Generator) -> Picture:
    """ImageMagick: ``-scale`` down and ``-sample`` up."""
    width, height = _small(image, _block(image, rng))
    return image_magick(image, "-scale", f"{width}x{height}!", "-sample", f"{image.shape[1]}x{image.shape[0]}!")


TRAINING = {"pixel art": [area_mean, picked, levels, clustered, median_cut, ordered_dither, lattice]}
HELD_OUT = {"pixel art": [pillow_blocks, octree_sprite, magick_scale]}
