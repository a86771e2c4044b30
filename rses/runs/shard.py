"""One of several machines' share of a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rses.errors import InputError, Place

__all__ = ["Shard"]

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of several machines' share of a suite: every ``count``-th sample from the ``number``-th on.

    Attributes:
        number: From 1 to ``count``.
        count: Shards in all.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "2/8".

        Raises:
            InputError: Anything else, or a number out of range.
        """
        match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(
                f'--shard must be i/n with i from 1 to n, e.g. 2/8; got "{text}".',
                code="wrong-form",
                place=Place(field="--shard"),
            )
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def all(cls, count: int) -> list[Shard]:
        """Return every shard of a run.

        Raises:
            InputError: There would be none.
        """
        if count < 1:
            raise InputError(
                f"--shards must be at least 1, got {count}.", code="out-of-range", place=Place(field="--shards")
            )
        return [cls(number, count) for number in range(1, count + 1)]

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, items: Sequence[T]) -> list[T]:
        """Return this shard's items.

        Raises:
            InputError: There are none.
        """
        own = list(items[self.number - 1 :: self.count])
        if not own:
            raise InputError(
                f"Shard {self} of {len(items)} samples is empty. Use at most {len(items)} shards.", code="empty"
            )
        return own

    def folder(self, run: Path) -> Path:
        """Return where the shard lies in a run folder.

        Example:
            >>> Shard(2, 8).folder(Path("run")).as_posix()
            'run/shards/2-of-8'
        """
        return run / SHARDS / f"{self.number}-of-{self.count}"


SHARDS = "shards"
"""Folder of a run that holds its shards."""
