"""Files of data sets: annotation in JSON, and the photographs that it names, wherever they lie now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from rses.errors import InputError, Place
from rses.files.names import folded
from rses.files.text import JsonError, parse_json

# Label Studio puts eight hexadecimal digits before the names of uploaded files.
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")


def read_annotation(file: Path, hint: str = "") -> Any:
    """Read a JSON file of a data set; numbers and texts that no annotation holds are judged entry by entry."""
    try:
        return parse_json(file.read_bytes(), lenient=True)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror or error}. {hint}".rstrip(),
            code="unreadable",
            place=Place(str(file)),
        ) from error
    except JsonError as error:
        raise InputError(f"{file} is not valid JSON: {error}.", code="not-json", place=Place(str(file))) from error


def name_problem(name: str) -> str | None:
    r"""Say why a name cannot be looked up or written, or return None.

    Example:
        >>> name_problem("a.jpg") is None, name_problem("caf\udce9.jpg")
        (True, 'is not UTF-8; rename the file')
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is not UTF-8; rename the file"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "holds control characters; rename the file"
    return None


def name_parts(name: str) -> tuple[str, ...]:
    r"""Return the parts of a path as annotation tools write it: absolute, with backslashes, as an address.

    Parts before ``..`` are dropped, so that the rest cannot lead out of a folder.

    Example:
        >>> name_parts("images/x.jpg"), name_parts(r"C:\data\upload\1\x.jpg")
        (('images', 'x.jpg'), ('data', 'upload', '1', 'x.jpg'))
        >>> name_parts("http://host:8080/data/local-files/?d=set/my%20x.jpg"), name_parts("../../x.jpg")
        (('set', 'my%20x.jpg'), ('x.jpg',))
    """
    if "?d=" in name:
        name = name.partition("?d=")[2]
    if re.match(r"^[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
        name = name.partition("://")[2].partition("/")[2].partition("?")[0]
    name = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    parts = [part for part in PurePosixPath(name).parts if part != "/"]
    while ".." in parts:
        parts = parts[parts.index("..") + 1 :]
    return tuple(parts)


class FileFinder:
    """Looks names up below some folders, in their order. Folders are listed once, names compared as NFC."""

    def __init__(self, folders: Iterable[Path]):
        self.folders = tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))
        self._listed: dict[tuple[Path, bool], dict[str, list[Path]]] = {}

    def exact(self, name: str) -> Path | None:
        """Return the file of this path below the first folder that has it, or None."""
        return next(self._below(name_parts(name), ignore_case=False), None)

    def similar(self, name: str) -> Path | None:
        """Return the file that the name most probably means, or None.

        Tried in this order: decoded as an address, with fewer of its leading folders, without the letters that Label
        Studio puts before it, and each of these in another case, where a single file has it.
        """
        tried = ((parts, ignore) for ignore in (False, True) for parts in _variants(name_parts(name)))
        return next((found for parts, ignore in tried for found in self._below(parts, ignore)), None)

    def _below(self, parts: Sequence[str], ignore_case: bool) -> Iterator[Path]:
        for place in self.folders if parts else ():
            for part in parts[:-1]:
                place = next(iter(self._names(place, False).get(folded(part), [])), place / part)
            last = folded(parts[-1]).casefold() if ignore_case else folded(parts[-1])
            found = self._names(place, ignore_case).get(last, [])
            if len(found) == 1 and found[0].is_file():
                yield found[0]

    def _names(self, folder: Path, ignore_case: bool) -> dict[str, list[Path]]:
        if (folder, ignore_case) not in self._listed:
            try:
                paths = sorted(folder.iterdir())
            except OSError:
                paths = []
            table = self._listed.setdefault((folder, ignore_case), {})
            for path in paths:
                name = folded(path.name)
                table.setdefault(name.casefold() if ignore_case else name, []).append(path)
        return self._listed[folder, ignore_case]


def _variants(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    written = tuple(parts)
    decoded = name_parts("/".join(unquote(part) for part in parts))
    for variant in dict.fromkeys((written, decoded)):
        for start in range(len(variant)):
            yield variant[start:]
    for variant in dict.fromkeys((written, decoded)):
        if variant and _UPLOAD.match(variant[-1]):
            yield (_UPLOAD.sub("", variant[-1]),)
