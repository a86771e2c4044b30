"""Buildings and vehicles, each drawn by `name(pen, rng, colour)` in coordinates of about [-1, 1], y down."""

from __future__ import annotations

import numpy as np

from benchmark_data.scenes.palette import COLOURS, Colour, darker, lighter, mix
from benchmark_data.scenes.pen import Pen, Point, path

GLASS: Colour = (0.62, 0.80, 0.90)
RUBBER: Colour = (0.12, 0.12, 0.13)
CHROME: Colour = (0.75, 0.77, 0.8)


def house(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A house with a pitched roof."""
    roof = [(0.55, 0.22, 0.16), (0.35, 0.33, 0.38), (0.45, 0.27, 0.15)][rng.integers(0, 3)]
    door = COLOURS[["red", "blue", "green", "brown"][rng.integers(0, 4)]]
    pen.layer(0.4, "wood")
    pen.rect(0.36, -0.9, 0.56, -0.4, (0.5, 0.3, 0.25))
    pen.layer(0.35, "grain", ("bands", darker(colour, 0.2), 9.0) if rng.random() < 0.6 else None)
    pen.poly(path("-0.76,-0.2 0,-0.86 0.76,-0.2 0.76,1 -0.76,1"), colour)
    pen.layer(0.5, "wood")
    pen.poly(path("-0.98,-0.08 0,-0.98 0.98,-0.08 0.84,0.06 0,-0.7 -0.84,0.06"), roof)
    pen.layer(0.3)
    pen.rect(-0.2, 0.38, 0.2, 1.0, (0.93, 0.91, 0.87))
    for x in (-0.5, 0.5):
        pen.rect(x - 0.19, 0.2, x + 0.19, 0.6, (0.95, 0.94, 0.9))
    pen.ellipse(0, -0.24, 0.16, 0.16, (0.95, 0.94, 0.9))
    pen.layer(0.3, "wood")
    pen.rect(-0.15, 0.43, 0.15, 1.0, door)
    pen.layer(0.0)
    pen.ellipse(0.09, 0.73, 0.03, 0.03, (0.95, 0.85, 0.4))
    pane = GLASS if rng.random() < 0.7 else (0.98, 0.88, 0.5)
    pen.ellipse(0, -0.24, 0.12, 0.12, pane)
    for x in (-0.5, 0.5):
        for dx in (-0.085, 0.085):
            for y0 in (0.24, 0.42):
                pen.rect(x + dx - 0.065, y0, x + dx + 0.065, y0 + 0.14, pane)


def car(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A car in profile."""
    van = rng.random() < 0.3
    pen.layer(0.6)
    if van:
        pen.curve(
            path("-0.98,0.4 -1,0.1 -0.9,-0.3 -0.82,-0.52 -0.4,-0.56 0.5,-0.56 0.62,-0.42 0.78,-0.06 0.98,0.08 1,0.4"),
            colour,
        )
    else:
        pen.curve(
            path(
                "-0.98,0.4 -1,0.08 -0.86,-0.06 -0.56,-0.12 -0.34,-0.46 -0.1,-0.54 0.24,-0.54 "
                "0.46,-0.42 0.66,-0.1 0.94,0 1,0.2 0.98,0.4"
            ),
            colour,
        )
    pen.rect(-0.9, 0.2, 0.9, 0.44, colour)
    pen.glint(0.1, -0.46, 0.16, 0.4)
    pen.glint(0.75, 0.02, 0.12, 0.5)
    pen.layer(0.1)
    if van:
        pen.poly(path("0.12,-0.42 0.5,-0.42 0.66,-0.08 0.12,-0.08"), GLASS)
        for x in (-0.78, -0.34):
            pen.rect(x, -0.42, x + 0.36, -0.08, GLASS)
    else:
        pen.poly(path("-0.44,-0.12 -0.27,-0.4 -0.02,-0.44 -0.02,-0.12"), GLASS)
        pen.poly(path("0.06,-0.12 0.06,-0.44 0.24,-0.44 0.4,-0.34 0.54,-0.12"), GLASS)
    pen.layer(0.0)
    pen.line([(-0.95, 0.24), (0.95, 0.24)], 0.035, darker(colour, 0.4))
    pen.line([(0.02, -0.06), (0.02, 0.36)], 0.022, darker(colour, 0.4))
    pen.line([(-0.16, 0.04), (-0.06, 0.04)], 0.035, darker(colour, 0.6))
    pen.ellipse(0.93, 0.14, 0.06, 0.08, (1.0, 0.95, 0.7))
    pen.ellipse(-0.95, 0.14, 0.045, 0.08, (0.75, 0.08, 0.08))
    for x in (-0.55, 0.55):
        pen.layer(0.0)
        pen.ellipse(x, 0.42, 0.27, 0.27, darker(colour, 0.65))
        pen.layer(0.5)
        pen.ellipse(x, 0.44, 0.24, 0.24, RUBBER)
        pen.layer(0.6)
        pen.ellipse(x, 0.44, 0.135, 0.135, CHROME)
        pen.layer(0.0)
        pen.ellipse(x, 0.44, 0.05, 0.05, (0.35, 0.36, 0.4))


def boat(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A sailing boat."""
    sail = mix((0.97, 0.96, 0.92), colour, 0.12)
    pen.layer(0.5)
    pen.line([(-0.02, -0.98), (-0.02, 0.45)], 0.07, (0.5, 0.34, 0.2))
    pen.layer(0.5, "grain", ("bands", mix(sail, colour, 0.8), 3.0) if rng.random() < 0.5 else None)
    pen.curve(path("0.04,-0.92 0.3,-0.5 0.6,0 0.74,0.26 0.4,0.3 0.04,0.26 0.06,-0.4"), sail)
    pen.layer(0.5, "grain")
    pen.poly([(-0.08, -0.82), (-0.62, 0.24), (-0.08, 0.26)], mix(sail, colour, 0.55))
    pen.layer(0.6, "wood")
    pen.curve(
        path("-0.98,0.36 -0.5,0.42 0,0.44 0.5,0.42 0.98,0.34 0.84,0.66 0.6,0.86 0,0.92 -0.6,0.86 -0.84,0.66"), colour
    )
    pen.layer(0.0)
    pen.line(path("-0.94,0.42 -0.4,0.49 0,0.5 0.4,0.49 0.95,0.41"), 0.06, lighter(colour, 0.7))
    for x in (-0.45, 0.0, 0.45):
        pen.ellipse(x, 0.66, 0.075, 0.075, darker(colour, 0.6))
        pen.ellipse(x, 0.66, 0.05, 0.05, GLASS)


def rocket(pen: Pen, rng: np.random.Generator, colour: Colour) -> None:
    """A toy rocket with fins and a window."""
    fin = mix(darker(colour, 0.3), COLOURS["red"], 0.25)
    pen.layer(0.0)
    pen.curve(path("-0.16,0.6 0.16,0.6 0.14,0.82 0,1 -0.14,0.82"), (0.98, 0.62, 0.15))
    pen.curve([(-0.08, 0.6), (0.08, 0.6), (0.0, 0.86)], (1.0, 0.92, 0.5))
    pen.layer(0.5)
    for side in (-1, 1):
        wing: list[Point] = [(0.24 * side, 0.05), (0.56 * side, 0.4), (0.6 * side, 0.82), (0.2 * side, 0.58)]
        pen.curve(wing, fin)
    pen.layer(0.8)
    pen.curve(path("0,-1 0.2,-0.7 0.34,-0.2 0.32,0.3 0.2,0.66 -0.2,0.66 -0.32,0.3 -0.34,-0.2 -0.2,-0.7"), colour)
    pen.glint(-0.14, -0.1, 0.1, 0.5)
    pen.layer(0.6)
    pen.curve(path("0,-1 0.17,-0.76 0.25,-0.5 0,-0.46 -0.25,-0.5 -0.17,-0.76"), fin)
    pen.layer(0.4)
    pen.ellipse(0, -0.14, 0.18, 0.18, CHROME)
    pen.layer(0.2)
    pen.ellipse(0, -0.14, 0.13, 0.13, (0.45, 0.7, 0.88) if rng.random() < 0.7 else (0.98, 0.88, 0.5))
    pen.glint(-0.04, -0.18, 0.05, 0.8)
    pen.layer(0.3)
    pen.line([(0, 0.3), (0, 0.82)], 0.09, darker(fin, 0.2))
