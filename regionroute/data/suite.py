"""Training pairs in the form of a suite folder: its rows have one more column, the target.

    pairs/
      metadata.jsonl   one JSON object per pair: id, file_name, mask_file_name, target_file_name, object, style, prompt
      images/ masks/ targets/

Like a suite, the folder is a Hugging Face ``imagefolder`` data set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place, Problem
from rses.files.atomic import write_atomic
from rses.files.paths import path_problem
from rses.inputs.rows import METADATA, PortablePath, WholeRow, read_lines

__all__ = ["METADATA", "suite_rows", "write_rows"]

FILES = {"file_name": "source", "target_file_name": "target", "mask_file_name": "mask"}


class PairRow(WholeRow):
    """A line of the pairs' ``metadata.jsonl``."""

    target_file_name: PortablePath


def suite_rows(folder: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    """Read the rows; styles and pictures are for :func:`regionroute.data.pairs.read_pairs` to check.

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

    def links(row: PairRow) -> Iterator[Problem]:
        for column in FILES:
            if problem := path_problem(folder, getattr(row, column)):
                yield Problem(f'{column} "{getattr(row, column)}" {problem}', "bad-path")

    rows, problems = read_lines(path, PairRow, links, METADATA)
    hint = "A suite for scoring has no targets; make them with `regionroute data --suite DIR --out DIR`."
    told = [
        Problem(f"{problem} {hint}", problem.code, problem.place)
        if problem.place.field == "target_file_name" and problem.code == "missing-key"
        else problem
        for problem in problems
    ]
    return [(f"{METADATA}, line {number}", _fields(folder, row)) for number, row in rows], told


def _fields(folder: Path, row: PairRow) -> dict[str, Any]:
    places = {field: folder / getattr(row, column) for column, field in FILES.items()}
    return {**places, **{name: getattr(row, name) for name in ("id", "object", "style", "prompt")}}


def write_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``metadata.jsonl`` in one step."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomic(folder / METADATA, text.encode())
