"""Building blocks of the renderers: pictures are (H, W, 3) uint8, maps (H, W) float32 in [0, 1]."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

__all__ = [
    "Picture",
    "Renderer",
    "blurred",
    "cells",
    "cell_means",
    "colourise",
    "dog",
    "grain",
    "grey",
    "image_magick",
    "ink_on",
    "kmeans",
    "mode_like_oil",
    "posterised",
    "saturated",
    "smeared",
    "sobel",
    "to_bytes",
    "uniform",
    "xdog",
]

Picture = np.ndarray
Renderer = Callable[[Picture, np.random.Generator], Picture]
cv2.setNumThreads(1)


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw one number."""
    return float(rng.uniform(low, high))


def to_bytes(x: np.ndarray) -> Picture:
    """Clip floats in [0, 1] to uint8; a map becomes a grey picture."""
    x = np.clip(x * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(x[..., None], 3, axis=2) if x.ndim == 2 else x


def grey(image: Picture) -> np.ndarray:
    """Brightness in [0, 1]."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur."""
    return cv2.GaussianBlur(x, (0, 0), max(sigma, 0.3))


def sobel(tone: np.ndarray, sigma: float = 0.8) -> np.ndarray:
    """Gradient magnitude, 1 at the strongest edges."""
    smooth = blurred(tone, sigma)
    size = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.clip(size / max(float(np.percentile(size, 97)), 0.03), 0, 1)


def dog(tone: np.ndarray, sigma: float, ratio: float = 1.6) -> np.ndarray:
    """Difference of Gaussians: positive on the dark side of edges."""
    return blurred(tone, ratio * sigma) - blurred(tone, sigma)


def xdog(tone: np.ndarray, sigma: float, sharpness: float, threshold: float, steep: float) -> np.ndarray:
    """Winnemoeller's extended difference of Gaussians, 0 = ink (https://doi.org/10.1016/j.cag.2012.03.004)."""
    response = (1 + sharpness) * blurred(tone, sigma) - sharpness * blurred(tone, 1.6 * sigma)
    return np.where(response >= threshold, 1.0, 1 + np.tanh(steep * (response - threshold))).astype(np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, ...], size: float, amount: float) -> np.ndarray:
    """Noise around 1 whose grains are ``size`` pixels large."""
    small = (max(2, round(shape[0] / size)), max(2, round(shape[1] / size)))
    noise = rng.standard_normal(small).astype(np.float32)
    return 1 + amount * cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def smeared(x: np.ndarray, angle: float, length: int) -> np.ndarray:
    """Average along a direction."""
    length = max(3, int(length) | 1)
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    dx, dy = round(middle * np.cos(angle)), round(middle * np.sin(angle))
    cv2.line(kernel, (middle - dx, middle - dy), (middle + dx, middle + dy), 1.0, 1)
    return cv2.filter2D(x, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def saturated(image: Picture, factor: float, gain: float = 1.0) -> Picture:
    """Multiply saturation, and brightness by ``gain``."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = np.clip(hsv[..., 1] * factor, 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * gain, 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def posterised(image: Picture, levels: int) -> Picture:
    """Round every channel to ``levels`` values."""
    x = np.rint(image.astype(np.float32) / 255 * (levels - 1)) / (levels - 1)
    return to_bytes(x)


def kmeans(image: Picture, colours: int) -> tuple[np.ndarray, np.ndarray]:
    """Palette (K, 3) float32 dark to light, and the index map (H, W)."""
    small = cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    cv2.setRNGSeed(1)
    _, _, palette = cv2.kmeans(small, colours, None, (3, 8, 1.0), 1, cv2.KMEANS_PP_CENTERS)
    palette = palette[np.argsort(palette @ [0.3, 0.59, 0.11])]
    _, index = cKDTree(palette).query(image.reshape(-1, 3).astype(np.float32))
    return palette, index.reshape(image.shape[:2])


def colourise(tone: np.ndarray, stops: Sequence[Sequence[float]]) -> Picture:
    """Map brightness to a ramp of colours in 0..255, dark to light."""
    places = np.linspace(0, 1, len(stops))
    table = np.array(stops, np.float32)
    return to_bytes(np.stack([np.interp(tone, places, table[:, c]) for c in range(3)], axis=-1) / 255)


def ink_on(ink: np.ndarray, colour: Sequence[float], ground: np.ndarray | Sequence[float]) -> Picture:
    """Lay ink (1 = opaque) of one colour in 0..255 over a ground in 0..255."""
    under = np.asarray(ground, np.float32)
    over = np.asarray(colour, np.float32)
    return to_bytes((under + ink[..., None] * (over - under)) / 255)


def cells(
    shape: tuple[int, ...], pitch: float, jitter: float, rng: np.random.Generator, offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Voronoi cells of a jittered grid: labels, distance to the nearest and second seed, and the seeds."""
    ys, xs = np.arange(-pitch, shape[0] + pitch, pitch), np.arange(-pitch, shape[1] + pitch, pitch)
    grid = np.stack(np.meshgrid(ys, xs, indexing="ij"), axis=-1)
    grid[::2, :, 1] += offset * pitch
    seeds = grid.reshape(-1, 2) + rng.uniform(-jitter, jitter, (grid.shape[0] * grid.shape[1], 2)) * pitch / 2
    pixels = np.stack(np.indices(shape[:2]), axis=-1).reshape(-1, 2)
    distances, nearest = cKDTree(seeds).query(pixels, k=2)
    shaped = [a.reshape(shape[:2]) for a in (nearest[:, 0], distances[:, 0], distances[:, 1])]
    return shaped[0], shaped[1], shaped[2], seeds


def cell_means(image: Picture, labels: np.ndarray) -> np.ndarray:
    """Mean colour of each label, spread back over the picture, float32 in 0..255."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    means = np.stack([np.bincount(flat, image[..., c].ravel()) / count for c in range(3)], axis=-1)
    return means[labels].astype(np.float32)


def mode_like_oil(image: Picture, radius: int, levels: int) -> Picture:
    """Mean colour of the most frequent brightness around each pixel."""
    bins = (grey(image) * (levels - 1) + 0.5).astype(np.int64)
    size = (2 * radius + 1, 2 * radius + 1)
    best, result = np.full(bins.shape, -1.0, np.float32), image.astype(np.float32)
    for level in np.unique(bins):
        weight = (bins == level).astype(np.float32)
        count = cv2.blur(weight, size)
        total = cv2.blur(image.astype(np.float32) * weight[..., None], size)
        better = count > best
        result[better] = total[better] / np.maximum(count[better], 1e-6)[:, None]
        best = np.maximum(best, count)
    return np.clip(result, 0, 255).astype(np.uint8)


def image_magick(image: Picture, *options: str) -> Picture:
    """Run ImageMagick's ``convert`` on a picture, on one thread."""
    height, width = image.shape[:2]
    command = ["/usr/bin/convert", "-size", f"{width}x{height}", "-depth", "8", "-seed", "1", "rgb:-", *options]
    command += ["-resize", f"{width}x{height}!", "-colorspace", "sRGB", "-type", "TrueColor", "-depth", "8", "rgb:-"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1"}
    raw = subprocess.run(command, input=image.tobytes(), capture_output=True, check=True, env=environment).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def stretch(tone: np.ndarray) -> np.ndarray:
    """Spread the 2nd to 98th percentile over [0, 1]."""
    low, high = np.percentile(tone, [2, 98])
    spare = max(0.0, 0.2 - (high - low)) / 2
    return np.clip((tone - low + spare) / (high - low + 2 * spare), 0, 1).astype(np.float32)


def median(image: Picture, size: int) -> Picture:
    """Median over a square window of odd side."""
    return cv2.medianBlur(image, max(3, size | 1))


def morphological_edges(image: Picture, size: int) -> np.ndarray:
    """Dilation minus erosion of the brightness, 1 at the strongest."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(2, size), max(2, size)))
    edge = cv2.morphologyEx(grey(image), cv2.MORPH_GRADIENT, kernel)
    return np.clip(edge / max(float(np.percentile(edge, 97)), 0.05), 0, 1)


def warped(image: Picture, rng: np.random.Generator, amount: float, size: float) -> Picture:
    """Displace pixels by smooth noise."""
    rows, columns = np.indices(image.shape[:2]).astype(np.float32)
    move = [(grain(rng, image.shape, size, 1.0) - 1) * amount for _ in range(2)]
    return cv2.remap(image, columns + move[0], rows + move[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def quick_kuwahara(image: Picture, radius: int) -> Picture:
    """Mean of the least varied of four windows placed around each pixel."""
    x = image.astype(np.float32)
    size = radius + 1
    mean = cv2.blur(x, (size, size), borderType=cv2.BORDER_REFLECT)
    tone = grey(image)
    spread = cv2.blur(tone * tone, (size, size)) - cv2.blur(tone, (size, size)) ** 2
    half = (radius + 1) // 2
    best, result = np.full(tone.shape, np.inf, np.float32), mean.copy()
    for dy in (-half, half):
        for dx in (-half, half):
            moved = ndimage.shift(spread, (dy, dx), order=0, mode="nearest")
            colours = np.roll(mean, (dy, dx), axis=(0, 1))
            better = moved < best
            result[better] = colours[better]
            best = np.minimum(best, moved)
    return np.clip(result, 0, 255).astype(np.uint8)
