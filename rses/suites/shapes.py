"""Regions as data sets write them, polygons and run lengths, drawn as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["draw_coco_polygons", "draw_polygons", "marks_pixels", "run_lengths", "unfold_runs", "unfold_starts"]

Mask = NDArray[np.bool_]


def draw_polygons(polygons: Sequence[Sequence[float]], width: int, height: int, outlines: bool = False) -> Mask:
    """Draw the union of polygons; a pixel belongs to one if its centre is inside it (even-odd rule).

    Args:
        polygons: Each ``[x0, y0, x1, y1, ...]`` in pixels, (0, 0) being the corner of the image.
        width: Width of the image.
        height: Height of the image.
        outlines: Points are pixels, and those that the outline passes through belong to the region, as labelme and
            its converters mean it.

    Returns:
        Array (height, width) of booleans.

    Example:
        >>> draw_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], 4, 3).astype(int).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    mask = np.zeros((height, width), dtype=bool)
    if outlines:
        picture = Image.new("1", (width, height))
        for polygon in polygons:
            ImageDraw.Draw(picture).polygon(list(polygon), fill=1, outline=1)
        return np.array(picture, dtype=bool)
    for polygon in polygons:
        points = np.asarray(polygon, dtype=float).reshape(-1, 2)
        mask |= _draw(points, width, height)
    return mask


def _draw(points: NDArray[np.float64], width: int, height: int) -> Mask:
    # Each edge toggles the first pixel to its right; the running parity along a row is the inside.
    toggles = np.zeros((height, width + 1), dtype=bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        top, bottom = min(y0, y1), max(y0, y1)
        rows = np.arange(max(0, int(np.ceil(top - 0.5))), min(height, int(np.ceil(bottom - 0.5))))
        crossings = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        toggles[rows, np.clip(np.ceil(crossings - 0.5), 0, width).astype(int)] ^= True
    return np.logical_xor.accumulate(toggles, axis=1)[:, :width]


def draw_coco_polygons(polygons: Sequence[Sequence[float]], width: int, height: int) -> Mask:
    """Draw the union of polygons with the pixels that COCO's own API gives them.

    Its rule: outlines are walked in steps of a fifth of a pixel, and a column of pixels changes between outside and
    inside, from top to bottom, where the walk crosses the column's middle; the row is rounded up.

    Args:
        polygons: Each ``[x0, y0, x1, y1, ...]`` in pixels, (0, 0) being the corner of the image.
        width: Width of the image.
        height: Height of the image.

    Returns:
        Array (height, width) of booleans.

    Example:
        >>> draw_coco_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], 4, 3).astype(int).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        corners = np.trunc(_FINE * np.asarray(polygon, dtype=float).reshape(-1, 2) + 0.5).astype(np.int64)
        toggles = np.zeros(width * height + 1, dtype=np.int64)
        np.add.at(toggles, _crossings(_walk(corners), width, height), 1)
        mask |= (np.cumsum(toggles[:-1]) % 2 == 1).reshape(width, height).T
    return mask


_FINE = 5


def _walk(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Points of the fine grid along the closed outline, (n, 2); of equal corners one is left out."""
    pieces = [corners[:1]]
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = int(abs(end[0] - start[0]) < abs(end[1] - start[1]))  # the axis in which the edge is longer
        steps = abs(int(end[along] - start[along]))
        if steps == 0:
            continue
        # Each edge is walked upwards, so that both its sides agree, and turned round afterwards if need be.
        low, high = (start, end) if start[along] <= end[along] else (end, start)
        count = np.arange(steps + 1)
        points = np.empty((steps + 1, 2), dtype=np.int64)
        slope = (high[1 - along] - low[1 - along]) / steps
        points[:, along] = low[along] + count
        points[:, 1 - along] = np.trunc(low[1 - along] + slope * count + 0.5)
        pieces.append(points if low is start else points[::-1])
    return np.concatenate(pieces)


def _crossings(walk: NDArray[np.int64], width: int, height: int) -> NDArray[np.int64]:
    """Places, counted down the columns, where a walk crosses the middle of a column."""
    before, after = walk[:-1], walk[1:]
    moved = before[:, 0] != after[:, 0]
    before, after = before[moved], after[moved]
    left = np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1)
    columns = (left + 0.5) / _FINE - 0.5
    kept = (columns == np.floor(columns)) & (columns >= 0) & (columns <= width - 1)
    rows = (np.minimum(before[:, 1], after[:, 1])[kept] + 0.5) / _FINE - 0.5
    places: NDArray[np.int64] = columns[kept].astype(np.int64) * height
    places += np.ceil(np.clip(rows, 0, height)).astype(np.int64)
    return places


