"""One process per folder at a time."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from rses.errors import InputError, Place
from rses.files.atomic import require_writable, try_lock

LOCK = ".lock"
"""Name of the lock within its folder."""
SHARDS = "To work side by side, give every process its own --shard and --out, and merge with `rses merge`."


@contextlib.contextmanager
def exclusive(folder: Path, advice: str = SHARDS) -> Iterator[None]:
    """Hold a run folder; the operating system lets go of it when the process ends, however it ends."""
    require_writable(folder)
    path = folder / LOCK
    with path.open("a+b") as stream:
        # A run that came to nothing removes its folder; whoever opened the lock before that holds a file of no name.
        if not try_lock(stream.fileno()) or os.fstat(stream.fileno()).st_nlink == 0:
            stream.seek(0)
            holder = stream.read().decode("utf-8", "replace").strip() or "another process"
            raise _in_use(folder, holder, f"Wait for it, stop it, or choose another --out. {advice}".rstrip())
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        stream.flush()
        try:
            yield
        finally:
            # Whoever comes next must find this very file, so it stays.
            stream.truncate(0)


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder itself, without a file in it; where the system cannot do that, nobody is kept out."""
    require_writable(folder)
    try:
        descriptor = hold(folder)
    except BlockingIOError as error:
        raise _in_use(folder, "another process", "Wait for it, or stop it.") from error
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _in_use(folder: Path, holder: str, advice: str) -> InputError:
    return InputError(f"{folder} is in use by {holder}. {advice}", code="in-use", place=Place(str(folder)))


def hold(folder: Path) -> int | None:
    """Hold a folder itself until the process ends or the result is closed.

    Returns:
        A descriptor to give to ``os.close``, or ``None`` where the system cannot hold folders.

    Raises:
        BlockingIOError: Somebody else holds it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        if try_lock(descriptor):
            return descriptor
    except OSError:
        os.close(descriptor)
        return None
    os.close(descriptor)
    raise BlockingIOError(f"{folder} is held by another process")
