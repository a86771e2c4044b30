"""An append-only record of a run in progress, so that a stopped run goes on where it was.

The first line holds the run's settings; each further line is one finished sample. A line cut short by a crash is
ignored and its sample is done again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from rses.errors import InputError, Place
from rses.files.text import parse_json

EDITS, SCORES = "generation.jsonl", "journal.jsonl"
"""Journals of the edits of a run and of their scores."""
VERSION = 1
LONGEST = 60
"""Letters of an old and a new value that are still shown."""


class Journal:
    """Finished samples of a run folder.

    Args:
        path: File to append to.
        settings: What determines the numbers; a journal with other settings is refused.
        fresh: Start over, forgetting what the file holds; it is replaced when the first record is added.
        sound: Whether a record holds what its reader relies on; one that does not is damaged and forgotten, so that
            its sample is done again.

    Raises:
        InputError: The file belongs to a run with other settings.
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        fresh: bool = False,
        sound: Callable[[dict[str, Any]], bool] = lambda record: True,  # noqa: ARG005
    ):
        self.path = path
        self.records: dict[str, dict[str, Any]] = {}
        self._settings = json.loads(json.dumps(settings))
        self._stream: IO[bytes] | None = None
        self._discard, self._sound = fresh, sound
        if path.exists() and not fresh:
            self._read()

    def _read(self) -> None:
        content = self.path.read_bytes()
        if b"\n" not in content:
            # Stopped before the first line was whole: nothing was recorded yet.
            os.truncate(self.path, 0)
            return
        lines = content.split(b"\n")
        header = _parse(lines[0])
        if header is None or header.get("journal") != VERSION:
            raise InputError(
                f"{self.path} is not a journal of this version. Pass --fresh to start over.",
                code="other-version",
                place=Place(str(self.path)),
            )
        before = header.get("settings")
        if before != self._settings and not any(_parse(line) for line in lines[1:]):
            # Killed before anything was finished: no other run is lost.
            os.truncate(self.path, 0)
            return
        if not isinstance(before, dict):
            raise InputError(
                f"{self.path} is not a journal of this version. Pass --fresh to start over.",
                code="other-version",
                place=Place(str(self.path)),
            )
        if before != self._settings:
            changed = ", ".join(_differences(before, self._settings))
            raise InputError(
                f"{self.path.parent} already holds another run (different: {changed}). "
                "Choose another --out, or pass --fresh to replace it.",
                code="other-run",
            )
        for line in lines[1:]:
            record = _parse(line)
            if record is not None and isinstance(record.get("key"), str) and self._sound(record):
                self.records[record["key"]] = record
        if not content.endswith(b"\n"):
            os.truncate(self.path, content.rfind(b"\n") + 1)

    @property
    def is_new(self) -> bool:
        """Whether nothing has been written down yet, not even the settings."""
        return self._discard or not self.path.exists() or self.path.stat().st_size == 0

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Add finished samples and wait until they are on disk; with none, the settings alone."""
        if self._stream is None:
            new = self.is_new
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("wb" if self._discard else "ab")
            self._discard = False
            if new:
                self._write({"journal": VERSION, "settings": self._settings})
        for record in records:
            self._write(record)
            self.records[record["key"]] = record
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def take_over(self, path: Path) -> None:
        """Add what another journal of the same run holds; that file stays as it is, and may still be written to.

        Raises:
            InputError: It belongs to a run with other settings.
        """
        header, *records = records_of(path) or [{"settings": self._settings}]
        before = header.get("settings")
        if before != self._settings:
            changed = ", ".join(_differences(before, self._settings)) if isinstance(before, dict) else "its version"
            raise InputError(
                f"{path.parent} holds a shard of another run (different: {changed}). Pass --fresh to forget it.",
                code="other-run",
            )
        known = (record for record in records if isinstance(record.get("key"), str) and self._sound(record))
        if new := [record for record in known if record["key"] not in self.records]:
            self.append(new)

    def _write(self, record: dict[str, Any]) -> None:
        assert self._stream is not None
        self._stream.write(json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n")

    def close(self) -> None:
        """Close the file; the object stays readable."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def recorded_keys(path: Path) -> list[str]:
    """Return what a journal speaks of, whatever its settings are; nothing where there is none."""
    return [record["key"] for record in records_of(path) if isinstance(record.get("key"), str)]


def records_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal, the settings first; nothing where there is none."""
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    return [record for record in map(_parse, lines) if record is not None]


def _differences(before: dict[str, Any], now: dict[str, Any], within: str = "") -> Iterator[str]:
    """Name what differs, down to the innermost setting, with values that are short enough to read in a sentence."""
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{within}{key}.")
        elif old != new:
            values = f"{json.dumps(old, ensure_ascii=False)}, now {json.dumps(new, ensure_ascii=False)}"
            yield f"{within}{key}" if len(values) > LONGEST else f"{within}{key} was {values}"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = parse_json(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
