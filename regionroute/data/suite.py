"""Training pairs in the form of a suite folder: its rows have one more column, the target.

    pairs/
      metadata.jsonl   one JSON object per pair: id, file_name, mask_file_name, target_file_name, object, style, prompt
      images/ masks/ targets/

Like a suite, the folder is a Hugging Face ``imagefolder`` data set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.files.paths import path_problem
from rses.files.text import parse_json, read_text

__all__ = ["METADATA", "suite_rows", "write_rows"]

METADATA = "metadata.jsonl"
FILES = {"file_name": "source", "target_file_name": "target", "mask_file_name": "mask"}
TEXTS = ("id", "object", "style", "prompt")


def suite_rows(folder: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Read the rows; what the fields hold is for :func:`regionroute.data.pairs.read_pairs` to check.

    Args:
        folder: A folder with ``metadata.jsonl``.

    Returns:
        For each usable row what messages call it, and the fields of a training pair; and the problems of the rest.

    Raises:
        InputError: There is no ``metadata.jsonl``, or it is not UTF-8 text.
    """
    path = folder / METADATA
    if not path.is_file():
        raise InputError(
            f"{folder} has no {METADATA}, so it holds no finished training pairs. "
            "Make some, or finish them, with `regionroute data`."
        )
    lines = read_text(path).split("\n")
    rows: list[tuple[str, dict[str, Any]]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{METADATA}, line {number}"
        try:
            row = parse_json(line)
        except (ValueError, RecursionError) as error:
            problems.append(f"{where}: not valid JSON ({error})")
            continue
        faults = _faults(folder, row)
        if not faults:
            places = {field: folder / row[column] for column, field in FILES.items()}
            rows.append((where, {**places, **{column: row[column] for column in TEXTS}}))
        problems += [f"{where}: {fault}" for fault in faults]
    return rows, problems


def _faults(folder: Path, row: Any) -> list[str]:
    if not isinstance(row, dict):
        return ["expected a JSON object"]
    missing = [column for column in (*TEXTS, *FILES) if column not in row]
    if missing:
        hint = ""
        if missing == ["target_file_name"]:
            hint = ". A suite for scoring has no targets; make them with `regionroute data --suite DIR --out DIR`"
        return [f"column{'s' if len(missing) > 1 else ''} missing: {', '.join(missing)}{hint}"]
    return [f'{column} "{row[column]}" {fault}' for column in FILES if (fault := path_problem(folder, row[column]))]


def write_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``metadata.jsonl`` in one step.

    Raises:
        OSError: The folder cannot be written.
    """
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomic(folder / METADATA, text.encode())
