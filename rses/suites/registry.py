"""Find suites: those embedded in the package ``benchmark_data``, and folders anywhere."""

from __future__ import annotations

import importlib.resources
import os
import re
from pathlib import Path

from rses.errors import InputError, did_you_mean
from rses.suites.format import MANIFEST, Suite, read_suite


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


def hub_id(text: str | Path) -> bool:
    """Whether a text means a data set of the Hugging Face hub.

    It does if it has the form "org/name" and there is no folder "org" here; write "./org/name" for a folder.

    Example:
        >>> hub_id("some-org/some-suite"), hub_id("./some-org/some-suite"), hub_id("mini")
        (True, False, False)
    """
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", text, re.ASCII):
        return False
    return not Path(text).parent.exists()


def load_suite(name_or_folder: str | Path, revision: str | None = None) -> Suite:
    """Load an embedded suite by name, a suite folder, or a suite of the Hugging Face hub.

    A plain word that is the name of an embedded suite means that suite; write ``./mini`` for a folder of
    that name. A suite that lies as parquet, on the hub or in a folder, is unpacked into a cache folder
    (`rses.suites.hub.suite_cache`), verified by SHA-256, and loaded from there.

    Args:
        name_or_folder: A name from `list_suites`, a path, or a hub id "org/name".
        revision: Branch, tag or commit on the hub.

    Raises:
        InputError: There is no such suite, or it is unsound; lists every problem.

    Example:
        >>> suite = load_suite("mini")
        >>> len(suite), suite.styles
        (96, ('pixel art', 'cyberpunk', 'expressionism', 'line art'))
    """
    if isinstance(name_or_folder, str) and hub_id(name_or_folder):
        from rses.suites.hub import cached_suite

        return cached_suite(name_or_folder, revision)
    if revision is not None:
        raise InputError(f'"{name_or_folder}" is no hub id, so it has no revision "{revision}".', code="exclusive")
    names, root = list_suites(), embedded_root()
    if name_or_folder in names and root is not None:
        return read_suite(root / name_or_folder)
    # Absolute, for methods that change directory.
    folder = Path(name_or_folder).expanduser().absolute()
    if not folder.exists():
        plain = os.sep not in str(name_or_folder)
        hint = did_you_mean(str(name_or_folder), names) if plain else ""
        raise InputError(
            f'There is no suite "{name_or_folder}".{hint} Embedded suites: {", ".join(names) or "none"}; '
            f"or give the path of a folder that holds {MANIFEST}, or a hub id org/name.",
            code="unknown-name",
        )
    if not (folder / MANIFEST).is_file() and (folder / "suite" / MANIFEST).is_file():
        from rses.suites.hub import cached_folder

        return cached_folder(folder)
    return read_suite(folder)
