"""Draw an object from shaded layers of polygons, supersampled.

An object lives in its own coordinates: x to the right, y down, everything within about [-1, 1].
Shapes go to layers; each layer is lit and textured as one smooth body when it is reduced to pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmark_data.scenes.noise import fractal
from benchmark_data.scenes.palette import Colour

Point = tuple[float, float]
EXTENT = 1.3


def path(text: str) -> list[Point]:
    """Read points written as `x,y` and separated by spaces.

    Example:
        >>> path("0,-1 0.5,1")
        [(0.0, -1.0), (0.5, 1.0)]
    """
    pairs = (word.split(",") for word in text.split())
    return [(float(x), float(y)) for x, y in pairs]


def smooth(points: Sequence[Point], steps: int = 6, closed: bool = True) -> list[Point]:
    """Run a Catmull-Rom curve through the points.

    Example:
        >>> len(smooth([(0, 0), (1, 0), (1, 1), (0, 1)], steps=5))
        20
    """
    nodes = np.asarray(points, float)
    if closed:
        padded = np.vstack([nodes[-1], nodes, nodes[0], nodes[1]])
    else:
        padded = np.vstack([nodes[0], nodes, nodes[-1]])
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (part[:, None, :] for part in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    out = [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]
    return out if closed else [*out, (float(nodes[-1, 0]), float(nodes[-1, 1]))]


def ring(count: int, radius: float, phase: float = 0.0) -> list[Point]:
    """Points evenly spaced on a circle, the first one at the top.

    Example:
        >>> [(round(x), round(y)) for x, y in ring(4, 1.0)]
        [(0, -1), (1, 0), (0, 1), (-1, 0)]
    """
    turns = [2 * math.pi * k / count - math.pi / 2 + phase for k in range(count)]
    return [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]


@dataclass
class Layer:
    """One body of an object: shapes that are lit together.

    Attributes:
        picture: Supersampled RGBA drawing.
        relief: How round the body looks, 0 (flat) to about 1.
        texture: Name of a brightness texture: "fur", "grain", "leaf", "wood" or "".
        pattern: `(kind, colour, frequency)` of a painted pattern: "stripes", "spots", "patches" or "scales".
        glints: Highlights `(x, y, radius, strength)` in object coordinates.
    """

    picture: Image.Image
    relief: float = 0.5
    texture: str = ""
    pattern: tuple[str, Colour, float] | None = None
    glints: list[tuple[float, float, float, float]] = field(default_factory=list)


class Pen:
    """Collects layers of shapes and renders them to premultiplied RGBA pixels.

    Args:
        scale: Pixels per unit of object coordinates.
        rng: Randomness for textures.
        angle: Rotation in degrees, clockwise.
        flip: Mirror left and right.
        light: Direction towards the light as (x, y); y down.
        supersample: Sub-pixels per pixel and axis.

    Example:
        >>> pen = Pen(10.0, np.random.default_rng(0))
        >>> pen.layer()
        >>> pen.ellipse(0, 0, 1, 1, (1.0, 0.0, 0.0))
        >>> pixels = pen.render()
        >>> pixels.shape, round(float(pixels[..., 3].sum()) / (math.pi * 100), 1)
        ((26, 26, 4), 1.0)
    """

    def __init__(
        self,
        scale: float,
        rng: np.random.Generator,
        angle: float = 0.0,
        flip: bool = False,
        light: tuple[float, float] = (-0.6, -0.8),
        supersample: int = 3,
    ):
        self.scale, self.rng, self.light, self.supersample = scale, rng, light, supersample
        self.side = 2 * math.ceil(EXTENT * scale) + (2 if scale < 4 else 0)
        radians = math.radians(angle)
        mirror = -1.0 if flip else 1.0
        self.matrix = np.array(
            [[mirror * math.cos(radians), -math.sin(radians)], [mirror * math.sin(radians), math.cos(radians)]]
        )
        self.layers: list[Layer] = []
        self._draw: ImageDraw.ImageDraw | None = None

    def layer(self, relief: float = 0.5, texture: str = "", pattern: tuple[str, Colour, float] | None = None) -> None:
        """Begin a new body on top of the others."""
        side = self.side * self.supersample
        self.layers.append(Layer(Image.new("RGBA", (side, side)), relief, texture, pattern))
        self._draw = ImageDraw.Draw(self.layers[-1].picture)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        moved = np.asarray(points, float) @ self.matrix.T
        moved = (moved * self.scale + self.side / 2) * self.supersample - 0.5
        return [(float(x), float(y)) for x, y in moved]

    @property
    def _pencil(self) -> ImageDraw.ImageDraw:
        if self._draw is None:
            raise RuntimeError("call layer() before drawing")
        return self._draw

    def poly(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._pencil.polygon(self._pixels(points), fill=_ink(colour))

    def curve(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the smooth closed curve through the points."""
        self.poly(smooth(points), colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, angle: float = 0.0) -> None:
        """Fill an ellipse with half axes `rx` and `ry`, turned by `angle` degrees."""
        turn = np.linspace(0, 2 * math.pi, 40, endpoint=False)
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        u, v = rx * np.cos(turn), ry * np.sin(turn)
        self.poly(list(zip((x + c * u - s * v).tolist(), (y + s * u + c * v).tolist(), strict=True)), colour)

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour, tip: float | None = None) -> None:
        """Draw a round-ended stroke that narrows (or widens) from `width` to `tip`."""
        nodes = np.asarray(points, float)
        widths = np.linspace(width, width if tip is None else tip, len(nodes)) / 2
        for (start, end), (r0, r1) in zip(
            zip(nodes[:-1], nodes[1:], strict=True), zip(widths[:-1], widths[1:], strict=True), strict=True
        ):
            along = end - start
            length = float(np.hypot(*along)) or 1.0
            side = np.array([-along[1], along[0]]) / length
            corners = [start + side * r0, end + side * r1, end - side * r1, start - side * r0]
            self.poly([(float(x), float(y)) for x, y in corners], colour)
        for (x, y), radius in zip(nodes, widths, strict=True):
            self.ellipse(float(x), float(y), float(radius), float(radius), colour)

    def glint(self, x: float, y: float, radius: float, strength: float = 0.6) -> None:
        """Add a soft white highlight to the current layer."""
        self.layers[-1].glints.append((x, y, radius, strength))

    def render(self) -> np.ndarray:
        """Light, texture and stack the layers.

        Returns:
            Array (S, S, 4) float32 in [0, 1], premultiplied RGBA.
        """
        total = np.zeros((self.side, self.side, 4), np.float32)
        for layer in self.layers:
            small = np.asarray(layer.picture.reduce(self.supersample), np.float32) / 255
            alpha = small[..., 3:]
            colour = self._lit(layer, small[..., :3], small[..., 3])
            total[..., :3] = total[..., :3] * (1 - alpha) + colour * alpha
            total[..., 3:] = total[..., 3:] * (1 - alpha) + alpha
        return total

    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        axis = (np.arange(self.side, dtype=np.float32) + 0.5 - self.side / 2) / self.scale
        x, y = np.meshgrid(axis, axis)
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        return inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y

    def _lit(self, layer: Layer, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        if layer.pattern is not None:
            kind, paint, frequency = layer.pattern
            amount = self._pattern(kind, frequency)[..., None]
            colour = colour * (1 - amount) + np.asarray(paint, np.float32) * amount
        gain = np.ones_like(alpha)
        if layer.texture:
            gain = gain * (1 + self._texture(layer.texture))
        if layer.relief:
            gain = gain * (1 + layer.relief * self._relief(alpha))
        colour = colour * gain[..., None]
        for x, y, radius, strength in layer.glints:
            cx, cy = self.matrix @ np.array([x, y]) * self.scale + self.side / 2 - 0.5
            rows, columns = np.ogrid[: self.side, : self.side]
            square = ((columns - cx) ** 2 + (rows - cy) ** 2) / (radius * self.scale) ** 2
            colour = colour + (strength * np.exp(-square))[..., None] * (1 - colour)
        return np.clip(colour, 0, 1).astype(np.float32)

    def _relief(self, alpha: np.ndarray) -> np.ndarray:
        picture = Image.fromarray((alpha * 255).astype(np.uint8))
        broad_radius, fine_radius = max(1.0, 0.26 * self.scale), max(0.6, 0.07 * self.scale)
        total = np.zeros_like(alpha)
        for radius, weight in ((broad_radius, 1.6), (fine_radius, 0.5)):
            height = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
            down, right = np.gradient(height)
            total -= weight * radius * (self.light[0] * right + self.light[1] * down)
        return np.clip(total, -0.7, 0.9)

    def _texture(self, name: str) -> np.ndarray:
        shape, side = (self.side, self.side), self.side
        if name == "fur":
            return 0.16 * fractal(self.rng, shape, (side // 5, side // 2), 2)
        if name == "wood":
            return 0.2 * fractal(self.rng, shape, (side // 12, side // 3), 2)
        if name == "leaf":
            return 0.42 * fractal(self.rng, shape, (14, 14), 3)
        return 0.14 * fractal(self.rng, shape, (side // 3, side // 3), 2)

    def _pattern(self, kind: str, frequency: float) -> np.ndarray:
        x, y = self._grid()
        wave = fractal(self.rng, (self.side, self.side), (5, 5), 2)
        if kind == "stripes":
            return _step(np.sin(frequency * (x + 0.2 * wave) * math.pi), 0.25)
        if kind == "bands":
            return _step(np.sin(frequency * (y + 0.25 * wave) * math.pi), 0.25)
        if kind == "spots":
            lattice = np.sin(frequency * math.pi * (x + 0.15 * wave)) * np.sin(frequency * math.pi * y)
            return _step(np.abs(lattice) - 0.55, 0.1)
        if kind == "scales":
            row = np.floor(y * frequency)
            bow = np.hypot((x * frequency + 0.5 * row) % 1 - 0.5, y * frequency % 1)
            return _step(bow - 0.72, 0.15) * 0.6
        return _step(fractal(self.rng, (self.side, self.side), (4, 4), 2) - 0.12, 0.1)


def _ink(colour: Colour) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * min(max(c, 0.0), 1.0)) for c in colour)
    return red, green, blue, 255


def _step(field_: np.ndarray, width: float) -> np.ndarray:
    return np.clip(field_ / width * 0.5 + 0.5, 0, 1).astype(np.float32)
