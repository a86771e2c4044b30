"""Numpy building blocks shared by all classical styles: noise, lines, strokes and cells.

Images are float32 arrays of shape (H, W, 3) in [0, 1]; maps are float32 arrays of shape (H, W).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.floating[Any]]

# ITU-R BT.601 luma, the usual choice for gamma-encoded photographs.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Context:
    """What a style needs besides the image.

    Args:
        scale: Shorter image side divided by 128; every feature size is multiplied by it.
        rng: Source of the palette, phase and direction of this seed.
    """

    scale: float
    rng: np.random.Generator

    def px(self, size: float, minimum: float = 0.5) -> float:
        """Turn a size in pixels of a 128-pixel image into pixels of this image.

        Example:
            >>> Context(4.0, np.random.default_rng(0)).px(2)
            8.0
        """
        return max(size * self.scale, minimum)

    def vary(self, low: float, high: float) -> float:
        """Draw a number uniformly from [low, high)."""
        return float(self.rng.uniform(low, high))


def luma(image: Array) -> Array:
    """Brightness (H, W) in [0, 1] of an RGB image.

    Example:
        >>> luma(np.ones((1, 1, 3), np.float32)).round(3).tolist()
        [[1.0]]
    """
    return image @ LUMA


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur over the two image axes, truncated at three sigma for speed."""
    sigmas = (sigma, sigma, 0) if image.ndim == 3 else sigma
    return ndimage.gaussian_filter(image, sigmas, mode="nearest", truncate=3.0)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """Cubic ramp from 0 at ``low`` to 1 at ``high`` (https://en.wikipedia.org/wiki/Smoothstep).

    Example:
        >>> smoothstep(0.0, 1.0, np.array([-1, 0.5, 2], np.float32)).tolist()
        [0.0, 0.5, 1.0]
    """
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def saturate(image: Array, factor: float) -> Array:
    """Move every colour away from (factor > 1) or towards (factor < 1) its grey."""
    grey = luma(image)[..., None]
    return np.clip(grey + factor * (image - grey), 0, 1)


def adaptive_tone(image: Array, low: float = 2.0, high: float = 98.0) -> Array:
    """Brightness stretched so that the given percentiles become 0 and 1, dark photos lifted to mid-grey.

    A span below 0.25 is not stretched further, so that flat images do not turn into noise.
    """
    tone = luma(image)
    bottom, top = np.percentile(tone[::2, ::2], [low, high])
    spare = max(0.0, 0.25 - (top - bottom)) / 2
    tone = np.clip((tone - bottom + spare) / (top - bottom + 2 * spare), 0, 1).astype(np.float32)
    median = float(np.clip(np.median(tone[::2, ::2]), 0.05, 0.95))
    return tone ** np.float32(np.clip(np.log(0.5) / np.log(median), 0.6, 1.6))


