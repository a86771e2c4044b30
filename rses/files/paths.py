"""Ids and paths of untrusted files: an id names one file, and no path leads out of its folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

__all__ = ["IGNORED", "id_problem", "list_files", "path_problem", "safe_id", "safe_relative"]

IGNORED = frozenset({".DS_Store", ".cache", ".git", ".gitattributes", "Thumbs.db"})
"""Names that file managers and download tools leave behind; they are not part of a suite."""

MAX_STEM, MAX_PART, MAX_PATH = 245, 255, 3000
"""Bytes of an id, of a name in a path and of a path that file systems take; an id gets an ending."""
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\<>:"|?*]')


def id_problem(name: object) -> str | None:
    """Say why an id cannot name a file on every system, or return None.

    Example:
        >>> id_problem("mini-001-cat") is None, id_problem("a/b")
        (True, 'contains "/", which cannot be part of a file name')
    """
    if not isinstance(name, str) or not name.strip():
        return "is not a non-empty text"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "is not UTF-8; rename the file"
    bad = _FORBIDDEN.search(name)
    if bad:
        shown = bad.group() if bad.group().isprintable() else repr(bad.group())[1:-1]
        return f'contains "{shown}", which cannot be part of a file name'
    if name in (".", "..") or name != name.strip() or name.endswith("."):
        return "begins or ends with a space, or ends with a dot"
    if len(name.encode()) > 200:
        return "is longer than 200 bytes"
    return None


def path_problem(root: Path | None, relative: object) -> str | None:
    """Say why a path may not be used inside `root`, or return None. The file need not exist.

    Refused are empty and absolute paths, drive letters, backslashes, ``..``, and symbolic links on the way.
    Without a `root` only the text is judged.

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
    if "\\" in relative or any(ord(letter) < 32 for letter in relative):
        return "contains a backslash or a control character; write paths with /"
    pure = PurePosixPath(relative)
    if pure.is_absolute() or re.match(r"^[A-Za-z]:", relative):
        return "is an absolute path"
    if ".." in pure.parts:
        return "leads outside the suite"
    if pure.as_posix() != relative or relative == ".":
        return f'is not written plainly; write "{pure.as_posix()}"'
    if root is not None:
        places = (root.joinpath(*pure.parts[:depth]) for depth in range(1, len(pure.parts) + 1))
        if any(place.is_symlink() for place in places):
            return "is, or passes through, a symbolic link; put the file itself there"
    return None


def list_files(root: Path) -> tuple[list[str], list[str]]:
    """List the files below a folder, and the symbolic links, which are not followed.

    Returns:
        Sorted paths of files and of links, relative to `root` and with forward slashes.
    """
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


def safe_id(name: str) -> bool:
    """Whether an id can be the stem of a file name.

    Example:
        >>> safe_id("a.b"), safe_id("../a"), safe_id(""), safe_id("a" * 300)
        (True, False, False, False)
    """
    return bool(name) and name not in (".", "..") and not set(name) & {"/", "\\", "\0"} and _bytes(name) <= MAX_STEM


def safe_relative(name: str) -> bool:
    """Whether a path stays inside the folder it is relative to, and is short enough to be one.

    Example:
        >>> safe_relative("images/a.png"), safe_relative("../a.png"), safe_relative("/a.png")
        (True, False, False)
    """
    if not name or "\0" in name or _bytes(name) > MAX_PATH or any(_bytes(part) > MAX_PART for part in name.split("/")):
        return False
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    outside = posix.is_absolute() or bool(windows.drive or windows.root)
    return not outside and ".." not in posix.parts and ".." not in windows.parts


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))
