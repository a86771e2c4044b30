"""A scoring run in shards: each writes a journal in the run's folder, and a run of the whole takes them over."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rses.errors import InputError
from rses.inputs.sample import Sample
from rses.runs.journal import EDITS, SCORES, Journal
from rses.runs.shard import SHARDS, Shard
from rses.scoring.options import RunOptions

__all__ = ["forget_shards", "share_of_run", "take_over_shards"]


def share_of_run(samples: Sequence[Sample], options: RunOptions, shard: Shard) -> tuple[list[Sample], RunOptions]:
    """Return a shard's samples, and how they are scored: in a folder of their own.

    Raises:
        InputError: No run folder, or no sample.
    """
    if options.out is None:
        raise InputError(
            "A shard's results are kept in the folder of the whole run: give --out DIR.", code="missing-option"
        )
    return shard.of(samples), dataclasses.replace(options, out=shard.folder(options.out), missing=(), shard=shard)


def take_over_shards(journal: Journal, options: RunOptions) -> None:
    """Add what the shards of a run have scored to its journal, or forget them where the run starts over.

    Raises:
        InputError: They belong to a run with other settings.
    """
    if options.out is None or options.shard is not None:
        return
    if options.fresh:
        forget_shards(options.out)
    for path in _journals(options.out):
        journal.take_over(path)


def forget_shards(out: Path) -> None:
    """Remove what shards of a scoring run wrote; those of a bench, which hold edits, stay."""
    for path in _journals(out):
        path.unlink()


def _journals(out: Path) -> list[Path]:
    found = sorted((out / SHARDS).glob(f"*-of-*/{SCORES}"))
    return [path for path in found if not (path.parent / EDITS).exists()]
