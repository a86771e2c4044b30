"""SHA-256 of large files, remembered between runs so that a 600 MB file is read only once."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from pathlib import Path

from rses.files.atomic import is_sha256, sha256_file, write_atomic
from rses.files.text import parse_json

# Reading less than this takes no noticeable time, so it is not worth an entry in the cache file.
REMEMBERED_FROM_BYTES = 1 << 20


def cache_home() -> Path:
    """Return ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, computed anew when its size or time of change differs."""
    resolved = path.resolve()
    status = resolved.stat()
    return _remembered(str(resolved), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _remembered(path: str, size: int, mtime_ns: int) -> str:
    if size < REMEMBERED_FROM_BYTES:
        return sha256_file(Path(path))
    store = cache_home() / "rses" / "sha256.json"
    known = _read(store)
    key = f"{path}|{size}|{mtime_ns}"
    if key in known:
        return known[key]
    digest = sha256_file(Path(path))
    # Another process may have written meanwhile; what it learned is kept.
    with contextlib.suppress(OSError):
        write_atomic(store, json.dumps({**_read(store), key: digest}, indent=0).encode("utf-8"))
    return digest


def _read(store: Path) -> dict[str, str]:
    try:
        content = parse_json(store.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {str(key): value for key, value in content.items() if isinstance(value, str) and is_sha256(value)}
