"""The rows of a suite's ``metadata.jsonl`` and of a file that gives each id its style."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from rses.errors import InputError
from rses.textfiles import JsonError, parse_json, read_text

__all__ = ["METADATA", "Row", "normal_id", "read_metadata", "read_styles", "safe_id", "safe_relative"]

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


def normal_id(name: str) -> str:
    """Bring an id to Unicode form NFC: some file systems store accents apart from their letters.

    Example:
        >>> normal_id("e" + chr(0x301)) == chr(0xE9)
        True
    """
    return unicodedata.normalize("NFC", name)


def safe_id(name: str) -> bool:
    """Whether an id can be the stem of a file name.

    Example:
        >>> safe_id("a.b"), safe_id("../a"), safe_id("")
        (True, False, False)
    """
    return bool(name) and name not in (".", "..") and not set(name) & {"/", "\\", "\0"}


def safe_relative(name: str) -> bool:
    """Whether a path stays inside the folder it is relative to.

    Example:
        >>> safe_relative("images/a.png"), safe_relative("../a.png"), safe_relative("/a.png")
        (True, False, False)
    """
    if not name or "\0" in name:
        return False
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    outside = posix.is_absolute() or bool(windows.drive or windows.root)
    return not outside and ".." not in posix.parts and ".." not in windows.parts


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
    problems: list[str] = []
    first_seen: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(parse_json(line))
        except JsonError as error:
            problems.append(f"{path}, line {number}: not valid JSON ({error}). Write one JSON object per line.")
            continue
        except ValueError as error:
            problems.append(f"{path}, line {number}: {error}")
            continue
        if row.id in first_seen:
            problems.append(
                f'{path}, line {number}: id "{row.id}" is already used in line {first_seen[row.id]}. '
                "Give every row its own id."
            )
            continue
        first_seen[row.id] = number
        rows.append(row)
    if not rows and not problems:
        problems.append(f"{path} has no rows. Write one JSON object a line.")
    return rows, problems


def _row(record: Any) -> Row:
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, got {type(record).__name__}.")
    texts: dict[str, str | None] = {}
    for key in TEXT_FIELDS:
        value = record.get(key)
        if value is not None and not isinstance(value, str):
            raise ValueError(f'"{key}" must be text, got {json.dumps(value)[:40]}.')
        texts[key] = value
    tags = record.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError('"tags" must be a list of texts.')
    for key in ("file_name", "mask_file_name"):
        name = texts[key]
        if name is not None and not safe_relative(name):
            raise ValueError(f'"{key}" is "{name}", which leads out of the folder. Use a path below it.')
    identity = texts.pop("id") or PurePosixPath(texts["file_name"] or "").stem
    if not safe_id(identity):
        raise ValueError(f'id "{identity}" cannot name a file. Give an "id" without slashes.')
    return Row(id=normal_id(identity), tags=tuple(tags), **texts)


def read_styles(path: Path) -> dict[str, str]:
    r"""Read a file that gives each id its style.

    Args:
        path: ``.json`` (object id -> style, or a list of rows), ``.jsonl`` (rows), or ``.csv`` with a header;
            rows have the columns ``id`` and ``style``.

    Returns:
        Style by id, ids in form NFC.

    Raises:
        InputError: Unreadable file, other structure, or an id with two styles.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "styles.csv"
        >>> _ = file.write_text("id,style\na,line art\n")
        >>> read_styles(file)
        {'a': 'line art'}
    """
    styles: dict[str, str] = {}
    problems: list[str] = []
    for where, name, style in _style_rows(path):
        if not isinstance(name, str) or not isinstance(style, str) or not style.strip():
            problems.append(f'{path}, {where}: expected an "id" and a "style", both texts that are not empty.')
        elif styles.setdefault(normal_id(name), style) != style:
            problems.append(f'{path}, {where}: id "{name}" has two styles. Keep one.')
    if problems:
        raise InputError(problems)
    return styles


def _style_rows(path: Path) -> Iterator[tuple[str, Any, Any]]:
    kind, text = path.suffix.lower(), read_text(path)
    if kind not in (".json", ".jsonl", ".csv"):
        raise InputError(f"{path}: expected a .json, .jsonl or .csv file with the style of each id.")
    try:
        if kind == ".json":
            content = parse_json(text)
            if isinstance(content, dict):
                yield from ((f'key "{name}"', name, style) for name, style in content.items())
                return
            records = list(enumerate(content if isinstance(content, list) else [content], start=1))
        elif kind == ".jsonl":
            lines = enumerate(text.split("\n"), start=1)
            records = [(number, parse_json(line)) for number, line in lines if line.strip()]
        else:
            records = list(enumerate(csv.DictReader(io.StringIO(text)), start=2))
    except JsonError as error:
        raise InputError(f"{path} is not valid JSON ({error}). Correct it, e.g. with python -m json.tool.") from error
    for number, record in records:
        fields = record if isinstance(record, dict) else {}
        yield f"row {number}", fields.get("id"), fields.get("style")
