"""The photographs of a folder that a user names: all that can be read, and the names of the rest with the reason.

Links are followed here, as in every folder that a command is given; suites and submissions hold files only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rses.errors import InputError
from rses.files.paths import IGNORED
from rses.images.decode import IMAGE_EXTENSIONS, image_size

__all__ = ["Photographs", "find_photographs", "left_out_lines", "masks_by_name"]

NAMED = 10
"""Names given in one line; the rest are counted."""


@dataclass(frozen=True)
class Photographs:
    """What a folder holds.

    Attributes:
        paths: Photographs, sorted; those that an ending promises may still turn out to be damaged.
        left_out: Names of everything else but hidden files, and why it is no photograph.
    """

    paths: list[Path]
    left_out: Mapping[str, str]


def find_photographs(folder: Path) -> Photographs:
    """List the photographs of a folder: by their ending, or, where that is another one, by their content.

    Raises:
        InputError: It is no folder, or cannot be read.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.png", "notes.txt", ".DS_Store"):
        ...     _ = (folder / name).write_bytes(b"...")
        >>> found = find_photographs(folder)
        >>> [path.name for path in found.paths], list(found.left_out)
        (['a.png'], ['notes.txt'])
    """
    paths: list[Path] = []
    left_out: dict[str, str] = {}
    for entry in _entries(folder):
        if entry.suffix.lower() in IMAGE_EXTENSIONS:
            paths.append(entry)
            continue
        try:
            image_size(entry)
            paths.append(entry)
        except (InputError, OSError) as error:
            left_out[entry.name] = _reason(error, entry)
    return Photographs(paths, left_out)


def masks_by_name(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the masks of a folder by their name without its ending, and what is wrong with names.

    Raises:
        InputError: It is no folder, or cannot be read.
    """
    found: dict[str, Path] = {}
    problems = []
    for entry in _entries(folder):
        key = unicodedata.normalize("NFC", entry.stem)
        if entry.suffix.lower() not in IMAGE_EXTENSIONS:
            continue
        if key in found:
            problems.append(f"{folder} has several masks of one photograph: {found[key].name}, {entry.name}. Keep one.")
        else:
            found[key] = entry
    return found, problems


def left_out_lines(left_out: Mapping[str, str]) -> list[str]:
    """Return one line per reason, with the first names; they are untrusted and still to be cleaned.

    Example:
        >>> left_out_lines({"a.heic": "is a HEIC file, which is not read"})
        ['left out, is a HEIC file, which is not read (1): a.heic']
    """
    lines = []
    for reason in dict.fromkeys(left_out.values()):
        names = [name for name, why in left_out.items() if why == reason]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines.append(f"left out, {reason} ({len(names)}): {', '.join(names[:NAMED])}{more}")
    return lines


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Check the path.")
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return [entry for entry in entries if entry.name not in IGNORED and not entry.name.startswith(".")]


def _reason(error: Exception, entry: Path) -> str:
    text = " ".join(error.problems) if isinstance(error, InputError) else str(error)
    return text.removeprefix(f"{entry} ").split(". ")[0].rstrip(".")
