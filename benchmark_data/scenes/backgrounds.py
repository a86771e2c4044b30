"""Backdrops: where a scene takes place, with the horizon things stand below.

Each painter takes a random generator and the side of the (square) canvas, and returns the picture and the
height of the horizon as a fraction of the canvas, or None where there is no ground to stand on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from benchmark_data.scenes.noise import fractal, value_noise
from benchmark_data.scenes.palette import COLOURS, Colour, darker, jitter, lighter, mix

Backdrop = tuple[np.ndarray, float | None]
Painter = Callable[[np.random.Generator, int], Backdrop]


def _ramp(side: int, top: Colour, bottom: Colour) -> np.ndarray:
    t = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    row = np.asarray(top, np.float32) * (1 - t) + np.asarray(bottom, np.float32) * t
    return np.repeat(row, side, axis=1)


def _blend(picture: np.ndarray, colour: Colour | np.ndarray, amount: np.ndarray) -> np.ndarray:
    share = np.clip(amount, 0, 1)[..., None]
    return picture * (1 - share) + np.asarray(colour, np.float32) * share


def _below(side: int, line: np.ndarray | float) -> np.ndarray:
    rows = np.arange(side, dtype=np.float32)[:, None] / side
    return np.clip((rows - line) * side + 0.5, 0, 1) * np.ones((1, side), np.float32)


def _ridge(rng: np.random.Generator, side: int, height: float, rough: float, cells: int = 4) -> np.ndarray:
    return height + rough * fractal(rng, (1, side), (2, cells), 4)


def _pick(rng: np.random.Generator, names: str) -> Colour:
    options = names.split()
    return jitter(COLOURS[options[rng.integers(0, len(options))]], rng)


def _perspective(
    side: int, horizon: float, rng: np.random.Generator, turn: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ground coordinates (across, away) of every pixel, and the depth, for a flat floor below the horizon."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side
    depth = 0.35 / np.maximum(rows - horizon + 0.06, 0.03)
    across = (columns - 0.5 - float(rng.uniform(-0.2, 0.2))) * depth * 2
    c, s = math.cos(turn), math.sin(turn)
    return c * across + s * depth, -s * across + c * depth, depth


def _sky(rng: np.random.Generator, side: int) -> np.ndarray:
    moods = [
        ((0.28, 0.52, 0.85), (0.80, 0.90, 0.97)),
        ((0.35, 0.45, 0.70), (0.98, 0.78, 0.60)),
        ((0.55, 0.62, 0.70), (0.86, 0.87, 0.88)),
        ((0.20, 0.28, 0.52), (0.90, 0.55, 0.48)),
        ((0.45, 0.70, 0.92), (0.93, 0.95, 0.90)),
    ]
    top, bottom = moods[rng.integers(0, len(moods))]
    picture = _ramp(side, jitter(top, rng), jitter(bottom, rng))
    clouds = fractal(rng, (side, side), (6, 3), 4)
    return _blend(picture, lighter(bottom, 0.7), np.clip((clouds - rng.uniform(0.0, 0.3)) * 2.6, 0, 0.9))


def _hills(rng: np.random.Generator, side: int, horizon: float, colour: Colour) -> np.ndarray:
    picture = _sky(rng, side)
    for k in range(int(rng.integers(1, 4)), 0, -1):
        line = _ridge(rng, side, horizon - 0.06 * k, 0.07 + 0.02 * k)
        tone = mix(colour, (0.72, 0.80, 0.88), 0.25 * k)
        rough = 1 + 0.12 * fractal(rng, (side, side), (10, 10), 3)[..., None]
        picture = _blend(picture, np.asarray(tone, np.float32) * rough, _below(side, line))
    return picture


def meadow(rng: np.random.Generator, side: int) -> Backdrop:
    """Grass under a sky with hills."""
    horizon = float(rng.uniform(0.35, 0.6))
    grass = jitter((0.36, 0.58, 0.22), rng, 0.06)
    picture = _hills(rng, side, horizon, darker(grass, 0.15))
    ground = _ramp(side, lighter(grass, 0.2), darker(grass, 0.15))
    blades = fractal(rng, (side, side), (side // 10, side // 3), 2)
    patches = fractal(rng, (side, side), (10, 4), 3)
    ground = ground * (1 + 0.22 * blades + 0.16 * patches)[..., None]
    if rng.random() < 0.5:
        petals = value_noise(rng, (side, side), (side // 4, side // 4)) > 0.86
        ground = _blend(ground, _pick(rng, "white yellow pink purple"), petals * 0.9)
    return _blend(picture, ground, _below(side, _ridge(rng, side, horizon, 0.01))), horizon


def desert(rng: np.random.Generator, side: int) -> Backdrop:
    """Sand with wind ripples and dunes."""
    horizon = float(rng.uniform(0.4, 0.6))
    sand = jitter((0.85, 0.68, 0.42), rng, 0.05)
    picture = _hills(rng, side, horizon, darker(sand, 0.2))
    across, away, _ = _perspective(side, horizon, rng, 0.2)
    ripples = np.sin(away * 26 + 3 * fractal(rng, (side, side), (5, 5), 3) + across)
    ground = _ramp(side, lighter(sand, 0.15), sand) * (1 + 0.07 * ripples * _below(side, horizon + 0.08))[..., None]
    return _blend(picture, ground, _below(side, _ridge(rng, side, horizon, 0.02))), horizon


def snow(rng: np.random.Generator, side: int) -> Backdrop:
    """A snowfield before dark firs, with falling flakes."""
    horizon = float(rng.uniform(0.42, 0.58))
    picture = _sky(rng, side)
    teeth = np.abs((np.arange(side) / side * rng.uniform(14, 22)) % 1 - 0.5)[None, :]
    firs = _ridge(rng, side, horizon - 0.16, 0.08) + 0.14 * teeth
    picture = _blend(picture, jitter((0.20, 0.32, 0.30), rng), _below(side, firs.astype(np.float32)))
    ground = _ramp(side, (0.97, 0.98, 1.0), (0.80, 0.86, 0.95))
    ground = ground * (1 + 0.05 * fractal(rng, (side, side), (12, 5), 4))[..., None]
    picture = _blend(picture, ground, _below(side, _ridge(rng, side, horizon, 0.04)))
    flakes = value_noise(rng, (side, side), (side // 5, side // 5)) > 0.93
    return _blend(picture, (1.0, 1.0, 1.0), flakes * 0.85), horizon


def street(rng: np.random.Generator, side: int) -> Backdrop:
    """A road before a row of buildings."""
    horizon = float(rng.uniform(0.45, 0.6))
    canvas = Image.fromarray((_sky(rng, side) * 255).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    x = -0.05
    while x < 1:
        width, top = float(rng.uniform(0.12, 0.26)), float(horizon - rng.uniform(0.14, 0.46))
        wall = mix(_pick(rng, "brown grey orange teal white pink"), (0.6, 0.6, 0.65), 0.5)
        draw.rectangle((x * side, top * side, (x + width) * side - 1, horizon * side), fill=_bytes(wall))
        pane = _bytes(lighter(wall, 0.55) if rng.random() < 0.6 else darker(wall, 0.5))
        step = 0.06
        for row in np.arange(top + 0.03, horizon - 0.05, step):
            for column in np.arange(x + 0.025, x + width - 0.03, step):
                draw.rectangle((column * side, row * side, (column + 0.027) * side, (row + 0.035) * side), fill=pane)
        x += width
    picture = np.asarray(canvas, np.float32) / 255
    tar = jitter((0.36, 0.36, 0.39), rng)
    across, _, depth = _perspective(side, horizon, rng)
    gravel = 1 + 0.1 * fractal(rng, (side, side), (side // 3, side // 3), 2)
    ground = _ramp(side, lighter(tar, 0.15), tar) * gravel[..., None]
    rows = np.arange(side, dtype=np.float32)[:, None] / side * np.ones((1, side), np.float32)
    ground = _blend(ground, (0.66, 0.65, 0.63), (rows < horizon + 0.07) * 1.0)
    dash = (np.abs(rows - horizon - 0.28) < 0.012) & (np.sin(across / depth * 40) > -0.2)
    ground = _blend(ground, (0.93, 0.88, 0.7), dash * 0.9)
    return _blend(picture, ground, _below(side, horizon)), horizon


def garden(rng: np.random.Generator, side: int) -> Backdrop:
    """Paving before a brick wall."""
    horizon = float(rng.uniform(0.5, 0.66))
    picture = _bricks(rng, side)
    stone = mix(_pick(rng, "grey brown white"), (0.6, 0.58, 0.55), 0.5)
    across, away, _ = _perspective(side, horizon - 0.2, rng)
    ground = _tiles(rng, side, across * 3, away * 3, stone, darker(stone, 0.12))
    return _blend(picture, ground, _below(side, horizon)), horizon


def _bricks(rng: np.random.Generator, side: int) -> np.ndarray:
    rows = int(rng.integers(9, 15))
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    row = np.floor(y * rows)
    u, v = (x * rows / 2.2 + 0.5 * (row % 2)), y * rows
    tone = rng.uniform(-0.16, 0.16, (64, 64)).astype(np.float32)[row.astype(int) % 64, np.floor(u).astype(int) % 64]
    brick = mix(_pick(rng, "red brown orange white grey"), (0.55, 0.42, 0.36), 0.45)
    grain = 0.1 * fractal(rng, (side, side), (side // 4, side // 4), 2)
    picture = np.asarray(brick, np.float32) * (1 + tone + grain)[..., None]
    edge = np.minimum(np.minimum(u % 1, 1 - u % 1) * 2.2, np.minimum(v % 1, 1 - v % 1))
    return _blend(picture, lighter(brick, 0.45), 1 - np.clip((edge - 0.05) * 14, 0, 1))


def _tiles(
    rng: np.random.Generator, side: int, u: np.ndarray, v: np.ndarray, first: Colour, second: Colour
) -> np.ndarray:
    """Checks whose edges are softened by their own size on screen."""
    soft = np.maximum(np.abs(np.gradient(u, axis=1)), np.abs(np.gradient(v, axis=0))) * math.pi
    wave = np.sin(u * math.pi) * np.sin(v * math.pi)
    share = np.clip(wave / np.maximum(soft, 0.02) * 0.5 + 0.5, 0, 1)
    picture = np.asarray(first, np.float32) * np.ones((side, side, 1), np.float32)
    grain = 1 + 0.06 * fractal(rng, (side, side), (12, 12), 3)
    return _blend(picture, second, share) * grain[..., None]


def _planks(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, wood: Colour) -> np.ndarray:
    """Wooden boards running along v."""
    board = np.floor(u).astype(int)
    tone = rng.uniform(-0.13, 0.13, 64).astype(np.float32)[board % 64]
    table = fractal(rng, (64, 256), (6, 40), 3)
    rows = (v * 5 + board * 17) % 63
    columns = (u * 60 + board * 31) % 255
    grain = ndimage.map_coordinates(table, [rows, columns], order=1, mode="nearest")
    picture = np.asarray(wood, np.float32) * (1 + tone + 0.17 * grain)[..., None]
    soft = np.maximum(np.abs(np.gradient(u, axis=1)), 0.01)
    gap = np.clip(1 - np.minimum(u % 1, 1 - u % 1) / np.maximum(0.03, soft), 0, 1)
    return _blend(picture, darker(wood, 0.6), gap * 0.8)


def _wallpaper(rng: np.random.Generator, side: int) -> np.ndarray:
    base = mix(_pick(rng, "teal blue yellow pink green white grey orange purple"), (0.9, 0.88, 0.84), 0.45)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    kind, count = rng.integers(0, 4), float(rng.integers(7, 13))
    picture = _ramp(side, base, darker(base, 0.12))
    other = lighter(base, 0.35) if rng.random() < 0.5 else darker(base, 0.2)
    soft = count / side * 4
    if kind == 0:
        share = np.sin(x * count * math.pi * 2) / soft
    elif kind == 1:
        share = (np.cos(x * count * math.pi * 2) * np.cos(y * count * math.pi * 2) - 0.6) / soft
    elif kind == 2:
        share = np.sin((x + y) * count * math.pi) * np.sin((x - y) * count * math.pi) / soft
    else:
        share = fractal(rng, (side, side), (5, 5), 4) * 0.6 - 0.5
    return _blend(picture, other, np.clip(share * 0.5 + 0.5, 0, 1) * 0.8)


def room(rng: np.random.Generator, side: int) -> Backdrop:
    """A papered wall above a wooden, tiled or carpeted floor."""
    horizon = float(rng.uniform(0.5, 0.68))
    picture = _wallpaper(rng, side)
    across, away, _ = _perspective(side, horizon - 0.18, rng)
    kind = rng.integers(0, 3)
    if kind == 0:
        ground = _planks(rng, across * 4, away * 2, jitter((0.62, 0.42, 0.25), rng, 0.07))
    elif kind == 1:
        tile = _pick(rng, "white grey yellow")
        ground = _tiles(rng, side, across * 3, away * 3, tile, mix(_pick(rng, "black blue green red brown"), tile, 0.2))
    else:
        wool = mix(_pick(rng, "red blue green purple grey brown"), (0.6, 0.55, 0.5), 0.4)
        pile = 1 + 0.2 * fractal(rng, (side, side), (side // 3, side // 2), 2)
        ground = _ramp(side, wool, darker(wool, 0.15)) * pile[..., None]
    picture = _blend(picture, ground, _below(side, horizon))
    skirting = _below(side, horizon - 0.035) - _below(side, horizon)
    return _blend(picture, (0.92, 0.9, 0.86), skirting), horizon


def table(rng: np.random.Generator, side: int) -> Backdrop:
    """A table top before a blurred room."""
    horizon = float(rng.uniform(0.4, 0.6))
    blurred = _discs(rng, side, mix(_pick(rng, "brown teal grey blue green"), (0.5, 0.46, 0.42), 0.5), 10)
    across, away, _ = _perspective(side, horizon - 0.25, rng)
    kind = rng.integers(0, 3)
    if kind < 2:
        ground = _planks(rng, across * 2.2, away, jitter((0.66, 0.44, 0.26), rng, 0.1))
    else:
        cloth = _pick(rng, "red blue green teal orange")
        ground = _tiles(rng, side, across * 3.4, away * 3.4, (0.95, 0.94, 0.91), mix(cloth, (1.0, 1.0, 1.0), 0.25))
    return _blend(blurred, ground, _below(side, horizon)), horizon


def _discs(rng: np.random.Generator, side: int, base: Colour, count: int) -> np.ndarray:
    canvas = Image.fromarray((_ramp(side, lighter(base, 0.15), darker(base, 0.25)) * 255).clip(0, 255).astype(np.uint8))
    layer = canvas.copy()
    draw = ImageDraw.Draw(layer)
    for _ in range(count):
        x, y, radius = (float(v) for v in rng.uniform((0, 0, 0.03), (1, 1, 0.13)) * side)
        paint = mix(_pick(rng, "yellow orange pink white teal purple green blue"), base, float(rng.uniform(0.2, 0.7)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_bytes(paint))
    soft = layer.filter(ImageFilter.GaussianBlur(side / 70))
    return np.asarray(Image.blend(canvas, soft, 0.75), np.float32) / 255


def bokeh(rng: np.random.Generator, side: int) -> Backdrop:
    """Out-of-focus lights."""
    base = mix(_pick(rng, "black blue purple green brown"), (0.1, 0.1, 0.16), 0.45)
    return _discs(rng, side, base, 26), None


def studio(rng: np.random.Generator, side: int) -> Backdrop:
    """A seamless coloured backdrop with a floor that curves up."""
    paper = _pick(rng, "teal blue yellow pink green grey orange purple white red")
    base = mix(paper, (0.8, 0.8, 0.8), float(rng.uniform(0.1, 0.5)))
    horizon = float(rng.uniform(0.5, 0.66))
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side
    glow = np.exp(-(((columns - rng.uniform(0.3, 0.7)) / 0.5) ** 2) - ((rows - 0.4) / 0.45) ** 2)
    floor = np.clip((rows - horizon) / 0.12 + 0.5, 0, 1)
    picture = np.asarray(base, np.float32) * (0.72 + 0.34 * glow + 0.14 * floor)[..., None]
    return picture * (1 + 0.03 * fractal(rng, (side, side), (8, 8), 4))[..., None], horizon


def plaster(rng: np.random.Generator, side: int) -> Backdrop:
    """Rough paint seen straight on."""
    base = mix(_pick(rng, "orange blue teal pink white yellow grey green"), (0.75, 0.72, 0.68), 0.4)
    height = fractal(rng, (side, side), (7, 7), 5)
    down, right = np.gradient(height)
    lit = 1 + np.clip((down + right) * side / 110, -0.2, 0.2) + 0.1 * fractal(rng, (side, side), (3, 3), 2)
    return np.asarray(base, np.float32) * lit[..., None], None


def checks(rng: np.random.Generator, side: int) -> Backdrop:
    """A flat pattern of checks, stripes or dots."""
    return _wallpaper(rng, side), None


def planks(rng: np.random.Generator, side: int) -> Backdrop:
    """Boards seen straight on."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    u, v = (x, y) if rng.random() < 0.5 else (y, x)
    count = float(rng.integers(4, 8))
    wood = mix(jitter((0.62, 0.42, 0.25), rng, 0.08), _pick(rng, "brown white teal grey"), 0.35)
    u = u * count
    board = np.floor(u).astype(int)
    tone = rng.uniform(-0.13, 0.13, 16).astype(np.float32)[board % 16]
    grain = fractal(rng, (side, side), (6, side // 4) if v is y else (side // 4, 6), 2)
    picture = np.asarray(wood, np.float32) * (1 + tone + 0.2 * grain)[..., None]
    gap = np.clip(1 - np.minimum(u % 1, 1 - u % 1) / 0.05, 0, 1)
    return _blend(picture, darker(wood, 0.6), gap * 0.8), None


def sky(rng: np.random.Generator, side: int) -> Backdrop:
    """Nothing but sky."""
    return _sky(rng, side), None


def night(rng: np.random.Generator, side: int) -> Backdrop:
    """A starry sky with a moon over dark hills."""
    top, bottom = jitter((0.04, 0.05, 0.16), rng, 0.02), jitter((0.20, 0.20, 0.42), rng, 0.05)
    picture = _ramp(side, top, bottom)
    glow = fractal(rng, (side, side), (3, 3), 4)
    picture = _blend(picture, _pick(rng, "purple teal blue pink"), np.clip(glow - 0.1, 0, 0.45))
    stars = np.clip((value_noise(rng, (side, side), (side // 3, side // 3)) - 0.82) * 9, 0, 1)
    picture = _blend(picture, (1.0, 1.0, 0.95), stars)
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side
    distance = np.hypot(columns - rng.uniform(0.1, 0.9), rows - rng.uniform(0.08, 0.3))
    picture = _blend(picture, (0.97, 0.94, 0.82), np.clip((0.06 - distance) * side, 0, 1))
    horizon = float(rng.uniform(0.62, 0.75))
    hill = np.asarray(jitter((0.12, 0.17, 0.22), rng, 0.03), np.float32)
    ground = hill * (1 + 0.25 * fractal(rng, (side, side), (20, 20), 3))[..., None]
    return _blend(picture, ground, _below(side, _ridge(rng, side, horizon, 0.06))), horizon


def _waves(rng: np.random.Generator, side: int, horizon: float, water: Colour) -> np.ndarray:
    _, away, _ = _perspective(side, horizon, rng)
    swell = np.sin(away * 40 + 5 * fractal(rng, (side, side), (14, 4), 3))
    chop = fractal(rng, (side, side), (side // 5, side // 14), 2)
    ground = _ramp(side, lighter(water, 0.4), darker(water, 0.1)) * (1 + 0.07 * swell + 0.12 * chop)[..., None]
    return _blend(ground, (0.95, 0.98, 1.0), np.clip((chop + 0.4 * swell - 0.62) * 4, 0, 0.7))


def sea(rng: np.random.Generator, side: int) -> Backdrop:
    """Open water under a sky."""
    horizon = float(rng.uniform(0.38, 0.55))
    picture = _sky(rng, side)
    if rng.random() < 0.5:
        isle = _ridge(rng, side, horizon - 0.02, 0.1, 3)
        picture = _blend(picture, jitter((0.45, 0.55, 0.62), rng), _below(side, isle))
    water = jitter([(0.10, 0.38, 0.58), (0.10, 0.50, 0.56), (0.22, 0.34, 0.48)][rng.integers(0, 3)], rng)
    return _blend(picture, _waves(rng, side, horizon, water), _below(side, horizon)), horizon


def beach(rng: np.random.Generator, side: int) -> Backdrop:
    """Sand before the sea."""
    horizon = float(rng.uniform(0.5, 0.64))
    coast = horizon - 0.16
    water = jitter((0.12, 0.48, 0.62), rng)
    picture = _blend(_sky(rng, side), _waves(rng, side, coast, water), _below(side, coast))
    sand = jitter((0.90, 0.78, 0.56), rng)
    grain = 1 + 0.1 * fractal(rng, (side, side), (side // 4, side // 4), 3)
    ground = _ramp(side, sand, darker(sand, 0.1)) * grain[..., None]
    shore = _ridge(rng, side, horizon, 0.03)
    picture = _blend(picture, (0.97, 0.98, 0.97), _below(side, shore - 0.02))
    return _blend(picture, ground, _below(side, shore)), horizon


def underwater(rng: np.random.Generator, side: int) -> Backdrop:
    """Below the surface: shafts of light, plants and a sandy bed."""
    top, bottom = jitter((0.30, 0.72, 0.80), rng), jitter((0.03, 0.20, 0.40), rng)
    picture = _ramp(side, top, bottom)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    rays = np.sin((x + 0.35 * y) * 22 + 2 * value_noise(rng, (side, side), (2, 4)))
    picture = _blend(picture, (0.85, 0.97, 0.97), np.clip(rays * 0.22 * (1 - y), 0, 1))
    bed = _ridge(rng, side, float(rng.uniform(0.84, 0.92)), 0.05)
    sand = np.asarray(jitter((0.72, 0.66, 0.48), rng), np.float32)
    grain = 1 + 0.14 * fractal(rng, (side, side), (side // 4, side // 4), 2)
    picture = _blend(picture, sand * grain[..., None], _below(side, bed))
    for _ in range(int(rng.integers(2, 7))):
        foot, tall, lean = rng.uniform(0, 1), rng.uniform(0.2, 0.5), rng.uniform(-0.06, 0.06)
        height = np.clip((0.97 - y) / tall, 0, 1)
        middle = foot + lean * np.sin(height * 6)
        blade = np.clip((0.022 * (1 - height) + 0.004 - np.abs(x - middle)) * side, 0, 1) * (height > 0) * (height < 1)
        picture = _blend(picture, jitter((0.12, 0.42, 0.26), rng, 0.05), blade)
    bubbles = value_noise(rng, (side, side), (side // 6, side // 6)) > 0.92
    return _blend(picture, (0.9, 1.0, 1.0), bubbles * 0.5), None


def _bytes(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (round(255 * min(max(c, 0.0), 1.0)) for c in colour)
    return red, green, blue


BACKDROPS: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (
        meadow, desert, snow, street, garden, room, table, bokeh, studio, plaster,
        checks, planks, sky, night, sea, beach, underwater,
    )
}  # fmt: skip
"""Every backdrop by name."""
