"""Checks that read only file headers, so that a bad folder is refused before hours of scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rses.errors import InputError
from rses.images import image_size
from rses.loading import Unit

__all__ = ["check_units"]


def check_units(units: Iterable[Unit], allow_resize: bool, check_text: Callable[[Unit], object] | None) -> None:
    """Check every file's header, every size and every text, and report all problems at once.

    Args:
        units: Samples with paths.
        allow_resize: Predictions of another size are accepted.
        check_text: Raises :class:`InputError` for a unit without the text it needs; ``None`` to skip.

    Raises:
        InputError: With one sentence a problem.
    """
    problems: list[str] = []
    for unit in units:
        problems.extend(_check(unit, allow_resize))
        if check_text is not None:
            try:
                check_text(unit)
            except InputError as error:
                problems.extend(error.problems)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def _check(unit: Unit, allow_resize: bool) -> list[str]:
    problems: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for role in ("source", "pred", "mask"):
        path = getattr(unit, role)
        if path is None:
            continue
        try:
            sizes[role] = image_size(Path(path))
        except InputError as error:
            problems.extend(error.problems)
    expected = sizes.get("source", sizes.get("pred"))
    if expected is None or problems:
        return problems
    height, width = expected
    for role, (rows, columns) in sizes.items():
        if (rows, columns) == expected or (role == "pred" and allow_resize):
            continue
        remedy = (
            "save predictions at the source's size, or pass --allow-resize to have them resized (and marked so)"
            if role == "pred"
            else "masks must have exactly the source's size"
        )
        problems.append(
            f"{getattr(unit, role)} is {columns}x{rows}, expected {width}x{height} (width x height): {remedy}."
        )
    return problems
