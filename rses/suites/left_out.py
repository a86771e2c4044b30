"""What a build leaves out of a suite, and what it had to assume: one record, counted by reason and named."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rses.errors import InputError

NAMED = 10
"""Names given for each reason; the rest are counted."""

REASONS = {
    "photograph-absent": "photographs not at hand",
    "photograph-entry": "unusable entries of photographs",
    "photograph-twice": "entries that lead to one photograph",
    "photograph-unreadable": "unreadable photographs",
    "photograph-none": "files that are no photographs",
    "size": "photographs of another size than their annotation",
    "annotation-entry": "unusable annotations",
    "annotation-image": "annotations of photographs that are not listed",
    "annotation-category": "annotations of unknown categories",
    "region-empty": "annotations without a region",
    "region-unreadable": "annotations whose region cannot be read",
    "region-outside": "annotations that reach out of the photograph",
    "region-relative": "annotations with coordinates from 0 to 1",
    "region-whole": "regions that cover the whole photograph",
    "mask-absent": "masks not at hand",
    "mask-unreadable": "unreadable masks",
    "mask-empty": "empty masks",
    "mask-unused": "masks of no photograph",
    "class-unknown": "objects without a class",
    "name": "names that cannot be used",
    "entry": "unusable entries",
    "unusable": "photographs that cannot be used",
    "region-part": "regions without their parts of fewer than three points",
    "orientation": "regions taken to be drawn on the upright photograph",
    "class-names": "class numbers named by the twenty classes of Pascal VOC",
}
"""What each reason means, as a heading of the things it names."""

ASSUMED = frozenset({"region-part", "orientation", "class-names"})
"""Reasons for which nothing is left out, but something is to be checked."""


@dataclass(frozen=True)
class LeftOut:
    """One thing that a build leaves out, or about which it had to assume something."""

    reason: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" if self.detail else self.name


class UnusableError(InputError):
    """One picture or annotation cannot be used; a build leaves it out and goes on."""

    def __init__(self, reason: str, name: str, detail: str = ""):
        self.left_out = LeftOut(reason, name, detail)
        super().__init__(str(self.left_out), code=reason)


class DataSetError(InputError):
    """What one picture shows makes the whole data set unusable, such as class numbers that nothing names."""


def as_left_out(error: Exception, name: str, folder: Path, reason: str = "unusable") -> LeftOut:
    """Return what an error says about one picture.

    Args:
        error: The error.
        name: What the data set calls the picture.
        folder: The data set's; names in it are given without it, so that a card is the same on every machine.
        reason: The reason where the error gives none.

    Example:
        >>> as_left_out(InputError("data/b.png is empty."), "b", Path("data"))
        LeftOut(reason='unusable', name='b', detail='b.png is empty.')
    """
    if isinstance(error, UnusableError):
        reason, name, detail = error.left_out.reason, error.left_out.name, error.left_out.detail
    else:
        detail = " ".join(error.problems) if isinstance(error, InputError) else str(error)
    inside = f"{folder}{os.sep}"
    return LeftOut(reason, name.replace(inside, ""), detail.replace(inside, ""))


def left_out_lines(entries: Sequence[LeftOut]) -> list[str]:
    r"""Return one line for each reason, with the count and the first `NAMED` names.

    Example:
        >>> left_out_lines([LeftOut("photograph-absent", "a.jpg"), LeftOut("mask-empty", "b.png", "no pixel\n")])
        ['Left out, photographs not at hand (1): a.jpg', 'Left out, empty masks (1): b.png: no pixel']
    """
    lines = []
    for reason, count in Counter(entry.reason for entry in entries).items():
        named = [_plain(str(entry)) for entry in entries if entry.reason == reason][:NAMED]
        more = [f"and {count - len(named)} more"] if count > len(named) else []
        head = "To be checked" if reason in ASSUMED else "Left out"
        lines.append(f"{head}, {REASONS[reason]} ({count}): {'; '.join([*named, *more])}")
    return lines


def _plain(text: str) -> str:
    """Return one line of at most 300 printable characters: names come from files that anyone may have written."""
    line = "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))
    return line if len(line) <= 300 else f"{line[:297]}..."
