"""Which samples a run edits, and which of them together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rses.errors import InputError
from rses.images.decode import image_size
from rses.images.file import ImageFile
from rses.suites import Sample

__all__ = ["Shard", "fixed_batches", "select"]


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
            raise InputError(f'--shard must be i/n with i from 1 to n, e.g. 2/8; got "{text}".')
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def select(samples: Sequence[Sample], limit: int | None = None, shard: Shard | None = None) -> list[Sample]:
    """Return the samples of one run: the first ``limit`` of the suite, and of those the shard's.

    Raises:
        InputError: ``limit`` is below 1, or the shard gets no sample.
    """
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}.")
    chosen = list(samples[:limit])
    if shard is None:
        return chosen
    own = chosen[shard.number - 1 :: shard.count]
    if not own:
        raise InputError(f"Shard {shard} of {len(chosen)} samples is empty. Use at most {len(chosen)} shards.")
    return own


def fixed_batches(
    samples: Sequence[Sample], size: int, files: Callable[[Path], ImageFile] = ImageFile.read
) -> list[list[Sample]]:
    """Group samples of one image size, at most ``size`` together.

    The groups depend on the samples alone, not on what is finished, so that a resumed run computes every image in
    the company in which an uninterrupted run computes it.
    """
    groups: dict[tuple[int, int], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(_image_size(sample, files), []).append(sample)
    return [group[start : start + size] for group in groups.values() for start in range(0, len(group), size)]


def _image_size(sample: Sample, files: Callable[[Path], ImageFile]) -> tuple[int, int]:
    # The header alone; a file that cannot be read fails later, as its own sample's failure.
    try:
        return image_size(files(sample.image))
    except InputError:
        return (0, 0)
