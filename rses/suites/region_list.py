"""Lists of boxes, outlines or clicks that users write, one row a photograph: read and checked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.names import Locator
from rses.files.paths import path_problem
from rses.inputs.rows import read_rows
from rses.suites.coordinates import fractions_problem, inside
from rses.suites.readers.types import refuse

__all__ = ["doubles", "outline_of", "rows_by_file", "sort_rows"]

_BOX = ("x", "y", "width", "height")


def doubles(paths: Sequence[Path]) -> list[str]:
    """Say which names differ by ending or case only: their masks would be one file.

    Example:
        >>> [fault.split(":")[0] for fault in doubles([Path("a.png"), Path("b.png"), Path("A.jpg")])]
        ['a.png', 'A.jpg']
    """
    stems = Counter(path.stem.casefold() for path in paths)
    return [f"{path.name}: its name differs from another's by ending or case only" for path in paths
            if stems[path.stem.casefold()] > 1]  # fmt: skip


def outline_of(row: Mapping[str, Any], name: str, width: int, height: int) -> list[float]:
    """Return the outline ``[x0, y0, x1, y1, ...]`` that a row gives as ``points`` or as a box.

    Args:
        row: ``x``, ``y``, ``width``, ``height``, or ``points``; in pixels.
        name: What messages call it.
        width: Width of the image.
        height: Height of the image.

    Raises:
        InputError: No numbers, fewer than three points, fractions of the image's size instead of pixels, or it
            reaches outside the image by more than :data:`rses.suites.coordinates.OVERHANG`.

    Example:
        >>> outline_of({"x": "1", "y": "2", "width": "3", "height": "4"}, "a.png", 10, 10)
        [1.0, 2.0, 4.0, 2.0, 4.0, 6.0, 1.0, 6.0]
    """
    try:
        if row.get("points"):
            points = [float(value) for value in row["points"]]
        else:
            x, y, across, down = (float(row[key]) for key in _BOX)
            points = [x, y, x + across, y, x + across, y + down, x, y + down]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name}: needs numbers {', '.join(_BOX)}, or points ({error!r})") from error
    if len(points) < 6 or len(points) % 2 or not all(math.isfinite(value) for value in points):
        raise InputError(f"{name}: an outline needs at least three x, y pairs of finite numbers")
    if problem := fractions_problem(points, width, height):
        raise InputError(f"{name}: {problem}")
    return inside(points, name, width, height)


def rows_by_file(file: Path, images: Path) -> dict[str, dict[str, Any]]:
    """Read a list of rows with a ``file_name`` each.

    Args:
        file: A CSV file with a heading, or a JSON list of objects.
        images: The folder that the names are to be found in.

    Returns:
        The rows by file name, in the list's order.

    Raises:
        InputError: The list cannot be read, or names are absent, twice there, or lead elsewhere; lists all.
    """
    found, problems = sort_rows(file, images)
    refuse(problems, f"{file} cannot be used, {len(problems)} faults:")
    return found


def sort_rows(file: Path, images: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Do the same, but return what is wrong with names beside the rows that are right.

    Raises:
        InputError: The list cannot be read.
    """
    problems = []
    found: dict[str, dict[str, Any]] = {}
    locate = Locator()
    for row in _table(file):
        name = row["file_name"]
        # Links are followed: the folder is the user's own.
        if fault := path_problem(None, name):
            problems.append(f'"{name}" {fault}')
            continue
        name = locate(images / name).relative_to(images).as_posix()
        if not (images / name).is_file():
            dangling = ", a link to a file that does not exist" if (images / name).is_symlink() else ""
            problems.append(f'"{name}" is listed but absent from {images}{dangling}')
        elif name in found:
            problems.append(f'"{name}" has two rows; one region a photograph')
        else:
            found[name] = row
    return found, problems


def _table(file: Path) -> list[dict[str, Any]]:
    rows = [row for _, row in read_rows(file, ("file_name",))]
    if not rows or not all(row.get("file_name") and isinstance(row["file_name"], str) for row in rows):
        raise InputError(f"{file} must be a CSV file or a JSON list whose rows have a file_name.")
    return rows
