"""One run a folder at a time."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rses.errors import InputError
from rses.files import require_writable

__all__ = ["LOCK", "exclusive"]

LOCK = ".lock"
"""Name of the lock within its folder."""
SHARDS = "To work side by side, give every process its own --shard and --out, and merge with `rses merge`."


@contextlib.contextmanager
def exclusive(folder: Path, advice: str = SHARDS) -> Iterator[None]:
    """Hold a run folder; the operating system lets go of it when the process ends, however it ends.

    Args:
        folder: The folder; made if need be.
        advice: How to work side by side, for the error.

    Raises:
        InputError: Another process holds it, or it cannot be written.
    """
    require_writable(folder)
    path = folder / LOCK
    with path.open("a+b") as stream:
        # A run that came to nothing removes its folder; whoever opened the lock before that holds a file of no name.
        if not _try_lock(stream) or not _is_at(stream, path):
            stream.seek(0)
            holder = stream.read().decode("utf-8", "replace").strip() or "another process"
            raise InputError(
                f"{folder} is in use by {holder}. Wait for it, stop it, or choose another --out. {advice}".rstrip()
            )
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        stream.flush()
        yield
        # Whoever comes next must find this very file, so it stays.
        stream.truncate(0)


def _is_at(stream: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(stream: IO[bytes]) -> bool:
        stream.seek(0)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
