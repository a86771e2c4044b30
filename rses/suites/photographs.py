"""The photographs and masks of a folder that a user names; links in it are followed, unlike those in suites."""

from __future__ import annotations

from pathlib import Path

from rses.errors import InputError, Place, Problem
from rses.files.names import folded
from rses.files.paths import IGNORED
from rses.images.decode import IMAGE_EXTENSIONS, image_size
from rses.suites.left_out import LeftOut


def find_photographs(folder: Path) -> tuple[list[Path], list[LeftOut]]:
    """List the photographs of a folder: by their ending, or, where that is another one, by their content.

    Returns:
        Photographs, sorted, some of which may still turn out to be damaged; and everything else but hidden files.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.png", "notes.txt", ".DS_Store"):
        ...     _ = (folder / name).write_bytes(b"...")
        >>> paths, left_out = find_photographs(folder)
        >>> [path.name for path in paths], [entry.name for entry in left_out]
        (['a.png'], ['notes.txt'])
    """
    paths: list[Path] = []
    left_out: list[LeftOut] = []
    for entry in _entries(folder):
        try:
            if entry.suffix.lower() not in IMAGE_EXTENSIONS:
                image_size(entry)
            paths.append(entry)
        except (InputError, OSError) as error:
            text = " ".join(error.problems) if isinstance(error, InputError) else str(error)
            reason = text.removeprefix(f"{entry} ").split(". ")[0].rstrip(".")
            left_out.append(LeftOut("photograph-none", entry.name, reason))
    return paths, left_out


def masks_by_name(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Return the masks of a folder by their name without its ending, and what is wrong with names."""
    found: dict[str, Path] = {}
    problems = []
    for entry in _entries(folder):
        if entry.suffix.lower() not in IMAGE_EXTENSIONS:
            continue
        first = found.setdefault(folded(entry.stem), entry)
        if first != entry:
            text = f"{folder} has several masks of one photograph: {first.name}, {entry.name}. Keep one."
            problems.append(Problem(text, "ambiguous"))
    return found, problems


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Check the path.", code="not-a-folder", place=Place(str(folder)))
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {error.strerror or error}.", code="unreadable", place=Place(str(folder))
        ) from error
    return [entry for entry in entries if entry.name not in IGNORED and not entry.name.startswith(".")]
