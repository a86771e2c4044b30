"""Lists of boxes, outlines or clicks that users write, one row per photograph: read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from rses.errors import InputError, Place, Problem
from rses.files.names import Locator
from rses.files.paths import path_problem
from rses.inputs.rows import read_rows
from rses.schema import FEW, AnyRecord, Numbers, Record, check, fault
from rses.suites.shapes import fractions_problem, inside

_BOX = ("x", "y", "width", "height")


def _number(value: Any) -> Any:
    """A table holds texts; a blank field is none at all."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if value.strip() else None
    except ValueError:
        return value


Number = Annotated[float | None, BeforeValidator(_number)]
Length = Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_number)]


class Region(Record, extra="ignore"):
    """Where a row says that the region is: a box, or an outline ``[x0, y0, x1, y1, ...]``; in pixels."""

    x: Number = None
    y: Number = None
    width: Length = None
    height: Length = None
    points: Annotated[Numbers, BeforeValidator(lambda value: () if value in (None, "") else value)] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Region:
        box = [key for key in _BOX if getattr(self, key) is not None]
        if box and self.points:
            raise fault("ambiguous", f"has both points and {', '.join(box)}; give the box or the outline")
        if not self.points and len(box) < len(_BOX):
            raise fault("missing-key", f"needs numbers {', '.join(_BOX)}, or points")
        if self.points and (len(self.points) < 6 or len(self.points) % 2):
            raise fault("wrong-length", "an outline needs at least three x, y pairs")
        return self

    def outline(self) -> Sequence[float]:
        """Return the outline, that of a box from its top left corner."""
        if self.points:
            return self.points
        x, y, across, down = (float(getattr(self, key)) for key in _BOX)
        return [x, y, x + across, y, x + across, y + down, x, y + down]


class Clicks(Record, extra="ignore"):
    """Where a row says that the object is: one click, or ``points`` with ``labels``, 1 on the object and 0 beside."""

    x: Number = None
    y: Number = None
    points: Numbers = ()
    labels: Annotated[tuple[Annotated[int, Field(ge=0, le=1)], ...], FEW] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Clicks:
        if self.points and (self.x is not None or self.y is not None):
            raise fault("ambiguous", "has both points and x, y; give one of them")
        if not self.points and (self.x is None or self.y is None):
            raise fault("missing-key", "needs numbers x, y, or points")
        if len(self.points) % 2:
            raise fault("wrong-length", "clicks are x, y pairs")
        if self.labels and (len(self.labels) != len(self.places) // 2 or not any(self.labels)):
            raise fault("wrong-length", "needs one label per click, and at least one click on the object (1)")
        return self

    @property
    def places(self) -> tuple[float, ...]:
        """The coordinates x0, y0, x1, y1, ..."""
        return self.points or (float(self.x or 0), float(self.y or 0))


def of_row(kind: type[AnyRecord], row: Mapping[str, Any], name: str) -> AnyRecord:
    """Read what a row says."""
    try:
        return check(kind, dict(row))
    except InputError as error:
        raise InputError([Problem(problem.rstrip("."), problem.code, replace(problem.place, file=name)).within(name)
                          for problem in error.problems]) from error  # fmt: skip


def doubles(paths: Sequence[Path]) -> list[Problem]:
    """Say which names differ by ending or case only: their masks would be one file.

    Example:
        >>> [fault.split(":")[0] for fault in doubles([Path("a.png"), Path("b.png"), Path("A.jpg")])]
        ['a.png', 'A.jpg']
    """
    stems = Counter(path.stem.casefold() for path in paths)
    return [Problem(f"{path.name}: its name differs from another's by ending or case only", "ambiguous")
            for path in paths if stems[path.stem.casefold()] > 1]  # fmt: skip


def outline_of(row: Mapping[str, Any], name: str, width: int, height: int) -> list[float]:
    """Return the outline ``[x0, y0, x1, y1, ...]`` that a row gives as ``points`` or as a box.

    Args:
        row: ``x``, ``y``, ``width``, ``height``, or ``points``; in pixels.
        name: What messages call it.
        width: Width of the image.
        height: Height of the image.

    Raises:
        InputError: No numbers, a box without an area or beside points, fewer than three points, fractions of the
            image's size instead of pixels, or more than `rses.suites.shapes.OVERHANG` outside the image.

    Example:
        >>> outline_of({"x": "1", "y": "2", "width": "3", "height": "4"}, "a.png", 10, 10)
        [1.0, 2.0, 4.0, 2.0, 4.0, 6.0, 1.0, 6.0]
    """
    points = of_row(Region, row, name).outline()
    if problem := fractions_problem(points, width, height):
        raise InputError(f"{name}: {problem}", code="fractions", place=Place(name))
    return inside(points, name, width, height)


def rows_by_file(file: Path, images: Path) -> dict[str, dict[str, Any]]:
    """Read a list of rows with a ``file_name`` each."""
    found, problems = sort_rows(file, images)
    if problems:
        raise InputError(problems, f"{file} cannot be used, {len(problems)} faults:")
    return found


def sort_rows(file: Path, images: Path) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """Do the same, but return what is wrong with names beside the rows that are right."""
    problems = []
    found: dict[str, dict[str, Any]] = {}
    locate = Locator()
    for row in _table(file):
        name = row["file_name"]
        # Links are followed: the folder is the user's own.
        if fault := path_problem(None, name):
            problems.append(Problem(f'"{name}" {fault}', "bad-path"))
            continue
        name = locate(images / name).relative_to(images).as_posix()
        if not (images / name).is_file():
            dangling = ", a link to a file that does not exist" if (images / name).is_symlink() else ""
            text = f'"{name}" is listed but absent from {images}{dangling}. Put it there, or take out its row'
            problems.append(Problem(text, "missing-file"))
        elif name in found:
            problems.append(Problem(f'"{name}" has two rows; one region per photograph', "used-twice"))
        else:
            found[name] = row
    return found, problems


def _table(file: Path) -> list[dict[str, Any]]:
    rows = [row for _, row in read_rows(file, ("file_name",))]
    if not rows or not all(row.get("file_name") and isinstance(row["file_name"], str) for row in rows):
        raise InputError(
            f"{file} must be a CSV file or a JSON list whose rows have a file_name.",
            code="missing-key",
            place=Place(str(file)),
        )
    return rows
