"""Checks that read only file headers, so that a bad folder is refused before hours of scoring."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rses.errors import InputError
from rses.images.decode import image_size, turned_note
from rses.inputs.sample import Sample

__all__ = ["check_units"]


def check_units(units: Iterable[Sample], allow_resize: bool) -> None:
    """Check every file's header and every size, and report all problems at once.

    Args:
        units: Samples with paths.
        allow_resize: Predictions of another size are accepted.

    Raises:
        InputError: With one sentence a problem.
    """
    problems = [problem for unit in units for problem in _check(unit, allow_resize)]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def _check(unit: Sample, allow_resize: bool) -> list[str]:
    problems: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for role in ("image", "pred", "mask"):
        path = getattr(unit, role)
        if path is None:
            continue
        try:
            sizes[role] = image_size(Path(path))
        except InputError as error:
            problems.extend(error.problems)
    expected = sizes.get("image", sizes.get("pred"))
    if expected is None or problems:
        return problems
    height, width = expected
    for role, (rows, columns) in sizes.items():
        if (rows, columns) == expected or (role == "pred" and allow_resize):
            continue
        remedy = (
            "Save predictions at the source's size, or pass --allow-resize to have them resized (and marked so)."
            if role == "pred"
            else "Masks must have exactly the source's size."
        )
        problems.append(
            f"{getattr(unit, role)} is {columns}x{rows}, expected {width}x{height} (width x height). {remedy}"
            + turned_note(unit.image, (rows, columns))
            + turned_note(getattr(unit, role), expected)
        )
    return problems
