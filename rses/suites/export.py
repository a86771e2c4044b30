"""Copy a suite to a folder of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from rses.errors import InputError
from rses.files.folders import new_folder
from rses.suites.format import MANIFEST, read_manifest
from rses.suites.registry import load_suite
from rses.suites.verify import verify_suite

__all__ = ["export_suite"]


def export_suite(name_or_folder: str | Path, destination: str | Path) -> Path:
    """Copy a suite and verify the copy.

    The copy appears under its final name only when it is whole.

    Args:
        name_or_folder: A name from `list_suites`, or a suite folder.
        destination: A folder that does not exist yet or is empty.

    Returns:
        The destination.

    Raises:
        InputError: The destination is in use or cannot be written, or the suite is unsound.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     copy = export_suite("mini", Path(folder) / "mini")
        ...     len(list((copy / "images").iterdir()))
        96
    """
    # Copying follows links, so the source is verified before anything is read from it.
    suite = verify_suite(load_suite(name_or_folder).root)
    target = Path(destination).expanduser()
    try:
        with new_folder(target) as temporary:
            for name in (*read_manifest(suite.root).files, MANIFEST):
                place = temporary / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(suite.root / name, place)
            verify_suite(temporary)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
    return target
