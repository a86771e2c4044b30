"""Which photographs to segment, and where in them: read and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.files.paths import id_problem
from rses.images.decode import image_size
from rses.suites.photographs import find_photographs
from rses.suites.region_list import Clicks, doubles, of_row, outline_of, sort_rows
from rses.suites.segment.base import Prompt
from rses.suites.shapes import fractions_problem, inside


@dataclass(frozen=True)
class Job:
    """One mask to make."""

    key: str
    path: Path
    prompt: Prompt


def read_jobs(images: Path, *, boxes: Path | None = None, points: Path | None = None) -> list[Job]:
    """Read a list of boxes or of clicks. Exactly one of both is to be given.

    Args:
        images: The photographs.
        boxes: CSV or JSON list with ``file_name`` and ``x``, ``y``, ``width``, ``height``, as for ``rses suites build
            folder --regions``; the box of an outline is taken.
        points: CSV or JSON list with ``file_name`` and ``x``, ``y`` of one click on the object, or, in JSON,
            ``points`` ``[x0, y0, x1, y1, ...]`` and, where some are beside the object, ``labels`` (1 on it, 0 not).

    Raises:
        InputError: A list that cannot be read, photographs that are absent or unreadable, names that lead elsewhere,
            places outside the image; lists all.
    """
    if (boxes is None) == (points is None):
        raise InputError("Give exactly one of --boxes and --points.", code="exclusive")
    if not images.is_dir():
        raise InputError(
            f"{images} is not a folder. Give the folder of photographs with --images.",
            code="not-a-folder",
            place=Place(str(images)),
        )
    file = boxes or points
    assert file is not None
    rows, problems = sort_rows(file, images)
    jobs = []
    for name, row in rows.items():
        try:
            jobs.append(_job(images / name, name, row, boxes is not None))
        except InputError as error:
            problems += error.problems
    problems += doubles([job.path for job in jobs])
    if problems:
        raise InputError(problems, f"No mask was made, {len(problems)} faults:")
    return jobs


def unlisted(images: Path, jobs: list[Job]) -> list[str]:
    """Return the names of photographs that have no row."""
    known = {job.path.name for job in jobs}
    return [path.name for path in find_photographs(images)[0] if path.name not in known]


def _job(path: Path, name: str, row: Mapping[str, Any], box: bool) -> Job:
    if "/" in name:
        raise InputError(f"{name}: lies in a folder of its own; put the photographs side by side", code="bad-path")
    if fault := id_problem(path.stem):
        raise InputError(f'"{path.stem}" {fault}', code="bad-id")
    height, width = image_size(path)
    return Job(path.stem, path, (_box if box else _clicks)(row, name, width, height))


def _box(row: Mapping[str, Any], name: str, width: int, height: int) -> Prompt:
    outline = outline_of(row, name, width, height)
    xs, ys = outline[::2], outline[1::2]
    found = (min(xs), min(ys), max(xs), max(ys))
    if found[2] - found[0] < 1 or found[3] - found[1] < 1:
        size = f"{found[2] - found[0]:g}x{found[3] - found[1]:g}"
        raise InputError(f"{name}: its box is {size} pixels, expected at least 1x1", code="out-of-range")
    return Prompt(box=found)


def _clicks(row: Mapping[str, Any], name: str, width: int, height: int) -> Prompt:
    clicks = of_row(Clicks, row, name)
    values = clicks.places
    # The corner pixels are clicked with whole numbers; fractions below 1 are those of the image.
    if any(not value.is_integer() for value in values) and (problem := fractions_problem(values, width, height)):
        raise InputError(f"{name}: {problem}", code="fractions")
    within = inside(values, name, width, height)
    # A click on the far edge means the last pixel.
    xs, ys = ([value if value < limit else limit - 0.5 for value in part]
              for part, limit in ((within[::2], width), (within[1::2], height)))  # fmt: skip
    points = tuple(zip(xs, ys, strict=True))
    return Prompt(points=points, labels=tuple(map(bool, clicks.labels)) or (True,) * len(points))
