"""Which samples a run edits, and which of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rses.errors import InputError, Place
from rses.images.decode import image_size
from rses.images.file import ImageFile
from rses.runs.shard import Shard
from rses.suites import Sample

__all__ = ["fixed_batches", "select"]


def select(samples: Sequence[Sample], limit: int | None = None, shard: Shard | None = None) -> list[Sample]:
    """Return the samples of one run: the first ``limit`` of the suite, and of those the shard's.

    Raises:
        InputError: ``limit`` is below 1, or the shard gets no sample.
    """
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}.", code="out-of-range", place=Place(field="--limit"))
    chosen = list(samples[:limit])
    return chosen if shard is None else shard.of(chosen)


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
