"""Remove what a run left in its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from rses.files.paths import id_problem
from rses.runs.journal import EDITS, SCORES, recorded_keys, records_of

__all__ = ["forget_run", "nothing_left_behind"]

RESULTS = ("summary.json", "samples.parquet", "vlm.jsonl", "vlm.json", "report.html")
"""What speaks of the edits of a finished run."""


def forget_run(folder: Path, ids: Iterable[str] = ()) -> None:
    """Remove a run's results, its edits and its journals, in this order; files of other names stay.

    Stopped on the way it leaves no results of pictures that are gone, and no pictures that no journal knows.
    """
    names = {*ids, *recorded_keys(folder / EDITS), *recorded_keys(folder / SCORES)}
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    for name in names:
        if id_problem(name, portable=False) is None:
            (folder / "images" / f"{name}.png").unlink(missing_ok=True)
    for name in (SCORES, EDITS):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def nothing_left_behind(folder: Path) -> Iterator[None]:
    """If the block fails before a first edit is kept, remove what it began, so that another try is not blocked.

    A folder that held a run before stays as it is.
    """
    before = [name for name in (EDITS, SCORES, *RESULTS) if (folder / name).exists()]
    try:
        yield
    except BaseException:
        if not before and not _has_edits(folder):
            forget_run(folder)
            with contextlib.suppress(OSError):
                (folder / "images").rmdir()
        raise


def _has_edits(folder: Path) -> bool:
    return any(record.get("status") == "done" for record in records_of(folder / EDITS))
