"""One rule for coordinates that users and data sets give: pixels of the picture, and how far they may miss it."""

from __future__ import annotations

from collections.abc import Sequence

from rses.errors import InputError

__all__ = ["OVERHANG", "fractions_problem", "inside"]

OVERHANG = 0.5
"""Pixels by which coordinates may lie beyond the edge, as tools round them; they are moved to the edge.

The annotation of COCO strays further; `rses.suites.readers.coco_check` has a bound of its own."""


def fractions_problem(points: Sequence[float], width: int, height: int) -> str | None:
    """Say that coordinates are fractions of the image's size where pixels are expected, or return None.

    Args:
        points: ``[x0, y0, x1, y1, ...]`` of one region.
        width: Width of the image.
        height: Height of the image.

    Example:
        >>> fractions_problem([0.1, 0.1, 0.9, 0.9], 640, 480)
        'all its coordinates are from 0 to 1, as fractions of the image are; give pixels: x times 640, y times 480'
        >>> fractions_problem([0, 0, 2, 2], 640, 480) is None
        True
    """
    if max(width, height) <= 2 or not points or not all(0 <= value <= 1 for value in points):
        return None
    return (
        f"all its coordinates are from 0 to 1, as fractions of the image are; give pixels: x times {width}, "
        f"y times {height}"
    )


def inside(points: Sequence[float], name: str, width: int, height: int) -> list[float]:
    """Move points that lie at most :data:`OVERHANG` beyond the image to its edge.

    Args:
        points: ``[x0, y0, x1, y1, ...]`` in pixels.
        name: What messages call them.
        width: Width of the image.
        height: Height of the image.

    Raises:
        InputError: A point lies further outside.

    Example:
        >>> inside([-0.4, 3.0, 10.4, 5.0], "a.png", 10, 5)
        [0.0, 3.0, 10.0, 5.0]
    """
    xs, ys = points[::2], points[1::2]
    if min(xs) < -OVERHANG or min(ys) < -OVERHANG or max(xs) > width + OVERHANG or max(ys) > height + OVERHANG:
        reach = f"x {min(xs):g}..{max(xs):g}, y {min(ys):g}..{max(ys):g}"
        raise InputError(f"{name}: its region reaches {reach}, outside the image of {width}x{height}")
    limits = (float(width), float(height))
    return [min(max(float(value), 0.0), limits[place % 2]) for place, value in enumerate(points)]
