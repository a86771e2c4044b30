"""Animals, each drawn by `name(pen, rng, colour)` in coordinates of about [-1, 1], y down."""

from __future__ import annotations

import numpy as np

from benchmark_data.scenes.palette import COLOURS, Colour, darker, lighter, mix
from benchmark_data.scenes.pen import Pen, Point, path, smooth

INK: Colour = (0.09, 0.07, 0.09)
ROSE: Colour = (0.90, 0.55, 0.58)
BEAK: Colour = (0.95, 0.62, 0.15)


def _mirrored(points: list[Point]) -> list[Point]:
    return [*points, *[(-x, y) for x, y in reversed(points)]]


def _eye(pen: Pen, x: float, y: float, radius: float, iris: Colour, slit: bool = False) -> None:
    pen.ellipse(x, y, radius * 1.15, radius * 1.15, INK)
    pen.ellipse(x, y, radius, radius, iris)
    pen.ellipse(x, y, radius * (0.35 if slit else 0.62), radius * 0.9 if slit else radius * 0.62, INK)
    pen.ellipse(x - radius * 0.3, y - radius * 0.35, radius * 0.24, radius * 0.24, (1.0, 1.0, 1.0))


def _fur_pattern(rng: np.random.Generator, colour: Colour) -> tuple[str, Colour, float] | None:
    choice = rng.integers(0, 4)
    deep = darker(colour, 0.4) if sum(colour) > 0.9 else lighter(colour, 0.25)
    if choice == 0:
        return "bands", deep, float(rng.uniform(3.5, 5))
    if choice == 1:
        return "patches", mix(colour, (0.95, 0.93, 0.9), 0.55), 1.0
    return None


