"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from rses.errors import InputError, Place
from rses.files.names import folded

LEFTOVER = ".{}." + "[0-9a-f]" * 32 + ".tmp"
"""Names of files that are being written."""


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary file beside ``path``, flush it to disk, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as stream:
            # Marks it as being written, where the system can.
            with contextlib.suppress(OSError):
                try_lock(stream.fileno())
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def is_leftover(path: Path) -> bool:
    """Whether a file has the name of one that :func:`write_atomic` had not finished.

    Example:
        >>> is_leftover(Path(f"x/.a.png.{'0' * 32}.tmp")), is_leftover(Path("x/a.png.tmp"))
        (True, False)
    """
    return path.match(LEFTOVER.format("*"))


def remove_leftovers(*places: Path) -> None:
    """Delete what :func:`write_atomic` leaves behind when the process is killed; what is being written stays."""
    for place in places:
        folder, name = (place, "*") if place.is_dir() else (place.parent, glob.escape(place.name))
        for path in folder.glob(LEFTOVER.format(name)):
            # Folders of such names are no business of this function.
            with contextlib.suppress(OSError):
                if path.is_file() and not _is_held(path):
                    path.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    with path.open("r+b") as stream:
        return not try_lock(stream.fileno())


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder, if nobody else does, until it is closed or the process ends."""
    from filelock import lock_descriptor  # takes a tenth of a second, which listing things need not wait for

    return lock_descriptor(descriptor, blocking=False)


def sha256_bytes(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of bytes.

    Example:
        >>> sha256_bytes(b"")[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(data).hexdigest()


def is_sha256(text: object) -> bool:
    """Whether something is a SHA-256 as this project writes them: 64 small hexadecimal digits.

    Example:
        >>> is_sha256(sha256_bytes(b"")), is_sha256("E3B0")
        (True, False)
    """
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{64}", text) is not None


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, reading it in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_files(paths: Iterable[Path], folder: Path) -> str:
    """Return one hexadecimal SHA-256 over files and their names (NFC) within a folder, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(
            f"{folded(path.relative_to(folder).as_posix())}:{sha256_file(path)}\n".encode(errors="surrogateescape")
        )
    return digest.hexdigest()


def require_writable(folder: Path) -> None:
    """Check, before hours of work, that results can be written to ``folder``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"Cannot write results to {folder}: {reason}. Choose a folder you can write to with --out.",
            code="unwritable",
            place=Place(str(folder)),
        ) from error


@contextlib.contextmanager
def remove_new_folders(folder: Path, *files: str) -> Iterator[None]:
    """Remove a folder that the block made, and its new parents, if the block fails and leaves nothing in it."""
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            if absent and {entry.name for entry in folder.iterdir()} <= set(files):
                for name in files:
                    (folder / name).unlink(missing_ok=True)
                for place in absent:
                    place.rmdir()
        raise
