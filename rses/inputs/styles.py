"""A file that gives each id its style: JSON, JSON lines, or a table as spreadsheets write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.names import folded, listed
from rses.files.text import JsonError, parse_json, read_text

__all__ = ["read_styles"]

TABLES = (".csv", ".tsv")
SEPARATORS = ",;\t|"
HEADING = 'expected a heading with "id" and "style", separated by commas, semicolons or tabs, e.g. id,style'
_Entry = tuple[str, Any, Any]


def read_styles(path: Path) -> dict[str, str]:
    r"""Read a file that gives each id its style.

    Args:
        path: ``.json`` (object id -> style, or a list of rows), ``.jsonl`` (rows), or ``.csv`` or ``.tsv`` with a
            heading; rows have the columns ``id`` and ``style``. Capital letters and blanks around names do not matter;
            commas, semicolons and tabs separate.

    Returns:
        Style by id, ids in form NFC.

    Raises:
        InputError: Unreadable file, other structure, or an id with two styles; one sentence a cause.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "styles.csv"
        >>> _ = file.write_text("ID;Style\na;line art\n")
        >>> read_styles(file)
        {'a': 'line art'}
    """
    styles: dict[str, str] = {}
    first: dict[str, str] = {}
    bad: list[str] = []
    double: list[str] = []
    for where, name, style in _entries(path):
        if not (isinstance(name, str) and isinstance(style, str) and name.strip() and style.strip()):
            bad.append(where)
            continue
        key, text = folded(name), style.strip()
        first.setdefault(key, where)
        if styles.setdefault(key, text) != text:
            double.append(f'{where} "{key}" (before in {first[key]})')
    problems = []
    if bad:
        problems.append(f'{path}, {listed(bad)}: expected an "id" and a "style", both texts that are not empty.')
    if double:
        problems.append(f"{path}: ids with two styles: {listed(double)}. Keep one.")
    if problems:
        raise InputError(problems)
    return styles


def _entries(path: Path) -> list[_Entry]:
    kind, text = path.suffix.lower(), read_text(path)
    if kind not in (".json", ".jsonl", *TABLES):
        raise InputError(f"{path}: expected a .json, .jsonl, .csv or .tsv file with the style of each id.")
    if kind in TABLES:
        return list(_table(path, text))
    try:
        if kind == ".json":
            content = parse_json(text, pairs=_Pairs)
            if isinstance(content, _Pairs):
                return [(f'key "{name}"', name, style) for name, style in content]
            records = list(enumerate(content if isinstance(content, list) else [content], start=1))
        else:
            lines = enumerate(text.split("\n"), start=1)
            records = [(number, parse_json(line, pairs=_Pairs)) for number, line in lines if line.strip()]
    except JsonError as error:
        raise InputError(
            f"{path} is not valid JSON ({str(error)[:200]}). Fix it, e.g. with python -m json.tool."
        ) from error
    return [(f"row {number}", *_row(record)) for number, record in records]


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object, so that a key used twice is seen."""


def _row(record: Any) -> tuple[Any, Any]:
    pairs = record if isinstance(record, _Pairs) else []
    ids, styles = ([value for key, value in pairs if _heading(key) == name] for name in ("id", "style"))
    return (ids[0], styles[0]) if len(ids) == len(styles) == 1 else (None, None)


def _heading(text: str) -> str:
    return text.strip().strip("\"'").strip().casefold()


def _table(path: Path, text: str) -> Iterator[_Entry]:
    """Yield the rows of a table whose heading can be read in one way only.

    Raises:
        InputError: The heading, or a row with other fields than it.
    """
    head, _, body = text.lstrip("\r\n").partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\r?', head)
    if told is not None:
        # A line that spreadsheets read and do not show.
        head, _, body = body.partition("\n")
    separators = [told[1]] if told is not None else [mark for mark in SEPARATORS if _columns(head, mark) is not None]
    columns = _columns(head, separators[0]) if len(separators) == 1 else None
    if columns is None:
        raise InputError(f"{path}: {HEADING}; found {ascii(head.strip()[:80])}.")
    names = [_heading(field) for field in columns]
    blank_lines = len(text) - len(text.lstrip("\r\n"))
    start = text[:blank_lines].count("\n") + (3 if told is not None else 2)
    other: list[str] = []
    try:
        rows = csv.reader(io.StringIO(body, newline=""), delimiter=separators[0], strict=True, skipinitialspace=True)
        for row in rows:
            where = f"row {start - 1 + rows.line_num}"
            while len(row) > len(names) and not row[-1].strip():
                row.pop()
            if not any(field.strip() for field in row):
                continue
            if len(row) != len(names):
                other.append(where)
                continue
            fields = dict(zip(names, row, strict=True))
            yield where, fields["id"].strip(), fields["style"]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table: {error}. Save it as CSV again.") from error
    if other:
        raise InputError(
            f"{path}, {listed(other)}: other fields than the heading {ascii(head.strip()[:80])} names. Put texts that "
            "hold the separator in quotes."
        )


def _columns(head: str, separator: str) -> list[str] | None:
    """Return the fields of a heading, if it names id and style once each."""
    try:
        (fields,) = csv.reader([head.rstrip("\r")], delimiter=separator, strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        return None
    while fields and not fields[-1].strip():
        fields.pop()
    names = [_heading(field) for field in fields]
    return fields if names.count("id") == 1 == names.count("style") else None
