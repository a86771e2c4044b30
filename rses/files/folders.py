"""Folders that appear under their final name only when they are whole."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from rses.errors import InputError, Place
from rses.files.lock import hold


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Fill a folder beside its place, then rename it into place; nothing is left where that fails.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with new_folder(Path(place) / "new") as folder:
        ...         _ = (folder / "a.txt").write_text("a")
        ...     [path.name for path in (Path(place) / "new").iterdir()]
        ['a.txt']
    """
    target = target.expanduser().absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError(f"{target} is not a folder. Choose a folder that does not exist yet.", code="not-a-folder")
    if target.is_dir() and any(target.iterdir()):
        raise InputError(
            f"{target} is not empty. Choose a folder that does not exist yet, or empty it.", code="not-empty"
        )
    _remove_abandoned(target)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    held: int | None = None
    try:
        with _writing(target):
            temporary.mkdir(parents=True)
            held = hold(temporary)
        yield temporary
        with _writing(target):
            if target.is_dir():
                target.rmdir()
            temporary.rename(target)
    finally:
        if held is not None:
            os.close(held)
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"Cannot write {target}: {error.strerror or error}."
        raise InputError(reason, code="unwritable", place=Place(str(target))) from error


def _remove_abandoned(target: Path) -> None:
    """Remove what processes that were killed left beside the target; those that still fill a folder hold it."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 32}.tmp"):
        with contextlib.suppress(BlockingIOError):
            held = hold(path)
            if held is not None:
                os.close(held)
                shutil.rmtree(path, ignore_errors=True)
