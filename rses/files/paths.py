"""Ids and paths of untrusted files: an id names one file, and no path leads out of its folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

IGNORED = frozenset({".DS_Store", ".cache", ".git", ".gitattributes", "Thumbs.db"})
"""Names that file managers and download tools leave behind; they are not part of a suite."""

MAX_STEM, MAX_PART, MAX_PATH = 245, 255, 3000
"""Bytes of an id, of a name in a path and of a path that file systems take; an id gets an ending."""
PORTABLE_STEM = 200
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\<>:"|?*]')


def id_problem(name: object, *, portable: bool = True) -> str | None:
    """Say why an id cannot name a file, or return None.

    Args:
        name: The id.
        portable: On every system, as files must that are passed on; otherwise on this one.

    Example:
        >>> id_problem("mini-001-cat") is None, id_problem("a/b")
        (True, 'contains "/", which cannot be part of a file name')
        >>> id_problem("a:b", portable=False) is None, id_problem("../a", portable=False) is None
        (True, False)
    """
    if not isinstance(name, str) or not name.strip():
        return "is not a non-empty text"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "is not UTF-8; rename the file"
    bad = _FORBIDDEN.search(name) if portable else re.search(r"[\x00/\\]", name)
    if bad:
        shown = bad.group() if bad.group().isprintable() else repr(bad.group())[1:-1]
        return f'contains "{shown}", which cannot be part of a file name'
    if name in (".", "..") or (portable and (name != name.strip() or name.endswith("."))):
        return "begins or ends with a space, or ends with a dot"
    most = PORTABLE_STEM if portable else MAX_STEM
    return f"is longer than {most} bytes" if len(name.encode()) > most else None


def path_problem(root: Path | None, relative: object, *, portable: bool = True) -> str | None:
    """Say why a path may not be used inside `root`, or return None. The file need not exist.

    Refused are empty, absolute and overlong paths, drive letters, ``..``, and, where they are passed on, backslashes,
    paths not written plainly, and symbolic links on the way.

    Args:
        root: The folder; without it only the text is judged.
        relative: The path.
        portable: As in :func:`id_problem`.

    Example:
        >>> path_problem(Path("suite"), "images/a.png") is None
        True
        >>> path_problem(Path("suite"), "../secret.png")
        'leads outside the suite'
        >>> path_problem(Path("suite"), "/etc/passwd")
        'is an absolute path'
    """
    if not isinstance(relative, str) or not relative:
        return "is not a non-empty text"
    if portable and ("\\" in relative or any(ord(letter) < 32 for letter in relative)):
        return "contains a backslash or a control character; write paths with /"
    lengths = [len(part.encode("utf-8", "surrogatepass")) for part in (relative, *relative.split("/"))]
    if "\0" in relative or lengths[0] > MAX_PATH or max(lengths[1:]) > MAX_PART:
        return "holds a NUL character or is too long"
    pure, windows = PurePosixPath(relative), PureWindowsPath(relative)
    if pure.is_absolute() or windows.drive or windows.root:
        return "is an absolute path"
    if ".." in pure.parts or ".." in windows.parts:
        return "leads outside the suite"
    if portable and (pure.as_posix() != relative or relative == "."):
        return f'is not written plainly; write "{pure.as_posix()}"'
    if portable and root is not None:
        places = (root.joinpath(*pure.parts[:depth]) for depth in range(1, len(pure.parts) + 1))
        if any(place.is_symlink() for place in places):
            return "is, or passes through, a symbolic link; put the file itself there"
    return None


def list_files(root: Path) -> tuple[list[str], list[str]]:
    """List the files below a folder, and the symbolic links, which are not followed."""
    files: list[str] = []
    links: list[str] = []
    waiting = [root]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.name in IGNORED:
                continue
            relative = entry.relative_to(root).as_posix()
            if entry.is_symlink():
                links.append(relative)
            elif entry.is_dir():
                waiting.append(entry)
            else:
                files.append(relative)
    return sorted(files), sorted(links)
