"""Find suites: those embedded in the package ``benchmark_data``, and folders anywhere."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path

from rses.errors import InputError, did_you_mean
from rses.suites.format import MANIFEST, Suite, read_suite

__all__ = ["embedded_root", "list_suites", "load_suite"]


def embedded_root() -> Path | None:
    """Folder of the embedded suites, or None where ``benchmark_data`` is not installed.

    Example:
        >>> embedded_root().name
        'suites'
    """
    try:
        root = importlib.resources.files("benchmark_data").joinpath("suites")
    except ModuleNotFoundError:
        return None
    return root if isinstance(root, Path) and root.is_dir() else None


def list_suites() -> list[str]:
    """Names of the embedded suites, sorted.

    Example:
        >>> list_suites()
        ['mini', 'photos']
    """
    root = embedded_root()
    if root is None:
        return []
    return sorted(entry.name for entry in root.iterdir() if (entry / MANIFEST).is_file())


def load_suite(name_or_folder: str | Path) -> Suite:
    """Load an embedded suite by name, or a suite folder.

    A plain word that is the name of an embedded suite means that suite; write ``./mini`` for a folder of
    that name.

    Args:
        name_or_folder: A name from `list_suites`, or a path.

    Raises:
        InputError: There is no such suite, or it is unsound; lists every problem.

    Example:
        >>> suite = load_suite("mini")
        >>> len(suite), suite.styles
        (96, ('pixel art', 'cyberpunk', 'expressionism', 'line art'))
    """
    names = list_suites()
    if isinstance(name_or_folder, str) and name_or_folder in names:
        root = embedded_root()
        assert root is not None
        return read_suite(root / name_or_folder)
    folder = Path(name_or_folder).expanduser()
    if not folder.exists():
        plain = os.sep not in str(name_or_folder)
        hint = did_you_mean(str(name_or_folder), names) if plain else ""
        raise InputError(
            f'There is no suite "{name_or_folder}".{hint} Embedded suites: {", ".join(names) or "none"}; '
            f"or give the path of a folder that holds {MANIFEST}."
        )
    return read_suite(folder)
