"""The one reader of rows that people write: ``metadata.jsonl``, and lists as JSON, JSON lines, CSV or TSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from rses.errors import InputError
from rses.files.names import folded, listed
from rses.files.paths import id_problem, path_problem
from rses.files.text import JsonError, parse_json, read_text
from rses.inputs.sample import Sample

__all__ = ["METADATA", "read_metadata", "read_rows"]

METADATA = "metadata.jsonl"
TEXTS = ("id", "file_name", "mask_file_name", "object", "style", "prompt", "dataset")
TABLES = (".csv", ".tsv")
SEPARATORS = ",;\t|"

Fault = tuple[str, str, str]
"""What is wrong with a row: the cause, what was found in it, and what to do."""


def read_metadata(
    path: Path, check: Callable[[dict[str, Any]], Iterable[str]] | None = None, shown: str | None = None
) -> tuple[list[Sample], list[str]]:
    r"""Read ``metadata.jsonl``.

    Args:
        path: File with one JSON object a line: ``id`` (by default the stem of ``file_name``),
            ``file_name``, ``mask_file_name``, ``object``, ``style``, ``prompt``, ``dataset``, ``tags``.
        check: Returns further faults of a row; such files are suites, whose ids differ by more than case.
        shown: What sentences call the file.

    Returns:
        The usable rows in order, ``image`` and ``mask`` as texts relative to the file's folder; and one sentence for
        each cause for which rows cannot be used.

    Raises:
        InputError: The file cannot be read at all.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "metadata.jsonl"
        >>> _ = file.write_text('{"id": "a", "style": "pixel art"}\nnot json\n')
        >>> samples, problems = read_metadata(file)
        >>> samples[0].style, len(problems)
        ('pixel art', 1)
    """
    samples: list[Sample] = []
    faults: dict[tuple[str, str], list[tuple[int, str]]] = {}
    first_seen: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        found = _sample(line, check)
        if isinstance(found, Sample):
            key = found.id if check is None else found.id.casefold()
            if key not in first_seen:
                first_seen[key] = number
                samples.append(found)
                continue
            detail = f' ("{found.id}" in line {first_seen[key]})'
            found = [("an id is already used", detail, "Give every row its own id.")]
        for cause, detail, remedy in found:
            faults.setdefault((cause, remedy), []).append((number, detail))
    name = shown or str(path)
    problems = [_sentence(name, *about, places) for about, places in faults.items()]
    if not samples and not problems and check is None:
        problems.append(f"{name} has no rows. Write one JSON object a line.")
    return samples, problems


def _sentence(name: str, cause: str, remedy: str, places: list[tuple[int, str]]) -> str:
    """One sentence a cause, however many rows it is found in."""
    number, detail = places[0]
    if len(places) == 1:
        text = f"{name}, line {number}: {cause}{detail}."
    else:
        text = f"{name}, lines {listed(str(place) for place, _ in places)}: {cause}"
        text += f" (the first: {detail.strip(' ,()')})." if detail else "."
    return f"{text} {remedy}".rstrip()


def _sample(line: str, check: Callable[[dict[str, Any]], Iterable[str]] | None) -> Sample | list[Fault]:
    try:
        row = parse_json(line)
    except JsonError as error:
        return [("not valid JSON", f" ({str(error)[:60]})", "Write one JSON object per line.")]
    if not isinstance(row, dict):
        return [("expected a JSON object", f", got {type(row).__name__}", "")]
    if check is not None and (faults := [(fault, "", "") for fault in check(row)]):
        return faults
    if fault := _row_fault(row):
        return [fault]
    name = row.get("id") or PurePosixPath(row.get("file_name") or "").stem
    if id_problem(name, portable=False):
        return [("an id cannot name a file", f', "{name[:80]}"', 'Give a short "id" without slashes.')]
    texts = {key: row.get(key) or "" for key in ("object", "style", "prompt", "dataset")}
    return Sample(folded(name), row.get("file_name"), row.get("mask_file_name"), tags=_tags(row), **texts)


def _tags(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row.get("tags") or ())


def _row_fault(row: Mapping[str, Any]) -> Fault | None:
    for key in TEXTS:
        value = row.get(key)
        if value is not None and not isinstance(value, str):
            return f'"{key}" must be text', f", got {json.dumps(value)[:40]}", ""
    tags = row.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return '"tags" must be a list of texts', "", ""
    for key in ("file_name", "mask_file_name"):
        name = row.get(key)
        if name is not None and path_problem(None, name, portable=False):
            return f'"{key}" leads out of the folder or is too long', f', "{name[:80]}"', "Use a path below it."
    return None


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    r"""Read a list of rows that have certain columns; capital letters and blanks around names do not matter.

    Args:
        path: ``.json`` (a list of objects, or for two columns one object of pairs), ``.jsonl``, or else a table with
            a heading, separated by commas, semicolons, tabs or bars.
        columns: Names that a heading must hold once each.

    Returns:
        For each row where it stands, e.g. "row 2", and its values by small-letter name. A row of JSON that is no
        object, or that has a name twice, is empty.

    Raises:
        InputError: Unreadable file, a heading without one reading, or rows with more fields than it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "styles.csv"
        >>> _ = file.write_text("ID;Style\na;line art\n")
        >>> read_rows(file, ("id", "style"))
        [('row 2', {'id': 'a', 'style': 'line art'})]
    """
    kind, text = path.suffix.lower(), read_text(path)
    try:
        if kind == ".json":
            content = parse_json(text)
            if isinstance(content, dict) and len(columns) == 2:
                return [(f'key "{pair[0]}"', dict(zip(columns, pair, strict=True))) for pair in content.items()]
            records = list(enumerate(content if isinstance(content, list) else [content], start=1))
        elif kind == ".jsonl":
            lines = enumerate(text.split("\n"), start=1)
            records = [(number, parse_json(line)) for number, line in lines if line.strip()]
        else:
            return _table(path, text, columns)
    except JsonError as error:
        raise InputError(
            f"{path} is not valid JSON ({str(error)[:200]}). Fix it, e.g. with python -m json.tool."
        ) from error
    return [(f"row {number}", _named(record)) for number, record in records]


def _named(record: Any) -> dict[str, Any]:
    values = {_heading(key): value for key, value in record.items()} if isinstance(record, dict) else {}
    return values if isinstance(record, dict) and len(values) == len(record) else {}


def _heading(text: str) -> str:
    return text.strip().strip("\"'").strip().casefold()


def _table(path: Path, text: str, columns: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a table whose heading can be read in one way only."""
    body = text.lstrip("\r\n")
    start = text[: len(text) - len(body)].count("\n") + 2
    head, _, body = body.partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\r?', head)
    if told is not None:
        # A line that spreadsheets read and do not show.
        head, _, body = body.partition("\n")
        start += 1
    readings = {mark: _columns(head, mark, columns) for mark in (told[1] if told is not None else SEPARATORS)}
    readings = {mark: names for mark, names in readings.items() if names}
    if len(readings) != 1:
        wanted = " and ".join(f'"{name}"' for name in columns)
        raise InputError(
            f"{path}: expected a heading with {wanted}, separated by commas, semicolons or tabs, e.g. "
            f"{','.join(columns)}; found {ascii(head.strip()[:80])}."
        )
    ((separator, names),) = readings.items()
    found, longer = [], []
    try:
        rows = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
        for row in rows:
            where, fields = f"row {start - 1 + rows.line_num}", [field.strip() for field in row]
            if any(fields[len(names) :]):
                longer.append(where)
            elif any(fields):
                found.append((where, dict.fromkeys(names, "") | dict(zip(names, fields, strict=False))))
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table: {error}. Save it as CSV again.") from error
    if longer:
        raise InputError(
            f"{path}, {listed(longer)}: more fields than the heading {ascii(head.strip()[:80])} names. Put texts that "
            "hold the separator in quotes."
        )
    return found


def _columns(head: str, separator: str, wanted: Sequence[str]) -> list[str]:
    """Return the names of a heading, if it holds those wanted once each."""
    try:
        (fields,) = csv.reader([head.rstrip("\r")], delimiter=separator, strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        return []
    while fields and not fields[-1].strip():
        fields.pop()
    names = [_heading(field) for field in fields]
    return names if all(names.count(name) == 1 for name in wanted) else []
