"""The rows of a suite's ``metadata.jsonl``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rses.files.names import folded, listed
from rses.files.paths import safe_id, safe_relative
from rses.files.text import JsonError, parse_json, read_text

__all__ = ["METADATA", "Row", "read_metadata"]

METADATA = "metadata.jsonl"
TEXT_FIELDS = ("id", "file_name", "mask_file_name", "object", "style", "prompt", "dataset")


@dataclass(frozen=True)
class Row:
    """One sample as ``metadata.jsonl`` describes it; paths are relative to the file's folder."""

    id: str
    file_name: str | None = None
    mask_file_name: str | None = None
    object: str | None = None
    style: str | None = None
    prompt: str | None = None
    dataset: str | None = None
    tags: tuple[str, ...] = ()


def read_metadata(path: Path) -> tuple[list[Row], list[str]]:
    r"""Read ``metadata.jsonl``.

    Args:
        path: File with one JSON object a line: ``id`` (by default the stem of ``file_name``),
            ``file_name``, ``mask_file_name``, ``object``, ``style``, ``prompt``, ``dataset``, ``tags``.

    Returns:
        The usable rows in order, and one sentence for each row that cannot be used.

    Raises:
        InputError: The file cannot be read at all.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "metadata.jsonl"
        >>> _ = file.write_text('{"id": "a", "style": "pixel art"}\nnot json\n')
        >>> rows, problems = read_metadata(file)
        >>> rows[0].style, len(problems)
        ('pixel art', 1)
    """
    rows: list[Row] = []
    faults: dict[tuple[str, str], list[tuple[int, str]]] = {}
    first_seen: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(_record(line))
            if row.id in first_seen:
                detail = f' ("{row.id}" in line {first_seen[row.id]})'
                raise _Fault("an id is already used", detail, "Give every row its own id.")
        except _Fault as fault:
            faults.setdefault((fault.cause, fault.remedy), []).append((number, fault.detail))
            continue
        first_seen[row.id] = number
        rows.append(row)
    problems = [_sentence(path, *about, places) for about, places in faults.items()]
    if not rows and not problems:
        problems.append(f"{path} has no rows. Write one JSON object a line.")
    return rows, problems


class _Fault(ValueError):
    """What is wrong with a row: the cause, what was found in it, and what to do."""

    def __init__(self, cause: str, detail: str = "", remedy: str = ""):
        self.cause, self.detail, self.remedy = cause, detail, remedy
        super().__init__(cause)


def _sentence(path: Path, cause: str, remedy: str, places: list[tuple[int, str]]) -> str:
    """One sentence a cause, however many rows it is found in."""
    number, detail = places[0]
    if len(places) == 1:
        text = f"{path}, line {number}: {cause}{detail}."
    else:
        text = f"{path}, lines {listed(str(place) for place, _ in places)}: {cause}"
        text += f" (the first: {detail.strip(' ,()')})." if detail else "."
    return f"{text} {remedy}".rstrip()


def _record(line: str) -> Any:
    try:
        return parse_json(line)
    except JsonError as error:
        raise _Fault("not valid JSON", f" ({str(error)[:60]})", "Write one JSON object per line.") from error


def _row(record: Any) -> Row:
    if not isinstance(record, dict):
        raise _Fault("expected a JSON object", f", got {type(record).__name__}")
    texts: dict[str, str | None] = {}
    for key in TEXT_FIELDS:
        value = record.get(key)
        if value is not None and not isinstance(value, str):
            raise _Fault(f'"{key}" must be text', f", got {json.dumps(value)[:40]}")
        texts[key] = value
    tags = record.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _Fault('"tags" must be a list of texts')
    for key in ("file_name", "mask_file_name"):
        name = texts[key]
        if name is not None and not safe_relative(name):
            raise _Fault(f'"{key}" leads out of the folder or is too long', f', "{name[:80]}"', "Use a path below it.")
    identity = texts.pop("id") or PurePosixPath(texts["file_name"] or "").stem
    if not safe_id(identity):
        raise _Fault("an id cannot name a file", f', "{identity[:80]}"', 'Give a short "id" without slashes.')
    return Row(id=folded(identity), tags=tuple(tags), **texts)
