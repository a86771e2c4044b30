"""At which size a method works; its answer is resized back, so that every pixel keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from rses.images import nearest_aspect
from rses.images import resize_array as resize

__all__ = ["Buckets", "Near", "SizeRule", "Wide", "resize", "resize_mask"]


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


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W) bool to (width, height) by nearest neighbours."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST)) > 127