def cat(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A sitting cat seen from the front."""
    pattern = _fur_pattern(rng, colour)
    pale = lighter(colour, 0.4)
    iris = [(0.62, 0.78, 0.25), (0.92, 0.72, 0.2), (0.35, 0.65, 0.8)][rng.integers(0, 3)]
    lift = float(rng.uniform(-0.35, 0.15))
    pen.layer(0.5, "fur", pattern)
    tail = smooth(
        [(0.35, 0.86), (0.72, 0.84), (0.85, 0.45 + lift), (0.72, 0.1 + lift), (0.86, -0.1 + lift)], 5, closed=False
    )
    pen.line(tail, 0.2, colour, 0.15)
    pen.layer(0.6, "fur", pattern)
    pen.curve(_mirrored(path("0.26,-0.2 0.34,0.1 0.5,0.45 0.54,0.78 0.38,0.97")), colour)
    pen.layer(0.3, "fur")
    pen.curve(_mirrored([(0.14, -0.1), (0.2, 0.15), (0.15, 0.42)]), pale)
    pen.layer(0.5, "fur")
    for x in (-0.17, 0.17):
        pen.line([(x, 0.4), (x, 0.88)], 0.2, colour)
        pen.ellipse(x, 0.92, 0.15, 0.09, pale)
    pen.layer(0.55, "fur", pattern)
    for side in (-1, 1):
        pen.poly([(0.16 * side, -0.72), (0.43 * side, -1.02), (0.47 * side, -0.5)], colour)
    pen.ellipse(0, -0.44, 0.5, 0.4, colour)
    pen.layer(0.2)
    for side in (-1, 1):
        pen.poly([(0.26 * side, -0.76), (0.4 * side, -0.92), (0.42 * side, -0.64)], ROSE)
        pen.ellipse(0.1 * side, -0.27, 0.13, 0.1, pale)
    pen.layer(0.0)
    for side in (-1, 1):
        _eye(pen, 0.2 * side, -0.48, 0.11, iris, slit=True)
        for drop in (-0.05, 0.02, 0.09):
            pen.line([(0.18 * side, -0.27 + drop * 0.4), (0.56 * side, -0.3 + drop)], 0.022, (0.97, 0.97, 0.97))
    pen.poly([(-0.065, -0.37), (0.065, -0.37), (0, -0.3)], ROSE)
    pen.line([(-0.09, -0.22), (0, -0.27), (0.09, -0.22)], 0.03, INK)


def dog(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A sitting dog with hanging ears and a collar."""
    pattern = ("patches", lighter(colour, 0.55), 1.0) if rng.random() < 0.4 else None
    pale, deep = lighter(colour, 0.5), darker(colour, 0.35)
    collar = COLOURS[["red", "blue", "green", "yellow"][rng.integers(0, 4)]]
    pen.layer(0.5, "fur")
    pen.line(smooth([(0.4, 0.8), (0.75, 0.7), (0.92, 0.35)], 5, closed=False), 0.2, colour, 0.1)
    pen.layer(0.6, "fur", pattern)
    pen.curve(_mirrored(path("0.28,-0.15 0.36,0.2 0.52,0.5 0.54,0.82 0.38,0.98")), colour)
    pen.layer(0.3, "fur")
    pen.curve(_mirrored([(0.17, 0.0), (0.22, 0.25), (0.14, 0.5)]), pale)
    pen.layer(0.5, "fur")
    for x in (-0.2, 0.2):
        pen.line([(x, 0.3), (x, 0.86)], 0.23, colour)
        pen.ellipse(x, 0.91, 0.17, 0.1, pale)
    pen.layer(0.4)
    pen.line([(-0.27, -0.06), (0, 0.01), (0.27, -0.06)], 0.12, collar)
    pen.ellipse(0, 0.08, 0.08, 0.08, (0.95, 0.8, 0.3))
    pen.layer(0.6, "fur", pattern)
    pen.curve(_mirrored(path("0.2,-0.96 0.4,-0.74 0.38,-0.42 0.26,-0.14 0.1,-0.04")), colour)
    pen.layer(0.5, "fur")
    for side in (-1, 1):
        pen.curve(
            [
                (0.26 * side, -0.92),
                (0.52 * side, -0.84),
                (0.66 * side, -0.45),
                (0.55 * side, -0.18),
                (0.42 * side, -0.4),
            ],
            deep,
        )
    pen.layer(0.5)
    pen.ellipse(0, -0.28, 0.25, 0.22, pale)
    pen.layer(0.1)
    if rng.random() < 0.6:
        pen.curve(path("-0.09,-0.16 0.09,-0.16 0.08,0.04 0,0.09 -0.08,0.04"), (0.92, 0.45, 0.48))
    pen.line([(-0.14, -0.17), (0, -0.22), (0.14, -0.17)], 0.035, INK)
    pen.ellipse(0, -0.38, 0.12, 0.085, INK)
    for side in (-1, 1):
        _eye(pen, 0.19 * side, -0.6, 0.085, (0.4, 0.25, 0.12))
    pen.glint(-0.03, -0.41, 0.04, 0.7)


def rabbit(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A sitting rabbit with long ears."""
    pale = lighter(colour, 0.55)
    tilt = float(rng.uniform(0, 22))
    pen.layer(0.5, "fur")
    for side, turn in ((-1, -8.0), (1, 8.0 + tilt)):
        pen.ellipse(0.2 * side + 0.006 * turn * (side > 0), -0.72, 0.13, 0.34, colour, turn)
    pen.layer(0.1)
    for side, turn in ((-1, -8.0), (1, 8.0 + tilt)):
        pen.ellipse(0.2 * side + 0.006 * turn * (side > 0), -0.72, 0.065, 0.25, ROSE, turn)
    pen.layer(0.6, "fur")
    pen.ellipse(0.46, 0.72, 0.16, 0.15, pale)
    pen.layer(0.6, "fur")
    pen.curve(_mirrored(path("0.22,0 0.42,0.35 0.5,0.7 0.36,0.97")), colour)
    pen.layer(0.3, "fur")
    pen.ellipse(0, 0.52, 0.22, 0.3, pale)
    pen.layer(0.5, "fur")
    for side in (-1, 1):
        pen.ellipse(0.24 * side, 0.92, 0.22, 0.1, colour)
        pen.ellipse(0.15 * side, 0.36, 0.1, 0.17, colour, -18 * side)
    pen.layer(0.6, "fur")
    pen.ellipse(0, -0.2, 0.4, 0.34, colour)
    pen.layer(0.0)
    for side in (-1, 1):
        _eye(pen, 0.19 * side, -0.25, 0.085, (0.3, 0.16, 0.12))
        pen.ellipse(0.08 * side, -0.06, 0.1, 0.08, pale)
    pen.rect(-0.045, -0.03, 0.045, 0.07, (1.0, 1.0, 1.0))
    pen.ellipse(0, -0.12, 0.065, 0.045, ROSE)


def fish(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A fish in profile."""
    fin = mix(colour, COLOURS[["orange", "yellow", "red", "teal"][rng.integers(0, 4)]], 0.35)
    deep, pale = darker(colour, 0.35), lighter(colour, 0.45)
    kind = ["scales", "stripes", "scales", "spots"][rng.integers(0, 4)]
    pattern = (
        kind,
        deep if kind != "stripes" else lighter(colour, 0.75),
        {"scales": 7.0, "stripes": 2.6, "spots": 5.0}[kind],
    )
    pen.layer(0.5, "", ("bands", darker(fin, 0.25), 14.0))
    pen.curve(path("0.5,0 0.8,-0.42 1.02,-0.46 0.88,0 1.02,0.46 0.8,0.42"), fin)
    pen.curve(path("-0.3,-0.35 -0.1,-0.72 0.3,-0.66 0.4,-0.25 0,-0.2"), fin)
    pen.curve(path("-0.05,0.3 0.12,0.66 0.3,0.6 0.28,0.24"), fin)
    pen.layer(0.7, "", pattern)
    body = path("-0.96,0.05 -0.7,-0.28 -0.2,-0.46 0.3,-0.3 0.62,-0.08 0.62,0.08 0.3,0.32 -0.2,0.45 -0.7,0.3")
    pen.curve(body, colour)
    pen.glint(-0.35, -0.28, 0.16, 0.5)
    pen.layer(0.4)
    pen.curve(path("-0.96,0.05 -0.72,-0.27 -0.5,-0.36 -0.42,0 -0.52,0.36 -0.72,0.28"), mix(colour, pale, 0.5))
    pen.layer(0.4, "", ("bands", darker(fin, 0.25), 16.0))
    pen.curve(path("-0.22,0.08 0.12,0 0.2,0.22 -0.05,0.28"), fin)
    pen.layer(0.0)
    _eye(pen, -0.66, -0.08, 0.1, (0.97, 0.95, 0.85))
    pen.line([(-0.93, 0.1), (-0.8, 0.13)], 0.035, INK)


def bird(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A small perching bird in profile."""
    deep = darker(colour, 0.35)
    breast = mix(lighter(colour, 0.65), COLOURS[["orange", "white", "yellow"][rng.integers(0, 3)]], 0.4)
    pen.layer(0.0)
    for x in (-0.02, 0.18):
        pen.line([(x, 0.5), (x - 0.03, 0.93)], 0.06, (0.45, 0.3, 0.15))
        pen.line([(x - 0.2, 0.95), (x - 0.03, 0.92), (x + 0.1, 0.95)], 0.05, (0.45, 0.3, 0.15))
    pen.layer(0.5, "fur")
    pen.poly(path("0.4,0.1 1,0.36 0.98,0.54 0.4,0.42"), deep)
    pen.layer(0.7, "fur")
    pen.curve(
        path(
            "-0.72,-0.5 -0.45,-0.78 -0.12,-0.62 0.08,-0.22 0.5,0.12 0.55,0.38 0.2,0.6 -0.25,0.54 -0.55,0.15 -0.66,-0.2"
        ),
        colour,
    )
    pen.layer(0.5, "fur")
    pen.curve(path("-0.6,-0.16 -0.35,-0.05 -0.12,0.3 0.12,0.56 -0.22,0.52 -0.5,0.18"), breast)
    pen.layer(0.6, "", ("stripes", darker(deep, 0.3), 5.0))
    pen.curve(path("-0.2,-0.12 0.1,-0.1 0.5,0.18 0.78,0.44 0.35,0.42 -0.08,0.26"), deep)
    pen.layer(0.4)
    pen.poly([(-0.68, -0.56), (-0.99, -0.4), (-0.66, -0.34)], BEAK)
    pen.layer(0.0)
    _eye(pen, -0.47, -0.5, 0.085, (0.15, 0.1, 0.08))


def duck(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A swimming duck in profile."""
    deep, neck = darker(colour, 0.25), [None, (0.1, 0.42, 0.26), None][rng.integers(0, 3)]
    pen.layer(0.7, "fur")
    pen.curve(
        path("-0.6,0.1 -0.25,0.06 0.3,0.1 0.72,-0.02 0.98,-0.18 0.9,0.3 0.6,0.62 0,0.7 -0.5,0.6 -0.72,0.36"), colour
    )
    pen.layer(0.6, "fur")
    head = neck or colour
    pen.curve(
        path("-0.66,0.3 -0.56,-0.1 -0.72,-0.36 -0.6,-0.68 -0.34,-0.72 -0.16,-0.5 -0.2,-0.2 -0.16,0.2 -0.35,0.36"), head
    )
    if neck:
        pen.layer(0.3)
        pen.line([(-0.58, 0.06), (-0.38, 0.12), (-0.2, 0.06)], 0.1, (0.95, 0.95, 0.92))
    pen.layer(0.6, "fur", ("bands", darker(deep, 0.25), 6.0))
    pen.curve(path("-0.18,0.2 0.2,0.12 0.66,0.14 0.84,0.08 0.6,0.46 0.15,0.5"), deep)
    pen.layer(0.5)
    pen.curve(path("-0.66,-0.5 -0.84,-0.44 -1,-0.34 -0.8,-0.28 -0.66,-0.32"), BEAK)
    pen.layer(0.0)
    _eye(pen, -0.5, -0.52, 0.075, (0.2, 0.12, 0.08))


def butterfly(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A butterfly with open wings."""
    rim, dot = darker(colour, 0.65), lighter(colour, 0.7)
    reach = float(rng.uniform(0.9, 1.0))
    for scale, paint in ((1.0, rim), (0.82, colour)):
        pen.layer(0.35, "grain" if scale < 1 else "")
        for side in (-1, 1):
            upper: list[Point] = [(0.05, -0.02), (0.3, -0.5), (0.75, -0.78), (reach, -0.6), (0.88, -0.12), (0.5, 0.06)]
            lower: list[Point] = path("0.05,0.02 0.5,0.08 0.76,0.3 0.66,0.68 0.36,0.78 0.12,0.36")
            for wing in (lower, upper):
                cx, cy = np.mean(wing, axis=0)
                pen.curve([(side * (cx + (x - cx) * scale), cy + (y - cy) * scale) for x, y in wing], paint)
    pen.layer(0.0)
    for side in (-1, 1):
        pen.ellipse(0.72 * side, -0.5, 0.1, 0.12, dot)
        pen.ellipse(0.5 * side, 0.45, 0.1, 0.1, dot)
        pen.ellipse(0.84 * side, -0.26, 0.05, 0.06, dot)
        pen.line([(0.02 * side, -0.4), (0.1 * side, -0.7), (0.22 * side, -0.86)], 0.035, INK)
    pen.layer(0.6, "", ("bands", (0.35, 0.28, 0.2), 9.0))
    pen.ellipse(0, 0.08, 0.08, 0.46, (0.14, 0.11, 0.1))
    pen.ellipse(0, -0.42, 0.1, 0.1, (0.14, 0.11, 0.1))
