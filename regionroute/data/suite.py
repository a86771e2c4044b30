"""Training pairs in the form of a suite folder: its rows have one more column, the target.

    pairs/
      metadata.jsonl   one JSON object per pair: id, file_name, mask_file_name, target_file_name, object, style, prompt
      images/ masks/ targets/

The finder is trained on masks alone: for it, a suite without targets will do.

Like a suite, the folder is a Hugging Face ``imagefolder`` data set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place, Problem
from rses.files.atomic import write_atomic
from rses.files.paths import path_problem
from rses.inputs.rows import METADATA, PortablePath, WholeRow, read_lines

__all__ = ["METADATA", "suite_rows", "write_rows"]

TARGET = "target_file_name"
FILES = {"file_name": "source", TARGET: "target", "mask_file_name": "mask"}


class PairRow(WholeRow):
    """A line of the pairs' ``metadata.jsonl``."""

    target_file_name: PortablePath


def suite_rows(folder: Path, targets: bool = True) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    """Read the rows; styles and pictures are for :func:`regionroute.data.pairs.read_pairs` to check.

    Args:
        folder: Holds ``metadata.jsonl``.
        targets: False takes every source for its own target, whatever the rows say.

    Returns:
        For each usable row what messages call it, and the fields of a training pair; and the problems of the rest.
    """
    path = folder / METADATA
    if not path.is_file():
        raise InputError(
            f"{folder} has no {METADATA}, so it holds no finished training pairs. "
            "Make some, or finish them, with `regionroute data`.",
            code="missing-file",
            place=Place(str(folder)),
        )

    columns = [column for column in FILES if targets or column != TARGET]

    def links(row: WholeRow) -> Iterator[Problem]:
        for column in columns:
            if problem := path_problem(folder, getattr(row, column)):
                yield Problem(f'{column} "{getattr(row, column)}" {problem}', "bad-path")

    rows, problems = read_lines(path, PairRow if targets else WholeRow, links, METADATA)
    hint = "A suite for scoring has no targets; make them with `regionroute data --suite DIR --out DIR`."
    told = [
        Problem(f"{problem} {hint}", problem.code, problem.place)
        if problem.place.field == TARGET and problem.code == "missing-key"
        else problem
        for problem in problems
    ]
    return [(f"{METADATA}, line {number}", _fields(folder, row, columns)) for number, row in rows], told


def _fields(folder: Path, row: WholeRow, columns: Sequence[str]) -> dict[str, Any]:
    places = {FILES[column]: folder / getattr(row, column) for column in columns}
    places.setdefault("target", places["source"])
    return {**places, **{name: getattr(row, name) for name in ("id", "object", "style", "prompt")}}


def write_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``metadata.jsonl`` in one step."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomic(folder / METADATA, text.encode())
