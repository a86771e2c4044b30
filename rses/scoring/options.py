"""What is said about a run beside its samples: made once, and passed on whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rses.images.file import FileCache
from rses.runs.sample_result import SampleResult
from rses.runs.shard import Shard

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class RunOptions:
    """How samples are scored, and what their run says of itself.

    Attributes:
        styles: All style texts that ``style_correct`` chooses among; those of the samples by default.
        suite: Name, version and sha256 of the suite.
        method: Name of the method.
        card: Method card, copied into the summary.
        missing: Samples without a prediction, counted in coverage; read when all others are scored.
        notes: What else the summary says, by its name: ``extra_files``, ``notes``.
        out: Run folder; a stopped run with the same settings is continued.
        fresh: Forget what ``out`` holds.
        allow_missing: Score what is there and report coverage, instead of refusing broken files at the end.
        allow_resize: Resize predictions of another size.
        progress: Called with the number of samples scored.
        files: Reads files, each once.
        threshold: Where soft masks begin to be region; these are refused without it.
        shard: Which share of the run's samples are given; only their journal is written, to the shard's folder in
            ``out``, and a run of the whole takes it over.
    """

    styles: Iterable[str] | None = None
    suite: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    card: Mapping[str, Any] | None = None
    missing: Sequence[SampleResult] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    out: Path | None = None
    fresh: bool = False
    allow_missing: bool = False
    allow_resize: bool = False
    progress: Callable[[int], None] | None = None
    files: FileCache = field(default_factory=FileCache)
    threshold: float | None = None
    shard: Shard | None = None
