"""Published numbers: shown in a block of their own, never ranked with measured ones."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from rses.errors import InputError
from rses.files.text import read_text
from rses.files.untrusted import shown, text_problem

__all__ = ["COLUMNS", "NOTE", "NUMBERS", "PublishedRow", "read_published"]

NUMBERS = ("rsm", "lpips_bg", "mse_bg", "vlm_q1", "vlm_q2", "vlm_q3", "vlm_q4")
COLUMNS = ("table", "dataset", "method", *NUMBERS, "source")
NOTE = (
    "Numbers as published, by other people, on other images, with a scorer that was not released. "
    "They do not compare with measured ones, and are not ranked."
)


@dataclass(frozen=True)
class PublishedRow:
    """One published row; numbers keep the digits they were printed with, empty where none is known."""

    table: str
    dataset: str
    method: str
    numbers: dict[str, str]
    source: str


def read_published(path: str | Path) -> list[PublishedRow]:
    """Read ``published.csv``; no rows where the file does not exist.

    Raises:
        InputError: Other columns, a number that is none, or a row without source.
    """
    place = Path(path)
    if not place.is_file():
        return []
    reader = csv.DictReader(read_text(place).splitlines(keepends=True))
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(
                f"{place} must have the columns {', '.join(COLUMNS)}, found {shown(reader.fieldnames)}.",
                code="missing-key",
            )
        records = list(reader)
    except csv.Error as error:
        raise InputError(f"{place} is no CSV: {error}.", code="unreadable") from error
    problems, rows = [], []
    for line, record in enumerate(records, start=2):
        for name in COLUMNS:
            fault = text_problem(record[name], 300)
            if fault is None and name in NUMBERS and record[name] and not _is_number(record[name]):
                fault = f"is {shown(record[name])}, which is not a number"
            if fault is None and name in ("table", "method", "source") and not record[name]:
                fault = "is empty"
            if fault:
                problems.append(f"line {line}: {name} {fault}")
        rows.append(
            PublishedRow(
                record["table"], record["dataset"], record["method"], {n: record[n] for n in NUMBERS}, record["source"]
            )
        )
    if problems:
        raise InputError(problems, f"{place} is not sound:", code="wrong-form")
    return rows


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
