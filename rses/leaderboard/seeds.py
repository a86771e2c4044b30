"""Several seeds of one method as one run."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any

from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.table import METRICS

__all__ = ["averaged", "seed_spread"]


def averaged(runs: Sequence[Results]) -> list[SampleResult]:
    """Average several seeds sample by sample; only samples that every seed has are averaged.

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


def seed_spread(runs: Sequence[Results]) -> dict[str, float]:
    """How far the means of the seeds lie apart: their standard deviation, by metric; empty for one seed.

    Each mean is over the samples that every seed has, so that coverage does not pass for chance.

    Example:
        >>> runs = [Results([SampleResult("a", mse_bg=value)]) for value in (0.1, 0.3)]
        >>> round(seed_spread(runs)["mse_bg"], 6)
        0.141421
    """
    if len(runs) < 2:
        return {}
    common = {sample.id for sample in averaged(runs) if sample.status == "ok"}
    samples = [[sample for sample in run.samples if sample.id in common] for run in runs]
    spread = {}
    for name in METRICS:
        means = [_mean([getattr(sample, name) for sample in members]) for members in samples]
        known = [mean for mean in means if mean is not None]
        if len(known) == len(runs):
            spread[name] = statistics.stdev(known)
    return spread


def _mean(values: Sequence[Any]) -> float | None:
    finite = [float(value) for value in values if value is not None and math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None


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
        # A background is perfect only where every seed left it so.
        values[name] = None if None in known else _or_infinite(_mean(known))
    return dataclasses.replace(samples[0], **values)


def _or_infinite(mean: float | None) -> float:
    return math.inf if mean is None else mean
