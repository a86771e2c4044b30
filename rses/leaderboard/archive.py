"""Unpacking a stranger's zip file: nothing leaves the folder, nothing grows without bound."""

from __future__ import annotations

import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from rses.errors import InputError
from rses.leaderboard.fields import shown
from rses.suites.paths import path_problem

__all__ = ["unpack"]

MAX_FILES, MAX_BYTES, MAX_RATIO = 20_000, 4 << 30, 200


def unpack(archive: str | Path, folder: str | Path) -> Path:
    """Unpack a submission.

    Args:
        archive: A zip file whose files lie at its top, or in one folder.
        folder: An empty folder to write to.

    Returns:
        The folder that holds ``submission.json``.

    Raises:
        InputError: Absolute paths, ``..``, links, devices, names used twice, encryption, or too much of anything.
    """
    path, target = Path(archive), Path(folder)
    try:
        with zipfile.ZipFile(path) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            problems = _problems(members)
            if problems:
                raise InputError(problems, f"{path} is refused:")
            left = MAX_BYTES
            for member in members:
                left -= _extract(content, member, target / member.filename, left)
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError,
        ValueError,
    ) as error:  # fmt: skip
        raise InputError(f"{path} cannot be read as a zip file: {shown(error, 200)}") from error
    inner = [entry for entry in target.iterdir() if entry.is_dir()]
    return target if (target / "submission.json").exists() or len(inner) != 1 else inner[0]


def _problems(members: list[zipfile.ZipInfo]) -> list[str]:
    if len(members) > MAX_FILES:
        return [f"it holds {len(members)} files; at most {MAX_FILES} are read"]
    problems = []
    seen: set[str] = set()
    for member in members:
        name = member.filename
        fault = path_problem(None, name)
        if fault:
            problems.append(f"{shown(name)} {fault}")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            problems.append(f"{shown(name)} is a link or device, not a file")
        if member.flag_bits & 1:
            problems.append(f"{shown(name)} is encrypted")
        if name.casefold() in seen:
            problems.append(f"{shown(name)} is there twice")
        seen.add(name.casefold())
        if member.file_size > 1 << 20 and member.file_size > MAX_RATIO * max(1, member.compress_size):
            problems.append(f"{shown(name)} unpacks to more than {MAX_RATIO} times its size")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        problems.append(f"it unpacks to {total >> 20} MB; at most {MAX_BYTES >> 20} MB are read")
    return problems[:50]


def _extract(content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The header may lie about the size; what is read is counted.
    limit = min(left, member.file_size)
    with content.open(member) as source, target.open("xb") as sink:
        shutil.copyfileobj(_Bounded(source, limit, member.filename), sink)
    return target.stat().st_size


class _Bounded:
    """A stream that refuses to give more than it promised."""

    def __init__(self, stream: object, limit: int, name: str):
        self._stream, self._left, self._name = stream, limit, name

    def read(self, size: int = -1) -> bytes:
        block: bytes = self._stream.read(size if size >= 0 else 1 << 20)  # type: ignore[attr-defined]
        self._left -= len(block)
        if self._left < 0:
            raise InputError(f"{shown(self._name)} is larger than its archive says.")
        return block
