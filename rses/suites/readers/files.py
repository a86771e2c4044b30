"""Finding the photographs that an annotation names, however its tool writes names and wherever they lie now."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

__all__ = ["FileFinder", "name_parts", "name_problem"]

# Label Studio puts eight hexadecimal digits before the names of uploaded files.
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")


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
    """Looks names up below some folders. Folders are listed once.

    Names are compared as NFC: file systems and archives change how accents are coded.

    Args:
        folders: Where to look, in this order.
    """

    def __init__(self, folders: Iterable[Path]):
        self.folders = tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))
        self._listed: dict[Path, dict[str, Path]] = {}
        self._folded: dict[Path, dict[str, list[Path]]] = {}

    def exact(self, name: str) -> Path | None:
        """Return the file of this path below the first folder that has it, or None."""
        return next(self._below(name_parts(name), folded=False), None)

    def similar(self, name: str) -> Path | None:
        """Return the file that the name most probably means, or None.

        Tried in this order: decoded as an address, with fewer of its leading folders, without the letters that Label
        Studio puts before it, and each of these in another case, where a single file has it.
        """
        for folded in (False, True):
            for parts in _variants(name_parts(name)):
                found = next(self._below(parts, folded), None)
                if found is not None:
                    return found
        return None

    def _below(self, parts: Sequence[str], folded: bool) -> Iterator[Path]:
        if not parts:
            return
        for folder in self.folders:
            place: Path | None = folder
            for part in parts[:-1]:
                place = None if place is None else self._names(place).get(unicodedata.normalize("NFC", part))
            found = None if place is None else self._file(place, parts[-1], folded)
            if found is not None:
                yield found

    def _file(self, folder: Path, name: str, folded: bool) -> Path | None:
        names = self._names(folder)
        key = unicodedata.normalize("NFC", name)
        if not folded:
            path = names.get(key)
        else:
            if folder not in self._folded:
                table = self._folded.setdefault(folder, {})
                for other, place in names.items():
                    table.setdefault(other.casefold(), []).append(place)
            alike = self._folded[folder].get(key.casefold(), [])
            path = alike[0] if len(alike) == 1 else None
        return path if path is not None and path.is_file() else None

    def _names(self, folder: Path) -> dict[str, Path]:
        if folder not in self._listed:
            try:
                paths = sorted(folder.iterdir()) if folder.is_dir() else []
            except OSError:
                paths = []
            self._listed[folder] = {unicodedata.normalize("NFC", path.name): path for path in paths}
        return self._listed[folder]


def _variants(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    written = tuple(parts)
    decoded = name_parts("/".join(unquote(part) for part in parts))
    for variant in dict.fromkeys((written, decoded)):
        for start in range(len(variant)):
            yield variant[start:]
    for variant in dict.fromkeys((written, decoded)):
        if variant and _UPLOAD.match(variant[-1]):
            yield (_UPLOAD.sub("", variant[-1]),)
