"""Looks made mostly of light and colour: cyberpunk, vaporwave and sepia photograph."""

from __future__ import annotations

import numpy as np

from baselines.classical.common import (
    Array,
    Context,
    adaptive_tone,
    blur,
    edge_strength,
    gradient_map,
    grid,
    luma,
    smooth_noise,
)


def cyberpunk(image: Array, context: Context) -> Array:
    """Night scene: deep teal shadows, magenta lights, glowing neon edges and scan lines."""
    pitch = context.px(context.vary(2.8, 3.4), 2.0)
    drift = context.vary(0.35, 0.65)
    tone = adaptive_tone(image)
    shape = tone.shape
    night = gradient_map(tone**1.5, [(4, 4, 22), (10, 50, 90), (120, 20, 130), (250, 60, 190), (130, 240, 255)])
    edges = edge_strength(image, context.px(0.8))
    glow = edges**2 + 1.3 * blur(edges**2, context.px(2.5))
    zone = smooth_noise(shape, context.px(36, 8), context.rng)
    pick = np.clip((zone - drift) * 6 + 0.5, 0, 1)[..., None]
    neon = pick * np.array([0.05, 0.95, 1.0], np.float32) + (1 - pick) * np.array([1.0, 0.1, 0.8], np.float32)
    lit = 0.7 * night + 0.62 * np.clip(glow, 0, 1.4)[..., None] * neon
    rows, _ = grid(shape)
    scan = 1 - 0.38 * (0.5 + 0.5 * np.cos(2 * np.pi * rows / pitch))
    return np.clip(lit * scan[..., None], 0, 1)


def vaporwave(image: Array, context: Context) -> Array:
    """Pastel pink, lilac and turquoise with lifted blacks, split colours and slipped tape rows."""
    split = context.px(context.vary(1.8, 2.8), 1.0)
    lean = context.vary(-0.06, 0.06)
    tone = adaptive_tone(blur(image, context.px(0.5)))
    rows, _ = grid(tone.shape)
    slip = smooth_noise((tone.shape[0], 1), context.px(9, 2), context.rng)[:, 0]
    shift = np.where(slip > 0.62, np.sign(slip - 0.8) * context.px(5, 1), 0.0)
    columns = np.arange(tone.shape[1])
    index = np.clip(columns[None, :] + np.rint(shift)[:, None].astype(np.int64), 0, tone.shape[1] - 1)
    tone = np.take_along_axis(tone, index, axis=1)
    tone = np.clip(tone + lean + 0.12 * (rows / tone.shape[0] - 0.5), 0, 1)
    ramp = [(92, 50, 168), (200, 80, 214), (255, 113, 206), (140, 170, 255), (60, 225, 240), (240, 255, 220)]
    offset = round(split)
    left = np.take(tone, np.clip(columns + offset, 0, len(columns) - 1), axis=1)
    right = np.take(tone, np.clip(columns - offset, 0, len(columns) - 1), axis=1)
    mapped = gradient_map(tone, ramp)
    mapped[..., 0] = gradient_map(left, ramp)[..., 0]
    mapped[..., 2] = gradient_map(right, ramp)[..., 2]
    haze = blur(mapped, context.px(3))
    return np.clip(1 - (1 - mapped) * (1 - 0.22 * haze), 0, 1)


def sepia(image: Array, context: Context) -> Array:
    """Faded brown albumen print with film grain, blotches and a vignette."""
    warm = context.vary(0.94, 1.06)
    tone = luma(blur(image, context.px(0.5)))
    shape = tone.shape
    rows, columns = grid(shape)
    radius = (2 * rows / shape[0] - 1) ** 2 + (2 * columns / shape[1] - 1) ** 2
    grain = smooth_noise(shape, context.px(0.9, 1.0), context.rng) - 0.5
    blotch = smooth_noise(shape, context.px(30, 6), context.rng) - 0.5
    faded = 0.12 + 0.80 * tone + 0.14 * grain + 0.08 * blotch - 0.10 * radius
    brown = [(38, 20, 8), (112, 72, 38), (186, 142, 92), (234, 206, 160), (252, 238, 208)]
    return gradient_map(np.clip(warm * faded, 0, 1), brown)
