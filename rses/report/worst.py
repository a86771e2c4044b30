"""Which samples are worst: the one order of galleries and boards."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.table import METRICS

__all__ = ["WORST_BY", "badness", "worst_first", "worst_samples"]

WORST_BY = ("rses_p", "lpips_bg", "mse_bg", "rsm")
"""What decides, in this order: the score as a whole, then background damage, then style."""


def badness(sample: SampleResult, name: str) -> float:
    """Return how bad a sample is in one metric, larger is worse; what is unknown or infinite is never bad."""
    value = getattr(sample, name)
    if value is None or not math.isfinite(value):
        return -math.inf
    return float(-value if METRICS[name].higher_is_better else METRICS[name].rank_value(value))


def worst_samples(samples: Sequence[SampleResult], number: int = 5) -> list[SampleResult]:
    """Return the worst scored samples, worst first, at most ``number``.

    Example:
        >>> [s.id for s in worst_samples([SampleResult(n, rses_p=v) for n, v in (("a", 0.9), ("b", 0.1))], 1)]
        ['b']
    """
    return heapq.nsmallest(number, samples, key=lambda sample: (*(-badness(sample, n) for n in WORST_BY), sample.id))


def worst_first(runs: Sequence[Results]) -> list[str]:
    """Return the ids scored by any run, the worst mean over the runs first.

    Example:
        >>> run = Results([SampleResult("a", mse_bg=0.1), SampleResult("b", mse_bg=0.4)])
        >>> worst_first([run])
        ['b', 'a']
    """
    found: dict[str, list[list[float]]] = {}
    for run in runs:
        for sample in run.samples:
            if sample.status == "ok":
                found.setdefault(sample.id, []).append([badness(sample, name) for name in WORST_BY])
    means = {name: [sum(column) / len(rows) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    return sorted(means, key=lambda name: ([-value for value in means[name]], name))
