"""Remove what a run left in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rses.journal import recorded_keys
from rses.metadata import safe_id

__all__ = ["EDITS", "SCORES", "forget_run"]

EDITS, SCORES = "generation.jsonl", "journal.jsonl"
"""Journals of the edits and of their scores."""
RESULTS = ("summary.json", "samples.parquet", "vlm.jsonl", "vlm.json", "report.html")
"""What speaks of the edits of a finished run."""


def forget_run(folder: Path, ids: Iterable[str] = ()) -> None:
    """Remove a run's results, its edits and its journals, in this order; files of other names stay.

    Stopped on the way it leaves no results of pictures that are gone, and no pictures that no journal knows.

    Args:
        folder: Run folder.
        ids: Samples whose edits go, beside those that the journals name.
    """
    names = {*ids, *recorded_keys(folder / EDITS), *recorded_keys(folder / SCORES)}
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    for name in names:
        if safe_id(name):
            (folder / "images" / f"{name}.png").unlink(missing_ok=True)
    for name in (SCORES, EDITS):
        (folder / name).unlink(missing_ok=True)
