"""A file that gives each id its style."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place, Problem
from rses.files.names import folded, listed
from rses.inputs.rows import TABLES, read_rows


def read_styles(path: Path | Mapping[str, str]) -> dict[str, str]:
    r"""Read a file, or a dictionary, that gives each id its style.

    Args:
        path: The dictionary id -> style, or ``.json`` (object id -> style, or a list of rows), ``.jsonl`` (rows), or
            ``.csv`` or ``.tsv`` with a heading; rows have the columns ``id`` and ``style``, see
            :func:`rses.inputs.rows.read_rows`.

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
    given = "styles" if isinstance(path, Mapping) else str(path)
    if bad:
        text = f'{given}, {listed(bad)}: expected an "id" and a "style", both texts that are not empty.'
        problems.append(Problem(text, "wrong-type", Place(given)))
    if double:
        problems.append(
            Problem(f"{given}: ids with two styles: {listed(double)}. Keep one.", "used-twice", Place(given))
        )
    if problems:
        raise InputError(problems, code="wrong-type")
    return styles


def _entries(path: Path | Mapping[str, str]) -> list[tuple[str, Any, Any]]:
    if isinstance(path, Mapping):
        return [(repr(name), name, style) for name, style in path.items()]
    if path.suffix.lower() not in (".json", ".jsonl", *TABLES):
        raise InputError(
            f"{path}: expected a .json, .jsonl, .csv or .tsv file with the style of each id.",
            code="wrong-ending",
            place=Place(str(path)),
        )
    rows = read_rows(path, ("id", "style"))
    return [(where, row.get("id"), row.get("style")) for where, row in rows]
