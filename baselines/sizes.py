"""At which size a method works; its answer is resized back, so that every pixel keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from rses.errors import InputError
from rses.images.tensors import nearest_aspect
from rses.images.tensors import resize_array as resize

__all__ = ["Buckets", "Near", "Settled", "SizeRule", "Wide", "resize", "resize_mask", "to_bytes"]


class SizeRule(Protocol):
    """Chooses the size a picture is edited at."""

    def choose(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height)."""
        ...

    def describe(self) -> str:
        """Say the rule in words, for the card."""
        ...


@dataclass(frozen=True)
class Near:
    """Sides that keep the aspect ratio at about a given area, each a multiple of a number.

    Example:
        >>> Near(512, 64).choose(640, 480)
        (576, 448)
    """

    side: int
    multiple: int

    def choose(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height)."""
        ratio = (width / height) ** 0.5
        sides = (self.side * ratio, self.side / ratio)
        rounded = [max(self.multiple, round(side / self.multiple) * self.multiple) for side in sides]
        return rounded[0], rounded[1]

    def describe(self) -> str:
        """Say the rule in words."""
        return f"about {self.side}x{self.side} pixels, sides multiples of {self.multiple}"


@dataclass(frozen=True)
class Wide:
    """A fixed width; the height keeps the aspect ratio, as a multiple of a number.

    Example:
        >>> Wide(512, 16).choose(640, 480)
        (512, 384)
    """

    width: int
    multiple: int

    def choose(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height)."""
        rounded = round(self.width * height / width / self.multiple) * self.multiple
        return self.width, max(self.multiple, rounded)

    def describe(self) -> str:
        """Say the rule in words."""
        return f"{self.width} pixels wide, height a multiple of {self.multiple}"


@dataclass(frozen=True)
class Settled:
    """What another rule comes to when it is applied to its own answer until that stays the same.

    For pipelines that resize what they are given by a rule of their own.

    Example:
        >>> Near(1024, 32).choose(640, 440), Settled(Near(1024, 32)).choose(640, 440)
        ((1248, 864), (1216, 864))
    """

    rule: SizeRule

    def choose(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height).

        Raises:
            InputError: The rule goes round in circles.
        """
        size = self.rule.choose(width, height)
        for _ in range(16):
            before, size = size, self.rule.choose(*size)
            if size == before:
                return size
        raise InputError(
            f"No size was found at which a picture of {width} x {height} can be edited.", code="wrong-size"
        )

    def describe(self) -> str:
        """Say the rule in words."""
        return f"{self.rule.describe()}, repeated until it stays"


@dataclass(frozen=True)
class Buckets:
    """The listed (width, height) whose aspect ratio is nearest on a logarithmic scale.

    Example:
        >>> Buckets(((1024, 1024), (1184, 880))).choose(640, 480)
        (1184, 880)
    """

    sizes: Sequence[tuple[int, int]]

    def choose(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height)."""
        return nearest_aspect((width, height), self.sizes)

    def describe(self) -> str:
        """Say the rule in words."""
        return f"nearest of {len(self.sizes)} sizes: " + ", ".join(f"{w}x{h}" for w, h in self.sizes)


def to_bytes(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize floats in [0, 1] to (width, height) with a Lanczos filter and round once, at the end.

    Args:
        pixels: (H, W, 3).
        size: Width and height.

    Returns:
        (height, width, 3) uint8; values that are not finite come back as they were, so that whoever keeps the edit
        can say so.

    Example:
        >>> to_bytes(np.full((2, 2, 3), 0.5, np.float32), (4, 2)).shape
        (2, 4, 3)
    """
    if not np.isfinite(pixels).all():
        return pixels
    scaled = pixels.astype(np.float32) * 255
    if (pixels.shape[1], pixels.shape[0]) != size:
        planes = [Image.fromarray(np.ascontiguousarray(scaled[..., k])) for k in range(3)]
        scaled = np.dstack([np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes])
    return scaled.round().clip(0, 255).astype(np.uint8)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W) bool to (width, height) by nearest neighbours."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST)) > 127
