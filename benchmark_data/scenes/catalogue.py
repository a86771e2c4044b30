"""What there is to draw, how big it usually is, and where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark_data.scenes import animals, plants, things, vehicles
from benchmark_data.scenes.palette import Colour
from benchmark_data.scenes.pen import Pen


@dataclass(frozen=True)
class ObjectClass:
    """A kind of object.

    Attributes:
        draw: Draws it with a pen, a random generator and its main colour.
        size: Usual height relative to other objects.
        colours: Usual colour names; others occur now and then.
        tilt: Greatest rotation in degrees.
        floats: It may hang in the air.
    """

    draw: Callable[[Pen, np.random.Generator, Colour], None]
    size: float
    colours: tuple[str, ...]
    tilt: float = 4.0
    floats: bool = False


_BRIGHT = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")

CLASSES: dict[str, ObjectClass] = {
    "cat": ObjectClass(animals.cat, 0.95, ("orange", "grey", "black", "white", "brown")),
    "dog": ObjectClass(animals.dog, 1.0, ("brown", "orange", "black", "white", "grey")),
    "rabbit": ObjectClass(animals.rabbit, 0.9, ("white", "brown", "grey", "pink", "black")),
    "bird": ObjectClass(animals.bird, 0.8, ("blue", "red", "yellow", "green", "teal", "brown"), 8),
    "duck": ObjectClass(animals.duck, 0.8, ("yellow", "white", "brown", "grey"), 5),
    "fish": ObjectClass(animals.fish, 0.8, _BRIGHT, 14, floats=True),
    "butterfly": ObjectClass(animals.butterfly, 0.75, _BRIGHT, 28, floats=True),
    "tree": ObjectClass(plants.tree, 1.2, ("green", "green", "teal", "orange", "yellow", "pink"), 3),
    "flower": ObjectClass(plants.flower, 0.95, ("red", "pink", "purple", "yellow", "white", "orange", "blue"), 7),
    "mushroom": ObjectClass(plants.mushroom, 0.75, ("red", "brown", "orange", "purple", "blue"), 6),
    "cactus": ObjectClass(plants.cactus, 0.9, ("green", "teal"), 3),
    "apple": ObjectClass(plants.apple, 0.7, ("red", "green", "yellow", "orange"), 12),
    "pear": ObjectClass(plants.pear, 0.75, ("green", "yellow", "red", "orange"), 12),
    "house": ObjectClass(vehicles.house, 1.15, ("white", "yellow", "red", "blue", "pink", "teal", "orange"), 0),
    "car": ObjectClass(vehicles.car, 1.05, ("red", "blue", "yellow", "green", "white", "black", "orange", "teal"), 2),
    "boat": ObjectClass(vehicles.boat, 1.1, ("red", "blue", "brown", "green", "orange", "teal"), 6),
    "rocket": ObjectClass(vehicles.rocket, 1.0, ("white", "grey", "red", "blue", "orange", "teal"), 22, floats=True),
    "mug": ObjectClass(things.mug, 0.8, (*_BRIGHT, "white", "grey"), 3),
    "bottle": ObjectClass(things.bottle, 1.0, ("green", "brown", "blue", "teal", "red", "purple"), 3),
    "chair": ObjectClass(things.chair, 1.05, ("brown", "red", "blue", "white", "green", "yellow"), 2),
    "hat": ObjectClass(things.hat, 0.75, ("black", "brown", "red", "blue", "yellow", "purple", "green"), 9),
    "lamp": ObjectClass(things.lamp, 0.95, ("yellow", "orange", "red", "teal", "pink", "white", "green"), 2),
    "ball": ObjectClass(things.ball, 0.65, _BRIGHT, 180),
    "balloon": ObjectClass(things.balloon, 0.95, _BRIGHT, 9, floats=True),
    "star": ObjectClass(things.star, 0.8, ("yellow", "orange", "pink", "blue", "red"), 18, floats=True),
    "umbrella": ObjectClass(things.umbrella, 1.0, _BRIGHT, 14, floats=True),
}
"""Every object class by the name used in prompts."""

_OUTSIDE = "cat dog rabbit bird tree flower mushroom house car ball balloon butterfly chair umbrella star rocket hat"
_INSIDE = "cat dog rabbit chair ball mug lamp balloon hat bottle cactus umbrella flower star"
_TABLE = "mug bottle apple pear hat cactus flower lamp mushroom ball cat bird star duck"

HABITATS: dict[str, tuple[str, ...]] = {
    "meadow": tuple(_OUTSIDE.split()),
    "desert": ("cactus", "car", "house", "bottle", "hat", "balloon", "rocket", "umbrella", "bird", "ball", "star"),
    "snow": ("tree", "house", "dog", "cat", "rabbit", "car", "hat", "bird", "balloon", "ball", "star", "umbrella"),
    "street": ("car", "cat", "dog", "tree", "ball", "balloon", "umbrella", "bird", "chair", "hat", "car"),
    "garden": tuple(_OUTSIDE.replace("house car", "apple bottle").replace("rocket", "cactus").split()),
    "room": tuple(_INSIDE.split()),
    "table": tuple(_TABLE.split()),
    "bokeh": ("star", "balloon", "butterfly", "fish", "umbrella", "rocket", "bird", "flower", "hat", "apple", "mug"),
    "studio": tuple(CLASSES),
    "plaster": tuple(CLASSES),
    "checks": tuple(CLASSES),
    "planks": (
        "mug",
        "apple",
        "pear",
        "hat",
        "star",
        "ball",
        "bottle",
        "flower",
        "butterfly",
        "mushroom",
        "fish",
        "cat",
    ),
    "sky": ("balloon", "bird", "butterfly", "star", "rocket", "umbrella"),
    "night": ("house", "tree", "cat", "car", "rabbit", "rocket", "star", "balloon", "lamp", "mushroom"),
    "sea": ("boat", "duck", "boat", "duck", "balloon", "bottle", "ball"),
    "beach": ("ball", "umbrella", "chair", "boat", "star", "hat", "dog", "bird", "bottle", "cat", "balloon"),
    "underwater": ("fish", "fish", "fish", "star", "bottle"),
}
"""Object classes that make sense before each backdrop."""
