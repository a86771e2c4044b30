"""Plants and fruit, each drawn by `name(pen, rng, colour)` in coordinates of about [-1, 1], y down."""

from __future__ import annotations

import numpy as np

from benchmark_data.scenes.palette import COLOURS, Colour, darker, lighter, mix
from benchmark_data.scenes.pen import Pen, Point, path, ring, smooth

BARK: Colour = (0.42, 0.28, 0.17)
LEAF: Colour = (0.25, 0.55, 0.22)
CLAY: Colour = (0.76, 0.42, 0.27)


def tree(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A broad-leaved tree or a conifer."""
    pen.layer(0.6, "wood")
    pen.poly(path("-0.11,0.1 0.11,0.1 0.13,0.8 0.24,1 -0.24,1 -0.13,0.8"), BARK)
    if rng.random() < 0.35:
        for k in range(4):
            top, half = -1.0 + 0.38 * k, 0.34 + 0.13 * k
            pen.layer(0.6, "leaf")
            edge: list[Point] = [
                (half * t, top + 0.62 + (0.07 if i % 2 else 0.0)) for i, t in enumerate(np.linspace(1, -1, 9))
            ]
            pen.poly([(0.0, top), *edge], mix(colour, darker(colour, 0.3), 0.8 - 0.26 * k))
        return
    pen.layer(0.4, "wood")
    for side in (-1, 1):
        pen.line([(0.0, 0.45), (0.3 * side, 0.05)], 0.1, BARK, 0.06)
    places = [
        (0.0, -0.62, 0.36),
        (-0.42, -0.4, 0.34),
        (0.42, -0.4, 0.34),
        (-0.55, -0.06, 0.3),
        (0.55, -0.06, 0.3),
        (0.0, -0.16, 0.44),
    ]
    pen.layer(0.6, "leaf")
    for x, y, radius in places:
        pen.ellipse(x, y, radius, radius * 0.95, darker(colour, 0.18))
    for x, y, radius in places:
        wobble = rng.normal(0, 0.03, 2)
        pen.layer(0.55, "leaf")
        pen.ellipse(x + wobble[0], y + wobble[1] - 0.02, radius * 0.82, radius * 0.76, colour)


def flower(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A flower on a stem with two leaves."""
    petals, heart = int(rng.integers(5, 10)), COLOURS[["yellow", "orange", "brown"][rng.integers(0, 3)]]
    bend = float(rng.uniform(-0.12, 0.12))
    pen.layer(0.5)
    pen.line(smooth([(0, -0.35), (bend, 0.3), (0, 1.0)], 6, closed=False), 0.09, LEAF)
    pen.layer(0.5, "", ("bands", darker(LEAF, 0.25), 8.0))
    pen.curve([(bend, 0.65), (0.28, 0.3), (0.62, 0.22), (0.45, 0.52)], LEAF)
    pen.curve([(bend, 0.8), (-0.26, 0.5), (-0.58, 0.45), (-0.4, 0.72)], LEAF)
    width = 1.35 / petals + 0.05
    for k, (x, y) in enumerate(ring(petals, 0.36)):
        pen.layer(0.5, "grain")
        pen.ellipse(x, y - 0.38, 0.27, width, mix(colour, lighter(colour, 0.3), 0.5 * (k % 2)), 360 * k / petals - 90)
    pen.layer(0.6, "grain", ("spots", darker(heart, 0.4), 10.0))
    pen.ellipse(0, -0.38, 0.19, 0.19, heart)


def mushroom(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A mushroom with a spotted cap."""
    stem: Colour = (0.93, 0.89, 0.8)
    pen.layer(0.6, "grain")
    pen.curve(path("-0.2,-0.1 0.2,-0.1 0.22,0.4 0.34,0.85 0.2,0.99 -0.2,0.99 -0.34,0.85 -0.22,0.4"), stem)
    pen.layer(0.2, "", ("stripes", darker(stem, 0.4), 16.0))
    pen.ellipse(0, 0.02, 0.8, 0.17, darker(stem, 0.12))
    pen.layer(0.7)
    pen.curve(path("-0.92,0 -0.8,-0.44 -0.4,-0.82 0,-0.92 0.4,-0.82 0.8,-0.44 0.92,0 0.5,0.06 0,0 -0.5,0.06"), colour)
    pen.glint(-0.35, -0.6, 0.2, 0.35)
    pen.layer(0.4)
    spot = (0.97, 0.95, 0.9) if min(colour) < 0.6 else (0.78, 0.2, 0.16)
    for x, y, radius in (
        (-0.5, -0.4, 0.13),
        (0.02, -0.62, 0.15),
        (0.48, -0.42, 0.12),
        (0.18, -0.24, 0.11),
        (-0.22, -0.2, 0.09),
        (0.7, -0.12, 0.07),
        (-0.72, -0.1, 0.07),
    ):
        size = radius * float(rng.uniform(0.75, 1.15))
        pen.ellipse(x, y, size, size * 0.85, spot)


def _fruit_top(pen: Pen, rng: np.random.Generator, y: float) -> None:
    pen.layer(0.4)
    pen.line([(0.0, y + 0.2), (0.03, y), (0.1, y - 0.16)], 0.085, BARK)
    if rng.random() < 0.8:
        pen.layer(0.5, "", ("bands", darker(LEAF, 0.3), 9.0))
        pen.curve([(0.06, y), (0.25, y - 0.22), (0.58, y - 0.2), (0.38, y + 0.02)], LEAF)


def apple(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """An apple with stalk and leaf."""
    blush = mix(colour, COLOURS["yellow"], 0.5)
    pen.layer(0.75, "grain", ("stripes", blush, 2.0) if rng.random() < 0.4 else None)
    half: list[Point] = path("0.12,-0.56 0.45,-0.68 0.8,-0.42 0.88,0.1 0.68,0.68 0.32,0.97 0.1,0.9")
    pen.curve([*half, *[(-x, y) for x, y in reversed(half)]], colour)
    pen.glint(-0.4, -0.28, 0.2, 0.75)
    pen.layer(0.0)
    pen.ellipse(0, -0.54, 0.2, 0.055, darker(colour, 0.45))
    _fruit_top(pen, rng, -0.72)


def pear(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A pear with stalk and leaf."""
    pen.layer(0.75, "grain", ("spots", darker(colour, 0.25), 9.0) if rng.random() < 0.5 else None)
    half: list[Point] = path("0.12,-0.68 0.26,-0.5 0.32,-0.18 0.56,0.14 0.66,0.52 0.48,0.86 0.18,0.97")
    pen.curve([*half, *[(-x, y) for x, y in reversed(half)]], colour)
    pen.glint(-0.24, 0.3, 0.18, 0.7)
    _fruit_top(pen, rng, -0.78)


def cactus(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A cactus in a clay pot."""
    pattern = ("stripes", darker(colour, 0.35), 7.0)
    tall = float(rng.uniform(-0.98, -0.85))
    for side, low, high in ((-1, 0.12, -0.28), (1, -0.06, -0.5)):
        pen.layer(0.6, "", pattern)
        pen.line(
            smooth([(0.1 * side, low), (0.46 * side, low - 0.02), (0.5 * side, high)], 6, closed=False), 0.25, colour
        )
    pen.layer(0.7, "", pattern)
    pen.line([(0, tall + 0.24), (0, 0.4)], 0.48, colour)
    pen.layer(0.0)
    for x, y in ((-0.12, -0.5), (0.08, -0.3), (-0.1, -0.05), (0.12, 0.1), (0.05, -0.68), (-0.48, -0.15), (0.5, -0.3)):
        pen.line([(x - 0.04, y - 0.04), (x + 0.04, y + 0.04)], 0.022, (0.97, 0.97, 0.88))
        pen.line([(x + 0.04, y - 0.04), (x - 0.04, y + 0.04)], 0.022, (0.97, 0.97, 0.88))
    if rng.random() < 0.5:
        pen.layer(0.4)
        for x, y in ring(5, 0.1):
            pen.ellipse(x, tall + 0.04 + y, 0.08, 0.08, COLOURS["pink"])
    pen.layer(0.6, "grain")
    pen.poly(path("-0.4,0.44 0.4,0.44 0.3,1 -0.3,1"), CLAY)
    pen.layer(0.5, "grain")
    pen.rect(-0.47, 0.34, 0.47, 0.52, lighter(CLAY, 0.08))