def grid(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Row and column coordinates as broadcastable (H, 1) and (1, W) arrays."""
    return np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None, :]


def _interpolation(size: int, cell: float, phase: float) -> tuple[Array, int]:
    position = np.arange(size, dtype=np.float32) / np.float32(cell) + np.float32(phase)
    index = position.astype(np.int64)
    fraction = position - index
    fraction = fraction * fraction * (3 - 2 * fraction)
    knots = int(index[-1]) + 2
    weights = np.zeros((size, knots), np.float32)
    rows = np.arange(size)
    weights[rows, index] = 1 - fraction
    weights[rows, index + 1] += fraction
    return weights, knots


def smooth_noise(shape: tuple[int, ...], cell: float, rng: np.random.Generator, aspect: float = 1.0) -> Array:
    """Value noise in [0, 1] whose features are ``cell`` pixels high and ``cell * aspect`` wide.

    Source: https://en.wikipedia.org/wiki/Value_noise

    Example:
        >>> smooth_noise((8, 9), 2.0, np.random.default_rng(0)).shape
        (8, 9)
    """
    rows, height = _interpolation(shape[0], cell, float(rng.random()))
    columns, width = _interpolation(shape[1], cell * aspect, float(rng.random()))
    return rows @ rng.random((height, width), dtype=np.float32) @ columns.T


def paper(shape: tuple[int, ...], context: Context, amount: float) -> Array:
    """Multiplicative paper grain (H, W) around 1."""
    fine = smooth_noise(shape, context.px(1.0, 1.0), context.rng)
    coarse = smooth_noise(shape, context.px(5.0, 2.0), context.rng)
    return 1 + amount * (0.7 * fine + 0.3 * coarse - 0.5)


def contours(image: Array, width: float, low: float = 0.3, high: float = 0.6) -> Array:
    """Ink coverage (H, W) in [0, 1] of clean lines, 1 being ink.

    The difference of Gaussians of XDoG (Winnemoeller et al. 2012, eq. 2), taken per channel so that
    edges between equally bright colours are found, and normalised by the strongest edges of the image.
    """
    fine = blur(image, width)
    difference = (blur(fine, 1.25 * width) - fine).max(axis=2)
    reference = max(0.02, float(np.percentile(difference[::2, ::2], 96)))
    return smoothstep(low, high, difference / np.float32(reference))


def edge_strength(image: Array, sigma: float) -> Array:
    """Gradient magnitude (H, W) in [0, 1], relative to the strongest edges of the image."""
    smooth = blur(image, sigma)
    dy, dx = np.gradient(smooth, axis=(0, 1))
    magnitude = np.sqrt((dx * dx + dy * dy).max(axis=2))
    reference = max(0.02 / max(sigma, 1.0), float(np.percentile(magnitude[::2, ::2], 97)))
    return np.clip(magnitude / np.float32(reference), 0, 1)


def flow(image: Array, context: Context, sigma: float, swirl: float, cell: float) -> tuple[Array, Array]:
    """Unit tangents (dy, dx) along image structures, bent by smooth noise where the image is flat.

    The smoothed structure tensor in double-angle form (Kyprianidis & Kang 2011, sec. 3.1).
    """
    grey = blur(luma(image), context.px(1.0))
    gy, gx = np.gradient(grey)
    cos2, sin2 = gx * gx - gy * gy, 2 * gx * gy
    energy = np.sqrt(np.mean(gx * gx + gy * gy) ** 2 + 1e-10)
    turn = 4 * np.pi * smooth_noise(grey.shape, cell, context.rng) + context.vary(0, 2 * np.pi)
    cos2 = blur(cos2, sigma) + swirl * energy * np.cos(turn)
    sin2 = blur(sin2, sigma) + swirl * energy * np.sin(turn)
    angle = 0.5 * np.arctan2(sin2, cos2) + np.pi / 2
    return np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)


def streamlines(texture: Array, direction: tuple[Array, Array], length: float, max_steps: int = 8) -> Array:
    """Average a texture along streamlines reaching ``length`` pixels each way.

    Line integral convolution (Cabral & Leedom 1993) with nearest-neighbour look-ups.
    """
    height, width = texture.shape[:2]
    steps = int(np.clip(round(length), 1, max_steps))
    stride = np.float32(length / steps)
    flat = texture.reshape(height * width, -1)
    vectors_y, vectors_x = direction[0].ravel(), direction[1].ravel()
    total = flat.copy()
    rows, columns = np.divmod(np.arange(height * width), width)
    for sign in (np.float32(1), np.float32(-1)):
        y, x = rows.astype(np.float32), columns.astype(np.float32)
        step_y, step_x = sign * vectors_y, sign * vectors_x
        for _ in range(steps):
            y = np.clip(y + stride * step_y, 0, height - 1)
            x = np.clip(x + stride * step_x, 0, width - 1)
            index = (y + np.float32(0.5)).astype(np.int32) * width + (x + np.float32(0.5)).astype(np.int32)
            total += flat[index]
            next_y, next_x = vectors_y[index], vectors_x[index]
            # Orientations have no sign: keep walking forwards.
            forward = np.copysign(np.float32(1), next_y * step_y + next_x * step_x)
            step_y, step_x = forward * next_y, forward * next_x
    return (total / (2 * steps + 1)).reshape(texture.shape)


def warp(image: Array, amplitude: float, cell: float, rng: np.random.Generator) -> Array:
    """Wobble the image by smooth noise of the given amplitude in pixels."""
    shape = image.shape[:2]
    rows, columns = grid(shape)
    y = rows + 2 * amplitude * (smooth_noise(shape, cell, rng) - 0.5)
    x = columns + 2 * amplitude * (smooth_noise(shape, cell, rng) - 0.5)
    y = np.clip(np.rint(y), 0, shape[0] - 1).astype(np.int64)
    x = np.clip(np.rint(x), 0, shape[1] - 1).astype(np.int64)
    return image[y, x]


def kuwahara(image: Array, radius: int) -> Array:
    """Edge-keeping smoothing: the mean of the least varied of four quadrants around each pixel.

    Source: https://en.wikipedia.org/wiki/Kuwahara_filter

    Even windows (odd radius) sit one pixel outside their quadrant, so a sharp edge may move by a pixel.
    Kept as it is: the embedded weights are trained on this look.
    """
    size = radius + 1
    grey = luma(image)
    stack = np.dstack([image, grey * grey, grey])
    means = ndimage.uniform_filter(stack, (size, size, 0), mode="nearest")
    variance = means[..., 3] - means[..., 4] ** 2
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    best, result = None, np.empty_like(image)
    for dy in (-(size // 2), size - 1 - size // 2):
        for dx in (-(size // 2), size - 1 - size // 2):
            window = np.ix_(np.clip(rows + dy, 0, image.shape[0] - 1), np.clip(columns + dx, 0, image.shape[1] - 1))
            here, colours = variance[window], means[..., :3][window]
            if best is None:
                best, result = here, colours
                continue
            better = here < best
            best = np.where(better, here, best)
            result = np.where(better[..., None], colours, result)
    return result


def gradient_map(tone: Array, colours: list[tuple[int, int, int]], stops: list[float] | None = None) -> Array:
    """Colour a tone map (H, W) through 8-bit RGB colours spread over [0, 1].

    Example:
        >>> gradient_map(np.array([[0.5]], np.float32), [(0, 0, 0), (255, 0, 0)])[0, 0, 0].round(2).item()
        0.5
    """
    knots = np.linspace(0, 1, len(colours)) if stops is None else np.asarray(stops)
    palette = np.asarray(colours, np.float32) / 255
    table = np.stack([np.interp(np.linspace(0, 1, 256), knots, palette[:, c]) for c in range(3)], axis=1)
    return table.astype(np.float32)[(np.clip(tone, 0, 1) * 255 + 0.5).astype(np.uint8)]


def quantise(tone: Array, levels: int, softness: float = 0.1) -> Array:
    """Reduce values in [0, 1] to ``levels`` flat steps, joined by short ramps."""
    scaled = np.clip(tone, 0, 1) * (levels - 1)
    base = np.floor(scaled)
    return (base + smoothstep(0.5 - softness, 0.5 + softness, scaled - base)) / (levels - 1)


def hatching(shape: tuple[int, ...], angle: float, length: float, width: float, rng: np.random.Generator) -> Array:
    """Random parallel strokes: uniform noise (H, W) in [0, 1] that is long in one direction."""
    rows, columns = grid(shape)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = columns * cos + rows * sin
    across = rows * cos - columns * sin
    across = (across - across.min()) / np.float32(width)
    along = (along - along.min()) / np.float32(length)
    lanes = across.astype(np.int64)
    offsets = rng.random(int(lanes.max()) + 1, dtype=np.float32)
    position = (along + offsets[lanes]).astype(np.int64)
    return rng.random((len(offsets), int(position.max()) + 1), dtype=np.float32)[lanes, position]


@dataclass(frozen=True)
class Cells:
    """A Voronoi partition: cell of every pixel, distances to the two nearest seeds, and the seeds.

    Args:
        labels: (H, W) integers below ``count``.
        nearest: (H, W) distance in pixels to the own seed.
        second: (H, W) distance in pixels to the next seed.
        rows: (count,) seed rows clipped to the image.
        columns: (count,) seed columns clipped to the image.
        count: Number of seeds.
    """

    labels: NDArray[np.int64]
    nearest: Array
    second: Array
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    count: int


def jittered_cells(shape: tuple[int, ...], pitch: float, jitter: float, rng: np.random.Generator) -> Cells:
    """Voronoi cells of a jittered square grid, found by testing each pixel's 3 x 3 grid neighbours.

    Source: cellular noise, Worley 1996.
    """
    rows, columns = grid(shape)
    start = rng.random(2, dtype=np.float32)
    base_y = (rows / np.float32(pitch) + start[0]).astype(np.int64) + 1
    base_x = (columns / np.float32(pitch) + start[1]).astype(np.int64) + 1
    high, wide = int(base_y.max()) + 2, int(base_x.max()) + 2
    offset = 0.5 + jitter * (rng.random((2, high, wide), dtype=np.float32) - 0.5)
    seed_y = (np.arange(high, dtype=np.float32)[:, None] - 1 + offset[0] - start[0]) * np.float32(pitch)
    seed_x = (np.arange(wide, dtype=np.float32)[None, :] - 1 + offset[1] - start[1]) * np.float32(pitch)
    flat_y, flat_x = seed_y.ravel(), seed_x.ravel()
    nearest = np.full(shape[:2], np.inf, np.float32)
    second = nearest.copy()
    labels = np.zeros(shape[:2], np.int64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            index = (base_y + dy) * wide + (base_x + dx)
            distance = (flat_y[index] - rows) ** 2 + (flat_x[index] - columns) ** 2
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest = np.minimum(nearest, distance)
            labels = np.where(closer, index, labels)
    inside_y = np.clip(np.rint(flat_y), 0, shape[0] - 1).astype(np.int64)
    inside_x = np.clip(np.rint(flat_x), 0, shape[1] - 1).astype(np.int64)
    return Cells(labels, np.sqrt(nearest), np.sqrt(second), inside_y, inside_x, high * wide)


def cell_mean(image: Array, labels: NDArray[np.int64], count: int) -> Array:
    """Mean colour (count, 3) of every label; labels without pixels are black."""
    flat = labels.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, image[..., c].ravel(), minlength=count) / size for c in range(3)]
    return np.stack(sums, axis=1).astype(np.float32)
