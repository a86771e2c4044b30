"""Regions as data sets and users write them: coordinates, polygons and run lengths, drawn as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rses.errors import InputError, require

Mask = NDArray[np.bool_]

OVERHANG = 0.5
"""Pixels by which a user's coordinates may lie beyond the edge, as tools round them; they are moved to the edge.

The annotation of COCO strays further; `rses.suites.readers.coco_entries` has a bound of its own."""
PIXELS = "Coordinates are pixels of the upright image, from its top left corner"
MOST_BITS = 60


def fractions_problem(points: Sequence[float], width: int, height: int) -> str | None:
    """Say that all coordinates of a region are fractions of the image's size where pixels are expected, or return None.

    Example:
        >>> fractions_problem([0.1, 0.1, 0.9, 0.9], 640, 480).split(". ")[0]
        'all its coordinates are from 0 to 1, as fractions of the image are'
        >>> fractions_problem([0, 0, 2, 2], 640, 480) is None
        True
    """
    if max(width, height) <= 2 or not points or not all(0 <= value <= 1 for value in points):
        return None
    # What to do is a sentence of its own, and the same for all pictures, so that messages give it once.
    return (
        "all its coordinates are from 0 to 1, as fractions of the image are. Give pixels: x times its width, y times "
        "its height"
    )


def inside(points: Sequence[float], name: str, width: int, height: int) -> list[float]:
    """Move points ``[x0, y0, x1, y1, ...]`` that lie at most `OVERHANG` beyond the image to its edge.

    Example:
        >>> inside([-0.4, 3.0, 10.4, 5.0], "a.png", 10, 5)
        [0.0, 3.0, 10.0, 5.0]
    """
    xs, ys = points[::2], points[1::2]
    if min(xs) < -OVERHANG or min(ys) < -OVERHANG or max(xs) > width + OVERHANG or max(ys) > height + OVERHANG:
        reach = f"x {min(xs):g}..{max(xs):g}, y {min(ys):g}..{max(ys):g}"
        raise InputError(f"{name}: its region reaches {reach}, outside the image of {width}x{height}. {PIXELS}",
                         code="outside")  # fmt: skip
    limits = (float(width), float(height))
    return [min(max(float(value), 0.0), limits[place % 2]) for place, value in enumerate(points)]


def draw_polygons(polygons: Sequence[Sequence[float]], width: int, height: int) -> Mask:
    """Draw the union of polygons; a pixel belongs to one if its centre is inside it (even-odd rule).

    Args:
        polygons: Each ``[x0, y0, x1, y1, ...]`` in pixels, (0, 0) being the corner of the image.
        width: Width of the image; the result is (height, width).
        height: Its height.

    Example:
        >>> draw_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], 4, 3).astype(int).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        points = np.asarray(polygon, dtype=float).reshape(-1, 2)
        # Each edge toggles the first pixel to its right; the running parity along a row is the inside.
        toggles = np.zeros((height, width + 1), dtype=bool)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if y0 != y1:
                top, bottom = min(y0, y1), max(y0, y1)
                rows = np.arange(max(0, int(np.ceil(top - 0.5))), min(height, int(np.ceil(bottom - 0.5))))
                crossings = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                toggles[rows, np.clip(np.ceil(crossings - 0.5), 0, width).astype(int)] ^= True
        mask |= np.logical_xor.accumulate(toggles, axis=1)[:, :width]
    return mask


def draw_outlines(polygons: Sequence[Sequence[float]], width: int, height: int) -> Mask:
    """Draw polygons as labelme means them: points are pixels, and the outline belongs to the region."""
    picture = Image.new("1", (width, height))
    for polygon in polygons:
        ImageDraw.Draw(picture).polygon(list(polygon), fill=1, outline=1)
    return np.array(picture, dtype=bool)


