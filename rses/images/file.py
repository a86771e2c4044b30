"""An image file that is opened once: its bytes, from which it is hashed, checked and decoded."""

from __future__ import annotations

import hashlib
import stat
import threading
from collections import OrderedDict
from functools import cached_property
from pathlib import Path

from rses.errors import InputError, Place, Problem

MAX_BYTES = 1 << 30
"""More than the largest image that is decoded takes uncompressed."""


OWN_BYTES = 2048
"""About what a held file takes beside its content."""


class ImageFile:
    """The bytes of a file, and what messages call it.

    Example:
        >>> ImageFile(Path("a.png"), b"").sha256[:12]
        'e3b0c44298fc'
    """

    def __init__(self, path: Path, data: bytes):
        self.path = path
        self.data = data

    @classmethod
    def read(cls, path: str | Path | ImageFile) -> ImageFile:
        """Read a file; what was read before is returned as it is.

        Raises:
            InputError: Absent, empty, not a file, too large, or not readable.
        """
        if isinstance(path, ImageFile):
            return path
        path = Path(path)
        try:
            facts = path.stat()
        except OSError as error:
            raise InputError([_absent(path, error)]) from error
        if stat.S_ISDIR(facts.st_mode):
            raise InputError(f"{path} is a folder, expected an image file.", code="not-a-file", place=Place(str(path)))
        if facts.st_size == 0:
            raise InputError(
                f"{path} is empty (0 bytes). Write or copy it again.", code="empty", place=Place(str(path))
            )
        if facts.st_size > MAX_BYTES:
            raise InputError(
                f"{path} is too large: {facts.st_size >> 20} MB, at most {MAX_BYTES >> 20} are read.",
                code="too-large",
                place=Place(str(path)),
            )
        try:
            return cls(path, path.read_bytes())
        except PermissionError as error:
            raise InputError(
                f"{path} cannot be read: permission denied. Make it readable (chmod u+r).",
                code="unreadable",
                place=Place(str(path)),
            ) from error
        except OSError as error:
            raise InputError(
                f"{path} is damaged or truncated ({error}). Write or copy it again.",
                code="damaged",
                place=Place(str(path)),
            ) from error

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()

    def __str__(self) -> str:
        return str(self.path)


FILES = (str, Path, ImageFile)
"""What stands for a file where images may also be arrays."""


def _absent(path: Path, error: OSError) -> Problem:
    if isinstance(error, PermissionError):
        text = f"{path} cannot be read: permission denied. Make it readable (chmod u+r)."
        return Problem(text, "unreadable", Place(str(path)))
    if path.is_symlink():
        text = f"{path} is a link to a file that does not exist ({path.readlink()}). Restore that file."
        return Problem(text, "missing-file", Place(str(path)))
    return Problem(f"{path} does not exist.", "missing-file", Place(str(path)))


class FileCache:
    """Reads files, and keeps what fits: samples share sources, and checks come before scoring."""

    def __init__(self, limit: int = 32 << 20):
        self._limit = limit
        self._held = 0
        self._files: OrderedDict[Path, ImageFile] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, path: str | Path | ImageFile) -> ImageFile:
        """Return a file, read at the first call.

        Raises:
            InputError: As :meth:`ImageFile.read`.
        """
        if isinstance(path, ImageFile):
            return path
        with self._lock:
            found = self._files.pop(Path(path), None)
            if found is None:
                found = ImageFile.read(path)
                self._held += len(found.data) + OWN_BYTES
            self._files[found.path] = found
            while self._held > self._limit:
                _, oldest = self._files.popitem(last=False)
                self._held -= len(oldest.data) + OWN_BYTES
            return found
