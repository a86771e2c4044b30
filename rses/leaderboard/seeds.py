"""Several seeds of one method as one run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rses.metrics_table import METRICS
from rses.results import Results
from rses.sample_result import SampleResult

__all__ = ["averaged"]


def averaged(runs: Sequence[Results]) -> list[SampleResult]:
    """Average several seeds sample by sample; a sample counts only where every seed has it.

    Example:
        >>> runs = [Results([SampleResult("a", mse_bg=value)]) for value in (0.1, 0.3)]
        >>> averaged(runs)[0].mse_bg
        0.2
    """
    if len(runs) == 1:
        return sorted(runs[0].samples, key=lambda sample: sample.id)
    by_id: dict[str, list[SampleResult]] = {}
    for run in runs:
        for sample in run.samples:
            by_id.setdefault(sample.id, []).append(sample)
    return [_average(by_id[name], len(runs)) for name in sorted(by_id)]


def _average(samples: Sequence[SampleResult], wanted: int) -> SampleResult:
    failed = [sample for sample in samples if sample.status != "ok"]
    if failed:
        return failed[0]
    if len(samples) < wanted:
        undefined: dict[str, Any] = dict.fromkeys(METRICS)
        return dataclasses.replace(samples[0], status="missing", **undefined)
    values: dict[str, Any] = {}
    for name in METRICS:
        known = [getattr(sample, name) for sample in samples]
        values[name] = None if None in known else sum(map(float, known)) / len(known)
    return dataclasses.replace(samples[0], **values)