def run_lengths(text: str) -> list[int]:
    """Decode the compressed counts of COCO.

    Each count is written in groups of five bits as printable characters, and from the fourth on as the
    difference to the count two before it.

    Raises:
        ValueError: The text ends within a count or holds a character outside the code.

    Example:
        >>> run_lengths("023")
        [0, 2, 3]
    """
    counts: list[int] = []
    position = 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            if position >= len(text):
                raise ValueError("the run lengths end within a number")
            code = ord(text[position]) - 48
            if not 0 <= code < 64:
                raise ValueError(f"the run lengths hold the character {text[position]!r}")
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            shift += 5
            position += 1
            if shift > 60:
                raise ValueError("the run lengths hold a number that no image has pixels for")
            if not more and code & 0x10:
                value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def unfold_runs(counts: Any, width: int, height: int) -> Mask:
    """Turn COCO run lengths, compressed text or a list, into a mask.

    Runs go down the columns and begin with background.

    Args:
        counts: Text of `run_lengths`, or a list of whole numbers.
        width: Width of the image.
        height: Height of the image.

    Returns:
        Array (height, width) of booleans.

    Raises:
        ValueError: A run is negative or no number, or the runs do not cover the image exactly.

    Example:
        >>> unfold_runs([1, 2, 1], 2, 2).astype(int).tolist()
        [[0, 1], [1, 0]]
    """
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", "replace")
    runs = run_lengths(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise ValueError("the run lengths are not whole numbers from 0 up")
    if sum(runs) != width * height:
        raise ValueError(f"the run lengths cover {sum(runs)} pixels, the image has {width}x{height} = {width * height}")
    values = np.arange(len(runs)) % 2 == 1
    mask: Mask = np.repeat(values, runs).reshape((width, height)).T.copy()
    return mask


def unfold_starts(code: Any, width: int, height: int, base: int, cut: bool = False) -> Mask:
    """Turn a list of (start, length) pairs, as PIE-Bench and BrushBench write them, into a mask.

    Starts count along the rows.

    Args:
        code: Flat list ``[start, length, start, length, ...]`` of whole numbers or texts of them.
        width: Width of the image.
        height: Height of the image.
        base: Number of the first pixel: 0 for PIE-Bench, 1 for BrushBench.
        cut: Cut runs that pass the last pixel, instead of refusing them.

    Returns:
        Array (height, width) of booleans.

    Raises:
        ValueError: The list is of odd length, or holds something else than numbers, or a run lies outside.

    Example:
        >>> unfold_starts([1, 2], 3, 2, base=0).astype(int).tolist()
        [[0, 1, 1], [0, 0, 0]]
        >>> unfold_starts([1, 2], 3, 2, base=1).astype(int).tolist()
        [[1, 1, 0], [0, 0, 0]]
    """
    starts, ends = _runs(code, width * height, base, cut)
    # Runs may overlap, so ends are counted rather than toggled.
    steps = np.zeros(width * height + 1, dtype=np.int32)
    np.add.at(steps, starts, 1)
    np.add.at(steps, ends, -1)
    mask: Mask = (np.cumsum(steps)[:-1] > 0).reshape(height, width)
    return mask


def marks_pixels(code: Any, pixels: int, base: int, cut: bool = False) -> bool:
    """Check a coding of `unfold_starts` without drawing it, and say whether it marks any pixel.

    Raises:
        ValueError: As `unfold_starts` does.

    Example:
        >>> marks_pixels([0, 2], 6, base=0), marks_pixels([0, 0], 6, base=0)
        (True, False)
    """
    starts, ends = _runs(code, pixels, base, cut)
    return bool((ends > starts).any())


def _runs(code: Any, pixels: int, base: int, cut: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    numbers = [int(entry) for entry in code]
    if any(abs(number) > 1 << 40 for number in numbers):
        raise ValueError("starts and lengths hold a number that no image has pixels for")
    return numbers
