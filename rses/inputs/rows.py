"""The one reader of rows that people write: ``metadata.jsonl``, and lists as JSON, JSON lines, CSV or TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, model_validator

from rses.errors import InputError, Place, Problem
from rses.files.names import folded, listed
from rses.files.paths import id_problem, path_problem
from rses.files.text import JsonError, parse_json, read_text
from rses.inputs.sample import Sample
from rses.schema import Filled, Record, Texts, check, fault

METADATA = "metadata.jsonl"
TABLES = (".csv", ".tsv")
SEPARATORS = ",;\t|"


def _below(name: str) -> str:
    if path_problem(None, name, portable=False):
        raise fault("bad-path", "leads out of the folder or is too long. Use a path below it")
    return name


def _portable_path(name: str) -> str:
    if problem := path_problem(None, name):
        raise fault("bad-path", f'"{name[:80]}" {problem}')
    return name


def _portable_id(name: str) -> str:
    if problem := id_problem(name):
        raise fault("bad-id", f'"{name[:80]}" {problem}')
    return name


PortableId = Annotated[str, AfterValidator(_portable_id)]
PortablePath = Annotated[str, AfterValidator(_portable_path)]
"""An id and a path of files that are passed on."""
_Inner = Annotated[str, AfterValidator(_below)]


class Row(Record, extra="ignore"):
    """A line of ``metadata.jsonl``: one sample, of which nothing has to be said but its name."""

    id: str | None = None
    file_name: _Inner | None = None
    mask_file_name: _Inner | None = None
    object: str | None = None
    style: str | None = None
    prompt: str | None = None
    dataset: str | None = None
    tags: Texts | None = None

    @model_validator(mode="after")
    def _nameable(self) -> Row:
        if id_problem(self.name, portable=False):
            raise fault("bad-id", f'"{self.name[:80]}" cannot name a file. Give a short id without slashes')
        return self

    @property
    def name(self) -> str:
        """The id, by default the stem of the image's name."""
        return folded(self.id or PurePosixPath(self.file_name or "").stem)

    def sample(self) -> Sample:
        """Return it as a sample, its images as texts relative to the file's folder."""
        texts = {key: getattr(self, key) or "" for key in ("object", "style", "prompt", "dataset")}
        return Sample(self.name, self.file_name, self.mask_file_name, tags=self.tags or (), **texts)


class WholeRow(Row):
    """A line of a folder that is passed on: everything is said, in names that every system takes."""

    id: PortableId
    file_name: PortablePath
    mask_file_name: PortablePath
    object: Filled
    style: Filled
    prompt: Filled


AnyRow = TypeVar("AnyRow", bound=Row)


def read_lines(
    path: Path,
    model: type[AnyRow],
    further: Callable[[AnyRow], Iterable[Problem]] | None = None,
    shown: str | None = None,
) -> tuple[list[tuple[int, AnyRow]], list[Problem]]:
    """Read a file with one JSON object per line.

    Args:
        path: The file.
        model: What a line says. Ids of a `WholeRow` differ by more than case, as some file systems ignore it.
        further: Returns further faults of a row.
        shown: What sentences call the file.

    Returns:
        The usable rows with their lines; and one problem for each cause for which rows cannot be used.
    """
    rows: list[tuple[int, AnyRow]] = []
    faults: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    first: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        row, found = _row(line, model)
        told: list[Problem] = []
        if row is not None:
            found = told = list(further(row) if further else ())
            key = row.name.casefold() if issubclass(model, WholeRow) else row.name
            if not found and first.setdefault(key, number) != number:
                text = f'the id "{row.name}" is already used, in line {first[key]}. Give every row its own id.'
                found = [Problem(text, "used-twice")]
            rows += [] if found else [(number, row)]
        for problem in found:
            apart = not problem.place.field and (problem.code == "invalid" or problem in told)
            cause = (problem.code, problem.place.field, str(problem) if apart else "")
            faults.setdefault(cause, []).append((number, problem))
    return rows, [_joined(shown or str(path), code, field, places) for (code, field, _), places in faults.items()]


def _row(line: str, model: type[AnyRow]) -> tuple[AnyRow | None, list[Problem]]:
    try:
        return check(model, parse_json(line)), []
    except JsonError as error:
        return None, [Problem(f"not valid JSON ({str(error)[:60]}). Write one JSON object per line.", "not-json")]
    except InputError as error:
        return None, error.problems


def _joined(name: str, code: str, field: str, places: list[tuple[int, str]]) -> Problem:
    """Return one problem for one cause, however many rows have it."""
    number, text = places[0]
    where = f"{name}, line {number}: {text}"
    if len(places) > 1:
        where = f"{name}, lines {listed(str(place) for place, _ in places)}, the first: {text}"
    return Problem(where, code, Place(name, number, "" if code == "invalid" else field))


def read_metadata(path: Path) -> tuple[list[Sample], list[Problem]]:
    r"""Read ``metadata.jsonl``, a `Row` per line.

    Returns:
        The usable rows in order, ``image`` and ``mask`` as texts relative to the file's folder; and one problem for
        each cause for which rows cannot be used.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "metadata.jsonl"
        >>> _ = file.write_text('{"id": "a", "style": "pixel art"}\nnot json\n')
        >>> samples, problems = read_metadata(file)
        >>> samples[0].style, problems[0].code, problems[0].place.line
        ('pixel art', 'not-json', 2)
    """
    rows, problems = read_lines(path, Row)
    if not rows and not problems:
        problems = [Problem(f"{path} has no rows. Write one JSON object per line.", "empty", Place(str(path)))]
    return [row.sample() for _, row in rows], problems


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
            f"{path} is not valid JSON ({str(error)[:200]}). Fix it, e.g. with python -m json.tool.",
            code="not-json",
            place=Place(str(path)),
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
            f"{','.join(columns)}; found {ascii(head.strip()[:80])}.",
            code="missing-key",
            place=Place(str(path)),
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
        raise InputError(
            f"{path} cannot be read as a table: {error}. Save it as CSV again.",
            code="unreadable",
            place=Place(str(path)),
        ) from error
    if longer:
        raise InputError(
            f"{path}, {listed(longer)}: more fields than the heading {ascii(head.strip()[:80])} names. Put texts that "
            "hold the separator in quotes.",
            code="wrong-length",
            place=Place(str(path)),
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
