"""Where the objects of a scene go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

KINDS = ("plain", "small", "touching", "touching_border", "multi-instance", "occluded")
Corner = tuple[int, int]


@dataclass(frozen=True)
class Sprite:
    """A cut-out object: premultiplied RGBA (h, w, 4) in [0, 1], and whether it may hang in the air."""

    pixels: np.ndarray
    floats: bool

    @property
    def solid(self) -> np.ndarray:
        """Where the object is rather than is not, (h, w) bool."""
        return self.pixels[..., 3] > 0.5


@dataclass(frozen=True)
class Layout:
    """Top-left corners (row, column) of the objects, and their indices from back to front."""

    corners: tuple[Corner, ...]
    order: tuple[int, ...]

    def window(self, index: int, sprite: Sprite, size: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where the sprite lands in the image, and the part of the sprite that does."""
        return _window(self.corners[index], sprite.pixels.shape[:2], size)


def _window(corner: Corner, shape: tuple[int, ...], size: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    spans = [(max(0, c), min(size, c + n)) for c, n in zip(corner, shape, strict=True)]
    (top, bottom), (left, right) = ((a, max(a, b)) for a, b in spans)
    row, column = corner
    return (
        (slice(top, bottom), slice(left, right)),
        (slice(top - row, bottom - row), slice(left - column, right - column)),
    )


def choose_kind(rng: np.random.Generator, n_objects: int | None) -> str:
    """Draw a kind of scene, "plain" half of the time.

    Example:
        >>> choose_kind(np.random.default_rng(0), 1) in ("plain", "small", "touching_border")
        True
    """
    if n_objects == 1:
        return str(rng.choice(["plain", "small", "touching_border"], p=[0.74, 0.13, 0.13]))
    return str(rng.choice(KINDS, p=[0.5, 0.1, 0.1, 0.08, 0.1, 0.12]))


def place(
    rng: np.random.Generator, sprites: Sequence[Sprite], kind: str, size: int, horizon: float | None
) -> Layout | None:
    """Find corners such that only what `kind` asks for overlaps.

    Returns:
        The layout, or None when no room was found.
    """
    first = _border_corner(rng, sprites[0], size, horizon) if kind == "touching_border" else None
    corners: list[Corner] = [first or _free_corner(rng, sprites[0], size, horizon)]
    taken = np.zeros((size, size), bool)
    _stamp(taken, sprites[0], corners[0])
    for index, sprite in enumerate(sprites[1:], 1):
        corner: Corner | None
        if index == 1 and kind == "touching":
            corner = _beside(rng, sprites[0], corners[0], sprite, size)
        elif index == 1 and kind == "occluded":
            corner = _in_front(rng, sprites[0], corners[0], sprite, size)
        else:
            corner = _clear(rng, sprite, taken, size, horizon)
        if corner is None:
            return None
        corners.append(corner)
        _stamp(taken, sprite, corner)
    feet = [corner[0] + sprite.pixels.shape[0] for corner, sprite in zip(corners, sprites, strict=True)]
    order = sorted(range(len(sprites)), key=lambda i: (feet[i] - size * sprites[i].floats, i))
    if kind == "occluded":
        order.remove(1)
        order.insert(order.index(0) + 1, 1)
    return Layout(tuple(corners), tuple(order))


def _stamp(taken: np.ndarray, sprite: Sprite, corner: Corner) -> None:
    target, source = _window(corner, sprite.pixels.shape[:2], taken.shape[0])
    taken[target] |= sprite.solid[source]


def _free_corner(rng: np.random.Generator, sprite: Sprite, size: int, horizon: float | None) -> Corner:
    """A corner that keeps the whole object in the image, its foot on the ground if there is one."""
    height, width = sprite.pixels.shape[:2]
    column = int(rng.integers(2, max(3, size - width - 1)))
    if horizon is None:
        return int(rng.integers(2, max(3, size - height - 1))), column
    ground = size * horizon
    if sprite.floats:
        return int(rng.integers(2, max(3, int(size * 0.92) - height))), column
    foot = ground + (size - 3 - ground) * float(rng.uniform(0.25, 1.0))
    return max(2, min(int(foot) - height, size - height - 2)), column


def _border_corner(rng: np.random.Generator, sprite: Sprite, size: int, horizon: float | None) -> Corner:
    """A corner that cuts 10 to 35 % of the object off at one side."""
    height, width = sprite.pixels.shape[:2]
    row, column = _free_corner(rng, sprite, size, horizon)
    share = float(rng.uniform(0.1, 0.35))
    side = int(rng.integers(0, 3))
    if side == 0:
        return row, -int(share * width)
    if side == 1:
        return row, size - width + int(share * width)
    return size - height + int(share * height), column


def _clear(
    rng: np.random.Generator, sprite: Sprite, taken: np.ndarray, size: int, horizon: float | None
) -> Corner | None:
    reserved = ndimage.binary_dilation(taken, np.ones((3, 3), bool), iterations=max(2, size // 48))
    for _ in range(40):
        corner = _free_corner(rng, sprite, size, horizon)
        target, source = _window(corner, sprite.pixels.shape[:2], size)
        if not (reserved[target] & sprite.solid[source]).any():
            return corner
    return None


def _overlap(target: np.ndarray, sprite: Sprite, corner: Corner) -> int:
    here, there = _window(corner, sprite.pixels.shape[:2], target.shape[0])
    return int((target[here] & sprite.solid[there]).sum())


def _beside(rng: np.random.Generator, target: Sprite, corner: Corner, sprite: Sprite, size: int) -> Corner | None:
    """Slide the object towards the target until they meet."""
    area = np.zeros((size, size), bool)
    _stamp(area, target, corner)
    height, width = sprite.pixels.shape[:2]
    foot = corner[0] + target.pixels.shape[0] + int(rng.integers(-3, 4)) * size // 128
    row = min(max(1, foot - height), size - height - 1)
    step = -1 if rng.random() < 0.5 else 1
    column = corner[1] + target.pixels.shape[1] if step < 0 else corner[1] - width
    for _ in range(size):
        if _overlap(area, sprite, (row, column)):
            return (row, column) if -width * 0.3 < column < size - width * 0.7 else None
        column += step
    return None


def _in_front(rng: np.random.Generator, target: Sprite, corner: Corner, sprite: Sprite, size: int) -> Corner | None:
    """Cover a fifth to a half of the target."""
    area = np.zeros((size, size), bool)
    _stamp(area, target, corner)
    height, width = sprite.pixels.shape[:2]
    foot = corner[0] + target.pixels.shape[0]
    for _ in range(60):
        row = foot + int(rng.uniform(0, 0.1) * size) - height
        column = corner[1] + int(rng.uniform(-0.8, 1.0) * target.pixels.shape[1])
        inside = -width * 0.3 < column < size - width * 0.7 and row + height <= size * 1.12
        if inside and 0.2 <= _overlap(area, sprite, (row, column)) / max(1, area.sum()) <= 0.5:
            return row, column
    return None
