"""Graphic arts: pixel art, cartoon, pop art, mosaic, stained glass, halftone and low poly."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import Delaunay

from baselines.classical.common import (
    Array,
    Context,
    adaptive_tone,
    blur,
    cell_mean,
    contours,
    edge_strength,
    grid,
    jittered_cells,
    kuwahara,
    luma,
    paper,
    quantise,
    saturate,
    smoothstep,
)

# Dark to light; flat screen-print inks.
SCREEN_PRINT = [
    [(20, 20, 30), (230, 20, 110), (255, 205, 0), (255, 250, 235)],
    [(25, 15, 70), (240, 40, 40), (20, 180, 230), (255, 235, 60)],
    [(15, 15, 15), (0, 140, 210), (255, 90, 150), (255, 240, 40)],
    [(70, 0, 90), (255, 70, 30), (120, 220, 60), (255, 245, 120)],
    [(0, 40, 110), (225, 30, 60), (255, 150, 190), (250, 235, 40)],
]


def pixel_art(image: Array, context: Context) -> Array:
    """Large square pixels in a small palette, without smoothing."""
    block = context.px(context.vary(4.0, 5.2), 2.0)
    levels = int(context.rng.integers(4, 6))
    height, width = image.shape[:2]
    high, wide = max(2, round(height / block)), max(2, round(width / block))
    rows = np.arange(height) * high // height
    columns = np.arange(width) * wide // width
    labels = rows[:, None] * wide + columns[None, :]
    colours = saturate(cell_mean(image, labels, high * wide)[None], 1.5)[0]
    colours = np.clip((colours - 0.5) * 1.25 + 0.5, 0, 1)
    return (np.rint(colours * (levels - 1)) / (levels - 1))[labels]


def cartoon(image: Array, context: Context) -> Array:
    """Flat, bright colour fields and bold black outlines."""
    vivid = context.vary(1.7, 2.0)
    flat = kuwahara(blur(image, context.px(0.7)), max(2, round(context.px(3.5))))
    tone = luma(flat)
    steps = quantise(np.clip(1.1 * tone + 0.04, 0, 1), 5, 0.06)
    flat = flat * ((steps + 0.04) / np.maximum(tone, 0.04))[..., None]
    colour = saturate(np.clip(flat, 0, 1), vivid)
    ink = contours(image, context.px(1.25), 0.32, 0.5)
    return colour * np.array([1.0, 0.975, 0.88], np.float32) * (1 - ink)[..., None]


def _shift(tone: Array, dy: int, dx: int) -> Array:
    rows = np.clip(np.arange(tone.shape[0]) - dy, 0, tone.shape[0] - 1)
    columns = np.clip(np.arange(tone.shape[1]) - dx, 0, tone.shape[1] - 1)
    return tone[np.ix_(rows, columns)]


def pop_art(image: Array, context: Context) -> Array:
    """Four flat screen-print inks by brightness, slightly out of register."""
    palette = SCREEN_PRINT[int(context.rng.integers(len(SCREEN_PRINT)))]
    slip = context.px(context.vary(1.0, 2.0))
    turn = context.vary(0, 2 * np.pi)
    tone = ndimage.median_filter(adaptive_tone(blur(image, context.px(1.3))), size=3)
    inks = np.asarray(palette, np.float32) / 255
    canvas = np.empty_like(image)
    canvas[:] = inks[3]
    for rank, limit in ((2, 0.70), (1, 0.47), (0, 0.25)):
        angle = turn + 2.1 * rank
        dy, dx = round(slip * np.sin(angle)), round(slip * np.cos(angle))
        plate = _shift(tone, dy, dx) if rank else tone
        cover = smoothstep(-0.02, 0.02, limit - plate)[..., None]
        canvas = canvas * (1 - cover) + cover * inks[rank]
    return canvas


def mosaic(image: Array, context: Context) -> Array:
    """Small hand-cut stone tiles with pale grout."""
    pitch = context.px(context.vary(4.6, 5.4), 3.0)
    angle = context.vary(-0.35, 0.35)
    rows, columns = grid(image.shape)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    across, along = (rows * cos - columns * sin) / pitch, (rows * sin + columns * cos) / pitch
    across = across - across.min()
    lane = across.astype(np.int64)
    slide = context.rng.random(int(lane.max()) + 1, dtype=np.float32)
    along = along - along.min() + slide[lane]
    place = along.astype(np.int64)
    wide = int(place.max()) + 1
    labels = lane * wide + place
    count = int(labels.max()) + 1
    edge = np.minimum(0.5 - np.abs(across - lane - 0.5), 0.5 - np.abs(along - place - 0.5)) * pitch
    tiles = saturate(cell_mean(image, labels, count)[None], 1.35)[0]
    tiles = np.clip(tiles * context.rng.normal(1, 0.13, (count, 1)).astype(np.float32), 0.04, 0.95)
    gap = context.px(0.5, 0.4)
    bevel = np.where(across - lane < 0.3, 0.10, 0.0) - np.where(across - lane > 0.75, 0.12, 0.0)
    face = tiles[labels] + bevel[..., None].astype(np.float32)
    stone = smoothstep(gap - 0.5, gap + 0.5, edge)[..., None]
    return face * stone + (1 - stone) * np.array([0.86, 0.83, 0.77], np.float32)


def stained_glass(image: Array, context: Context) -> Array:
    """Large glowing panes of saturated glass held by black lead."""
    pitch = context.px(context.vary(11, 13.5), 5.0)
    cells = jittered_cells(image.shape, pitch, 0.95, context.rng)
    panes = saturate(cell_mean(image, cells.labels, cells.count)[None], 2.6)[0]
    panes = np.clip(panes * 1.2 + 0.04, 0, 1)
    tints = context.rng.normal(0, 0.10, panes.shape).astype(np.float32)
    panes = saturate(np.clip(panes + tints, 0, 1)[None], 1.5)[0]
    glow = 1.18 - 0.45 * cells.nearest / np.float32(pitch)
    glass = panes[cells.labels] * (glow * paper(image.shape[:2], context, 0.18))[..., None]
    half = context.px(0.8, 0.6)
    lead = smoothstep(half - 0.4, half + 0.6, (cells.second - cells.nearest) / 2)
    lead = lead * (1 - contours(image, context.px(1.5), 0.55, 0.8))
    return np.clip(glass, 0, 1) * lead[..., None] + 0.03 * (1 - lead[..., None])


def _screen(shape: tuple[int, ...], pitch: float, angle: float, phase: float) -> Array:
    rows, columns = grid(shape)
    turn = 2 * np.pi / pitch
    u = turn * (columns * np.cos(angle) + rows * np.sin(angle)) + phase
    v = turn * (rows * np.cos(angle) - columns * np.sin(angle)) + phase
    return (0.5 + 0.25 * (np.cos(u) + np.cos(v))).astype(np.float32)


def halftone_comic(image: Array, context: Context) -> Array:
    """Visible cyan, magenta and yellow printing dots, black key lines, cheap paper."""
    pitch = context.px(context.vary(4.4, 5.2), 2.5)
    tilt = context.vary(-0.1, 0.1)
    phase = context.vary(0, 2 * np.pi)
    vivid = saturate(blur(image, context.px(1.0)), 1.8)
    ink = np.clip(1.12 * (1 - vivid) - 0.06, 0, 1)
    sheet = np.empty_like(image)
    sheet[:] = np.array([0.98, 0.95, 0.86], np.float32)
    # Screen angles of four-colour printing, so that the dots do not beat.
    for channel, angle in enumerate((0.26, 1.31, 0.79)):
        screen = _screen(image.shape, pitch, angle + tilt, phase + channel)
        dot = smoothstep(-0.12, 0.12, ink[..., channel] + screen - 1.0 + 0.06)
        sheet[..., channel] *= 1 - 0.92 * dot
    key = np.maximum(contours(image, context.px(1.0), 0.35, 0.55), smoothstep(0.80, 0.88, 1 - adaptive_tone(image)))
    return sheet * (1 - 0.93 * key)[..., None]


def low_poly(image: Array, context: Context) -> Array:
    """Flat triangles whose corners gather on edges."""
    pitch = context.px(context.vary(8, 10), 4.0)
    height, width = image.shape[:2]
    edges = blur(edge_strength(image, context.px(1.2)), context.px(0.8))
    count = int(height * width / pitch**2 * 1.1) + 8
    weight = (edges**1.5 + 0.04).ravel().astype(np.float64)
    drawn = np.searchsorted(np.cumsum(weight), context.rng.random(count) * weight.sum())
    drawn = np.unique(np.minimum(drawn, height * width - 1))
    inner = np.stack(np.divmod(drawn, width), axis=1).astype(np.float64)
    inner = inner + context.rng.uniform(-0.3, 0.3, inner.shape) * context.scale
    steps_y = np.linspace(-1, height, max(2, round(height / pitch / 1.5)) + 1)
    steps_x = np.linspace(-1, width, max(2, round(width / pitch / 1.5)) + 1)
    frame = [(y, x) for y in steps_y for x in (-1, width)] + [(y, x) for x in steps_x[1:-1] for y in (-1, height)]
    mesh = Delaunay(np.concatenate([inner, np.asarray(frame)]))
    pixels = np.moveaxis(np.indices((height, width)), 0, -1).reshape(-1, 2).astype(np.float64)
    labels = np.maximum(mesh.find_simplex(pixels), 0).astype(np.int64).reshape(height, width)
    faces = saturate(cell_mean(image, labels, len(mesh.simplices))[None], 1.35)[0]
    shade = context.rng.normal(0, 0.065, (len(faces), 1)).astype(np.float32)
    return np.clip(faces * 1.03 + shade, 0, 1)[labels]