def draw_coco_polygons(polygons: Sequence[Sequence[float]], width: int, height: int) -> Mask:
    """Draw the union of polygons with the pixels that COCO's own API gives them.

    Example:
        >>> draw_coco_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], 4, 3).astype(int).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    api = require("pycocotools.mask", "coco")
    drawn = api.decode(api.merge(api.frPyObjects([list(map(float, polygon)) for polygon in polygons], height, width)))
    return np.asarray(drawn, dtype=bool)


def run_lengths(text: str) -> list[int]:
    """Decode the compressed counts of COCO.

    Each count is written in groups of five bits as printable characters, and from the fourth on as the difference to
    the count two before it. COCO's own API reads past the end of unsound text, so untrusted text does not get there.

    Raises:
        ValueError: The text ends within a count or holds a character outside the code.

    Example:
        >>> run_lengths("023")
        [0, 2, 3]
    """
    counts: list[int] = []
    value = shift = code = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64:
            raise ValueError(f"the run lengths hold the character {letter!r}")
        value |= (code & 0x1F) << shift
        shift += 5
        if shift > MOST_BITS:
            raise ValueError("the run lengths hold a number that no image has pixels for")
        if not code & 0x20:
            value |= -1 << shift if code & 0x10 else 0
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift:
        raise ValueError("the run lengths end within a number")
    return counts


def unfold_runs(counts: Any, width: int, height: int) -> Mask:
    """Turn COCO run lengths, compressed text or a list of whole numbers, into a mask.

    Runs go down the columns and begin with background.

    Raises:
        ValueError: A run is negative or no number, or the runs do not cover the image exactly.

    Example:
        >>> unfold_runs([1, 2, 1], 2, 2).astype(int).tolist()
        [[0, 1], [1, 0]]
    """
    runs = run_lengths(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise ValueError("the run lengths are not whole numbers from 0 up")
    if sum(runs) != width * height:
        raise ValueError(f"the run lengths cover {sum(runs)} pixels, the image has {width}x{height} = {width * height}")
    mask: Mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((width, height)).T.copy()
    return mask


def unfold_starts(code: Any, width: int, height: int, base: int, cut: bool = False) -> Mask:
    """Turn a list of (start, length) pairs, as PIE-Bench and BrushBench write them, into a mask.

    Starts count along the rows, from ``base``.

    Example:
        >>> unfold_starts([1, 2], 3, 2, base=0).astype(int).tolist()
        [[0, 1, 1], [0, 0, 0]]
    """
    starts, ends = starts_and_ends(code, width * height, base, cut)
    # Runs may overlap, so ends are counted rather than toggled.
    steps = np.zeros(width * height + 1, dtype=np.int32)
    np.add.at(steps, starts, 1)
    np.add.at(steps, ends, -1)
    mask: Mask = (np.cumsum(steps)[:-1] > 0).reshape(height, width)
    return mask


def starts_and_ends(
    code: Any, pixels: int, base: int, cut: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Check a coding of `unfold_starts`, and return the first pixel of each run and the one after its last.

    Args:
        code: Flat list ``[start, length, start, length, ...]`` of whole numbers or texts of them.
        pixels: How many the image has.
        base: Number of the first pixel: 0 for PIE-Bench, 1 for BrushBench.
        cut: Cut runs that pass the last pixel, instead of refusing them.

    Raises:
        ValueError: The list is of odd length, or holds something else than numbers, or a run lies outside.

    Example:
        >>> [part.tolist() for part in starts_and_ends(["1", "2"], 6, base=1)]
        [[0], [2]]
    """
    pairs = np.array(_whole_numbers(code), dtype=np.int64).reshape(-1, 2)
    starts, lengths = pairs[:, 0] - base, pairs[:, 1]
    outside = (starts < 0) | (starts >= pixels) | (lengths < 0)
    if not cut:
        outside |= starts + lengths > pixels
    if outside.any():
        start, length = pairs[outside.argmax()].tolist()
        raise ValueError(
            f"{int(outside.sum())} of {len(pairs)} runs lie outside the {pixels} pixels, "
            f"the first begins at {start} and is {length} long (pixels count from {base})"
        )
    return starts, np.minimum(starts + lengths, pixels)


def _whole_numbers(code: Any) -> list[int]:
    if not isinstance(code, list):
        raise ValueError(f"expected a list of starts and lengths, found {type(code).__name__}")
    bad = [entry for entry in code if not (type(entry) is int or isinstance(entry, str) and entry.strip().isdecimal())]
    if bad:
        raise ValueError(f"starts and lengths must be whole numbers, found {bad[0]!r}")
    if len(code) % 2:
        raise ValueError(f"starts and lengths must come in pairs, found {len(code)} numbers")
    if any(len(str(entry)) > 12 for entry in code):
        raise ValueError("starts and lengths hold a number that no image has pixels for")
    return [int(entry) for entry in code]
