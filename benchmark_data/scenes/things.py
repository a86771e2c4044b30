"""Things people make, each drawn by `name(pen, rng, colour)` in coordinates of about [-1, 1], y down."""

from __future__ import annotations

import numpy as np

from benchmark_data.scenes.palette import COLOURS, Colour, darker, lighter, mix
from benchmark_data.scenes.pen import Pen, Point, path, ring, smooth

CREAM: Colour = (0.95, 0.92, 0.84)
STEEL: Colour = (0.62, 0.64, 0.68)
WOOD: Colour = (0.55, 0.36, 0.2)


def _other(rng: np.random.Generator, colour: Colour) -> Colour:
    """A colour that stands out from `colour` whatever that is, without a draw that depends on it."""
    order = rng.permutation(list(COLOURS))
    rank = {name: sum(abs(a - b) for a, b in zip(COLOURS[name], colour, strict=True)) for name in order[:5]}
    return COLOURS[max(rank, key=lambda name: rank[name])]


def mug(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A mug of coffee or tea."""
    drink = mix((0.30, 0.17, 0.09), (0.65, 0.32, 0.1), float(rng.random()))
    pattern = [None, ("bands", lighter(colour, 0.65), 3.0), ("spots", lighter(colour, 0.7), 4.0)][rng.integers(0, 3)]
    pen.layer(0.6)
    pen.line(smooth(path("0.5,-0.38 0.86,-0.4 0.94,0.05 0.82,0.42 0.48,0.5"), 6, closed=False), 0.19, colour)
    pen.layer(0.6, "", pattern)
    pen.curve(
        path("-0.68,-0.6 -0.67,0.2 -0.56,0.72 -0.3,0.86 0,0.89 0.3,0.86 0.56,0.72 0.67,0.2 0.68,-0.6 0,-0.5"), colour
    )
    pen.glint(-0.42, 0.0, 0.17, 0.45)
    pen.layer(0.1)
    pen.ellipse(0, -0.6, 0.69, 0.23, lighter(colour, 0.3))
    pen.ellipse(0, -0.58, 0.59, 0.17, darker(colour, 0.3))
    pen.ellipse(0, -0.55, 0.55, 0.14, drink)
    pen.glint(-0.2, -0.57, 0.1, 0.4)


def bottle(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A glass bottle with a label and a cap."""
    label, cap = (0.94, 0.91, 0.82), _other(rng, colour)
    shoulder = float(rng.uniform(-0.4, -0.15))
    pen.layer(0.75)
    half: list[Point] = [
        (0.13, -0.88),
        (0.13, shoulder - 0.22),
        (0.34, shoulder + 0.14),
        (0.38, shoulder + 0.4),
        (0.37, 0.9),
        (0.28, 0.99),
    ]
    pen.poly(smooth([*half, *[(-x, y) for x, y in reversed(half)]]), colour)
    pen.glint(-0.2, shoulder + 0.25, 0.1, 0.7)
    pen.glint(-0.22, 0.75, 0.08, 0.5)
    pen.layer(0.35, "grain")
    pen.rect(-0.375, 0.12, 0.375, 0.66, label)
    pen.layer(0.0)
    pen.ellipse(0, 0.32, 0.13, 0.1, cap)
    for y in (0.5, 0.57):
        pen.line([(-0.2, y), (0.2, y)], 0.03, (0.4, 0.36, 0.34))
    pen.layer(0.5)
    pen.rect(-0.16, -1.0, 0.16, -0.82, cap)


def chair(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A chair seen from the front and a little from the side."""
    deep, slats = darker(colour, 0.35), int(rng.integers(2, 5))
    pen.layer(0.4, "wood")
    for x0, x1 in ((-0.28, -0.26), (0.66, 0.68)):
        pen.line([(x0, 0.1), (x1, 0.78)], 0.1, deep, 0.08)
    pen.layer(0.5, "wood")
    pen.line([(-0.36, 0.1), (-0.46, -0.92)], 0.12, colour)
    pen.line([(0.56, 0.1), (0.5, -0.92)], 0.12, colour)
    pen.curve(path("-0.5,-0.98 0,-1.03 0.54,-0.98 0.53,-0.74 0,-0.78 -0.48,-0.74"), colour)
    for t in np.linspace(0.2, 0.8, slats):
        pen.line([(-0.46 + 0.98 * t, -0.8), (-0.36 + 0.9 * t, 0.05)], 0.1, deep)
    pen.layer(0.5, "wood")
    pen.poly(path("-0.36,-0.02 0.62,-0.02 0.72,0.3 -0.56,0.3"), lighter(colour, 0.12))
    pen.layer(0.5, "wood")
    pen.rect(-0.56, 0.28, 0.72, 0.4, deep)
    for x0, x1 in ((-0.48, -0.5), (0.62, 0.66)):
        pen.line([(x0, 0.4), (x1, 0.96)], 0.13, colour, 0.1)


def hat(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A hat with a brim and a band."""
    band, texture = _other(rng, colour), ["grain", "", "wood"][rng.integers(0, 3)]
    top = rng.random() < 0.4
    pen.layer(0.5, texture)
    pen.curve(path("-1,0.38 -0.6,0.28 0,0.24 0.6,0.28 1,0.38 0.7,0.62 0,0.72 -0.7,0.62"), darker(colour, 0.12))
    pen.layer(0.7, texture)
    if top:
        crown: list[Point] = path("-0.5,0.45 -0.55,-0.6 0.55,-0.6 0.5,0.45")
        pen.poly(crown, colour)
        pen.ellipse(0, 0.45, 0.5, 0.12, colour)
        pen.ellipse(0, -0.6, 0.55, 0.12, lighter(colour, 0.15))
    else:
        pen.curve(
            path("-0.54,0.48 -0.53,0 -0.36,-0.42 -0.12,-0.5 0,-0.4 0.14,-0.5 0.38,-0.42 0.53,0 0.54,0.48 0,0.58"),
            colour,
        )
    pen.layer(0.5)
    pen.poly(
        path("-0.54,0.2 -0.27,0.27 0,0.29 0.27,0.27 0.54,0.2 0.55,0.42 0.28,0.51 0,0.54 -0.28,0.51 -0.55,0.42"), band
    )


def lamp(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A table lamp."""
    foot = [STEEL, WOOD, (0.85, 0.68, 0.3)][rng.integers(0, 3)]
    bulge = rng.random() < 0.5
    pen.layer(0.6)
    pen.ellipse(0, 0.9, 0.38, 0.1, foot)
    pen.line([(0, -0.1), (0, 0.88)], 0.1, foot)
    if bulge:
        pen.curve(path("-0.08,0.1 0.08,0.1 0.27,0.42 0.1,0.84 -0.1,0.84 -0.27,0.42"), foot)
        pen.glint(-0.1, 0.4, 0.07, 0.7)
    pen.layer(0.35, "grain")
    pen.curve(path("-0.34,-0.96 0,-1 0.34,-0.96 0.52,-0.6 0.7,-0.08 0.4,0 0,0.02 -0.4,0 -0.7,-0.08 -0.52,-0.6"), colour)
    pen.glint(0.0, -0.4, 0.34, 0.45)
    pen.layer(0.2)
    pen.line(path("-0.69,-0.09 -0.4,-0.02 0,0.01 0.4,-0.02 0.69,-0.09"), 0.07, darker(colour, 0.3))


def ball(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A beach ball, a striped ball or a football."""
    kind = rng.integers(0, 3)
    pale = lighter(colour, 0.85) if min(colour) < 0.7 else (0.2, 0.2, 0.24)
    if kind == 0:
        pen.layer(0.75, "", ("bands", pale, 1.6))
        pen.ellipse(0, 0, 0.96, 0.96, colour)
    else:
        pen.layer(0.75)
        pen.ellipse(0, 0, 0.96, 0.96, colour)
        pen.layer(0.2)
        if kind == 1:
            for low, high in ((-0.62, -0.2), (0.3, 0.72)):
                arc = [(0.95 * np.sin(t) * low, -0.95 * np.cos(t)) for t in np.linspace(0, np.pi, 14)]
                back = [(0.95 * np.sin(t) * high, -0.95 * np.cos(t)) for t in np.linspace(np.pi, 0, 14)]
                pen.poly([(float(x), float(y)) for x, y in [*arc, *back]], pale)
        else:
            pen.poly(ring(5, 0.34), pale)
            for x, y in ring(5, 1.0):
                pen.line([(0.34 * x, 0.34 * y), (0.62 * x, 0.62 * y)], 0.06, pale)
                cut = [
                    (0.62 * x - 0.22 * y, 0.62 * y + 0.22 * x),
                    (0.93 * x - 0.2 * y, 0.93 * y + 0.2 * x),
                    (0.93 * x + 0.2 * y, 0.93 * y - 0.2 * x),
                    (0.62 * x + 0.22 * y, 0.62 * y - 0.22 * x),
                ]
                pen.poly(cut, pale)
    pen.glint(-0.35, -0.4, 0.24, 0.7)


def balloon(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A balloon on a string."""
    sway = float(rng.uniform(-0.18, 0.18))
    pen.layer(0.0)
    pen.line(smooth([(0, 0.4), (sway, 0.62), (-sway, 0.82), (0, 1.0)], 6, closed=False), 0.045, (0.86, 0.84, 0.8))
    pen.layer(0.5)
    pen.poly([(0, 0.32), (0.11, 0.47), (-0.11, 0.47)], darker(colour, 0.25))
    pen.layer(0.8)
    pen.curve(
        path("0,-1 0.42,-0.88 0.62,-0.48 0.5,-0.02 0.18,0.3 0,0.36 -0.18,0.3 -0.5,-0.02 -0.62,-0.48 -0.42,-0.88"),
        colour,
    )
    pen.glint(-0.24, -0.62, 0.16, 0.8)


def star(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A five-pointed star with folded faces."""
    depth = float(rng.uniform(0.42, 0.5))
    outer, inner = ring(5, 1.0), ring(5, depth, np.pi / 5)
    outline = [point for pair in zip(outer, inner, strict=True) for point in pair]
    pen.layer(0.5, "grain")
    pen.poly(outline, colour)
    pen.layer(0.1, "grain")
    for k in range(5):
        pen.poly([(0.0, 0.0), outer[k], inner[k]], darker(colour, 0.22))
    pen.glint(-0.1, -0.3, 0.25, 0.35)


def umbrella(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """An open umbrella with coloured panels."""
    second = mix(colour, _other(rng, colour), 0.75) if rng.random() < 0.5 else lighter(colour, 0.25)
    pen.layer(0.5)
    pen.line([(0, -0.98), (0, 0.74)], 0.07, STEEL)
    pen.line(smooth(path("0,0.72 0.03,0.9 0.17,0.95 0.28,0.78"), 5, closed=False), 0.1, WOOD)
    xs = np.linspace(-1, 1, 5)
    pen.layer(0.65)
    for k, (x0, x1) in enumerate(zip(xs[:-1], xs[1:], strict=True)):
        left = [(float(x0 * np.sin(t)), float(0.06 - 0.94 * np.cos(t))) for t in np.linspace(0, np.pi / 2, 10)]
        right = [(float(x1 * np.sin(t)), float(0.06 - 0.94 * np.cos(t))) for t in np.linspace(np.pi / 2, 0, 10)]
        scallop = [(float(x0 + (x1 - x0) * t), float(0.06 - 0.13 * np.sin(np.pi * t))) for t in np.linspace(0, 1, 8)]
        pen.poly([*left, *scallop, *right], second if k % 2 else colour)
    pen.glint(-0.4, -0.5, 0.22, 0.4)
