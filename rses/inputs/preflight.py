"""Checks that read only file headers, so that a bad folder is refused before hours of scoring."""

from __future__ import annotations

from collections.abc import Iterable

from rses.errors import InputError, Place, Problem
from rses.images.decode import image_size, turned_note
from rses.images.file import FILES, FileCache
from rses.inputs.sample import Sample


def check_samples(samples: Iterable[Sample], allow_resize: bool, files: FileCache) -> None:
    """Check every file's header and every size, and report all problems at once."""
    problems = [problem for sample in samples for problem in _check(sample, allow_resize, files)]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def _check(sample: Sample, allow_resize: bool, files: FileCache) -> list[str]:
    problems: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for role in ("image", "pred", "mask"):
        image = getattr(sample, role)
        if not isinstance(image, FILES):
            continue
        try:
            sizes[role] = image_size(files(image))
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
        text = (
            f"{getattr(sample, role)} is {columns}x{rows}, expected {width}x{height} (width x height). {remedy}"
            + turned_note(sample.image, (rows, columns))
            + turned_note(getattr(sample, role), expected)
        )
        problems.append(Problem(text, "wrong-size", Place(str(getattr(sample, role)))))
    return problems
