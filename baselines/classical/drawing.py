"""Drawings: line art, pencil, charcoal, ink wash, blueprint and woodcut."""

from __future__ import annotations

import numpy as np

from baselines.classical.common import (
    Array,
    Context,
    adaptive_tone,
    blur,
    contours,
    edge_strength,
    grid,
    hatching,
    paper,
    quantise,
    smooth_noise,
    smoothstep,
    warp,
)


def _grey(tone: Array, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Array:
    return tone[..., None] * np.asarray(tint, np.float32)


def line_art(image: Array, context: Context) -> Array:
    """Clean black contours on white, without any shading."""
    width = context.px(context.vary(0.65, 0.85))
    return _grey(1 - contours(image, width, 0.3, 0.55))


def pencil(image: Array, context: Context) -> Array:
    """Grey graphite: hatching in two directions over a dodged outline, on white paper."""
    angle = context.vary(0.6, 1.0)
    sharp = context.vary(0.85, 1.15)
    tone = adaptive_tone(image)
    dodge = np.clip(tone / np.maximum(blur(tone, context.px(2.5)), 0.08), 0, 1)
    dark = 1 - 0.9 * tone
    thin, length = context.px(1.0, 1.0), context.px(11 * sharp, 3)
    first = hatching(tone.shape, angle, length, thin, context.rng)
    second = hatching(tone.shape, angle + 1.2, length, thin, context.rng)
    strokes = smoothstep(0.0, 0.45, dark * 1.15 - first) * 0.42 + smoothstep(0.0, 0.4, dark - 0.35 - 0.6 * second) * 0.3
    lines = 0.55 * contours(image, context.px(0.7))
    grey = (0.97 - strokes - lines) * (0.35 + 0.65 * dodge**2) * paper(tone.shape, context, 0.06)
    return _grey(np.maximum(grey, 0.12), (0.985, 0.99, 1.0))


def charcoal(image: Array, context: Context) -> Array:
    """Broad, dark, smudged strokes that catch the grain of grey paper."""
    angle = context.vary(-0.9, -0.5)
    depth = context.vary(0.9, 1.1)
    tone = adaptive_tone(blur(image, context.px(1.3)))
    edges = blur(edge_strength(image, context.px(1.4)), context.px(0.9))
    shape = tone.shape
    grain = 0.6 * smooth_noise(shape, context.px(1.3, 1.0), context.rng)
    grain += 0.4 * hatching(shape, angle, context.px(12, 3), context.px(2.2, 1.0), context.rng)
    dark = np.clip(0.9 * (1 - tone) * depth + 0.55 * edges, 0, 1)
    coverage = 0.35 * dark + 0.65 * smoothstep(-0.3, 0.42, dark - 0.12 - grain * 0.75)
    return _grey(0.78 - 0.74 * coverage, (1.0, 0.99, 0.97))


def ink_wash(image: Array, context: Context) -> Array:
    """Wet black-grey ink bleeding on warm paper, in few tones."""
    shift = context.vary(-0.04, 0.04)
    warm = context.vary(0.78, 0.84)
    wet = warp(image, context.px(2.2), context.px(7, 2), context.rng)
    tone = adaptive_tone(blur(wet, context.px(2.2)))
    shape = tone.shape
    bleed = smooth_noise(shape, context.px(14, 3), context.rng) - 0.5
    bleed = bleed + 0.5 * (smooth_noise(shape, context.px(5, 2), context.rng) - 0.5)
    washes = quantise(np.clip(tone + 0.22 * bleed + 0.08 + shift, 0, 1), 4, 0.22)
    rim = np.clip(blur(washes, context.px(1.6)) - washes, 0, 1)
    brush = contours(wet, context.px(1.5), 0.45, 0.9) * (0.4 + 0.6 * smoothstep(0.2, 0.6, bleed + 0.5))
    ink = np.clip(0.9 * (1 - washes) ** 1.2 + 0.5 * rim + 0.75 * brush, 0, 0.96)
    ground = np.array([0.96, 0.91, warm], np.float32) * paper(shape, context, 0.05)[..., None]
    return ground * (1 - ink[..., None]) + ink[..., None] * np.array([0.07, 0.07, 0.09], np.float32)


def blueprint(image: Array, context: Context) -> Array:
    """White construction lines and a grid on blue."""
    hue = context.vary(-0.03, 0.03)
    pitch = context.px(context.vary(9.0, 11.0), 3)
    phase = context.rng.random(2) * pitch
    lines = np.maximum(contours(image, context.px(0.75), 0.25, 0.5), 0.0)
    tone = adaptive_tone(image)
    rows, columns = grid(tone.shape)
    half = max(0.5, 0.35 * context.scale)
    near_row = np.abs((rows + phase[0]) % pitch - pitch / 2) < half
    near_column = np.abs((columns + phase[1]) % pitch - pitch / 2) < half
    mesh = 0.20 * (near_row | near_column).astype(np.float32)
    ground = np.array([0.06 + hue, 0.25 + hue, 0.62 - hue], np.float32)
    ground = ground * (0.85 + 0.3 * blur(tone, context.px(3)))[..., None] * paper(tone.shape, context, 0.08)[..., None]
    chalk = np.clip(mesh + 0.92 * lines, 0, 0.95)[..., None]
    return ground * (1 - chalk) + chalk * np.array([0.93, 0.97, 1.0], np.float32)


def woodcut(image: Array, context: Context) -> Array:
    """Pure black and white: parallel carved lines that swell with the darkness and bend with the form."""
    angle = context.vary(-0.5, 0.5) + np.pi / 2 * float(context.rng.random() < 0.5)
    pitch = context.px(context.vary(4.2, 5.2), 2.0)
    tone = adaptive_tone(blur(image, context.px(0.8)))
    form = blur(tone, context.px(3))
    rows, columns = grid(tone.shape)
    wobble = smooth_noise(tone.shape, context.px(9, 2), context.rng)
    across = rows * np.float32(np.cos(angle)) - columns * np.float32(np.sin(angle))
    phase = 2 * np.pi * (across / pitch + 1.6 * form + 0.5 * wobble)
    carve = 0.5 + 0.5 * np.cos(phase).astype(np.float32)
    chips = 0.12 * (smooth_noise(tone.shape, context.px(2.0, 1.0), context.rng) - 0.5)
    white = smoothstep(-0.08, 0.08, 0.12 + 0.82 * tone - 0.98 * (1 - carve) + chips)
    lines = contours(image, context.px(1.1), 0.35, 0.6)
    ink = np.maximum(1 - white, smoothstep(0.3, 0.7, lines))
    return _grey(0.97 - 0.93 * ink, (1.0, 0.99, 0.96))
