"""Paintings: watercolor, oil, expressionism and pointillism."""

from __future__ import annotations

import numpy as np

from baselines.classical.common import (
    Array,
    Context,
    adaptive_tone,
    blur,
    contours,
    flow,
    gradient_map,
    jittered_cells,
    kuwahara,
    luma,
    paper,
    quantise,
    saturate,
    smooth_noise,
    streamlines,
    warp,
)

# Dark to light; each pairs complementary hues, as the painters of Die Bruecke did.
EXPRESSIVE = [
    [(18, 16, 60), (20, 70, 150), (200, 40, 50), (250, 140, 20), (255, 226, 90)],
    [(24, 12, 50), (110, 30, 130), (20, 130, 110), (240, 110, 30), (250, 220, 80)],
    [(10, 30, 50), (0, 95, 105), (190, 30, 70), (240, 170, 30), (240, 240, 130)],
    [(30, 10, 40), (40, 50, 170), (40, 150, 90), (235, 80, 40), (255, 205, 60)],
]


def watercolor(image: Array, context: Context) -> Array:
    """Pale transparent washes with dark pigment rims on white, grainy paper."""
    lift = context.vary(0.30, 0.38)
    wet = warp(image, context.px(1.6), context.px(6, 2), context.rng)
    flat = kuwahara(blur(wet, context.px(0.8)), max(2, round(context.px(3.5))))
    washes = quantise(blur(flat, context.px(0.5)), 6, 0.3)
    rim = luma(np.clip(blur(washes, context.px(1.8)) - washes, 0, 1)) * 1.8
    shape = image.shape[:2]
    flood = smooth_noise(shape, context.px(18, 4), context.rng)
    pigment = (1 - saturate(washes, 1.7)) * (0.62 + 0.55 * flood)[..., None]
    grain = paper(shape, context, 0.35)[..., None]
    density = np.clip(pigment * grain * (1 - lift) + rim[..., None] * 0.6, 0, 1)
    white = np.array([0.99, 0.985, 0.965], np.float32) * paper(shape, context, 0.06)[..., None]
    return white * (1 - density)


def _relief(height: Array, amount: float, span: int) -> Array:
    """Light a height map from the upper left."""
    padded = np.pad(height, span, mode="edge")
    lit = padded[2 * span :, 2 * span :] - padded[: -2 * span, : -2 * span]
    return amount * lit


def oil_painting(image: Array, context: Context) -> Array:
    """Thick natural-coloured paint: smeared patches and ridged brush strokes catching the light."""
    warm = context.vary(0.90, 0.98)
    direction = flow(image, context, context.px(3), 0.4, context.px(28, 6))
    patches = kuwahara(image, max(2, round(context.px(3))))
    bristles = smooth_noise(image.shape[:2], context.px(1.6, 1.0), context.rng)
    dabs = patches * (1 + 0.5 * (bristles - 0.5))[..., None]
    paint = streamlines(np.dstack([dabs, 2.2 * bristles]), direction, context.px(5, 2), 6)
    colour = saturate(paint[..., :3], 1.45)
    ridge = _relief(paint[..., 3], 0.32, max(1, round(0.7 * context.scale)))
    colour = np.clip((colour - 0.5) * 1.15 + 0.47 + ridge[..., None], 0, 1)
    return colour * np.array([1.0, 0.965, warm * 0.92], np.float32)


def expressionism(image: Array, context: Context) -> Array:
    """Swirling strokes of complementary, unnatural colours within dark contours."""
    palette = EXPRESSIVE[int(context.rng.integers(len(EXPRESSIVE)))]
    bend = context.vary(1.0, 1.6)
    bent = warp(image, context.px(2.0), context.px(16, 4), context.rng)
    direction = flow(bent, context, context.px(4), bend, context.px(22, 5))
    shape = image.shape[:2]
    noise = smooth_noise(shape, context.px(2.2, 1.0), context.rng)
    tone = adaptive_tone(blur(bent, context.px(1.2)))
    layers = np.dstack([tone, noise, saturate(bent, 2.2)])
    smeared = streamlines(layers, direction, context.px(8, 2), 8)
    strokes = np.clip((smeared[..., 1] - 0.5) * 3.0, -0.6, 0.6)
    colour = gradient_map(quantise(np.clip(smeared[..., 0] + 0.34 * strokes, 0, 1), 6, 0.25), palette)
    colour = 0.74 * colour + 0.26 * smeared[..., 2:]
    dark = contours(bent, context.px(1.6), 0.35, 0.75)
    dark = streamlines(dark, direction, context.px(3, 1), 4)
    return saturate(colour * (1 + 0.25 * strokes)[..., None], 1.25) * (1 - 0.9 * dark)[..., None]


def pointillism(image: Array, context: Context) -> Array:
    """Separate round dots of pure colour on a cream ground."""
    size = context.vary(0.92, 1.12)
    canvas = np.empty_like(image)
    canvas[:] = np.array([0.95, 0.92, 0.82], np.float32)
    vivid = saturate(blur(image, context.px(1.2)), 1.9)
    for pitch, radius, spread in ((3.9, 2.1, 0.14), (3.4, 1.4, 0.20)):
        cells = jittered_cells(image.shape, context.px(pitch * size, 2), 0.75, context.rng)
        colours = vivid[cells.rows, cells.columns]
        # Divisionism: neighbouring dots deviate in hue and mix in the eye.
        shift = context.rng.normal(0, spread, colours.shape).astype(np.float32)
        shift -= 0.75 * shift.mean(axis=1, keepdims=True)
        colours = np.clip(colours + shift, 0, 1)
        cover = np.clip(context.px(radius * size, 1.0) - cells.nearest + 0.5, 0, 1)[..., None]
        canvas = canvas * (1 - cover) + cover * colours[cells.labels]
    return canvas
