"""The samples on which a method does worst."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any

from rses.runs.sample_result import SampleResult
from rses.table import METRICS

__all__ = ["WORST", "worst_samples"]

WORST = 5
ORDER = ("rses_p", "lpips_bg", "mse_bg", "rsm")


def worst_samples(samples: Sequence[SampleResult], number: int = WORST) -> list[SampleResult]:
    """Return the worst samples, worst first: by RSES-H, then by background damage, then by style.

    Args:
        samples: Scored samples.
        number: Most of them.

    Example:
        >>> [s.id for s in worst_samples([SampleResult(n, rses_p=v) for n, v in (("a", 0.9), ("b", 0.1))], 1)]
        ['b']
    """
    return heapq.nsmallest(number, samples, key=_badness)


def _badness(sample: SampleResult) -> tuple[Any, ...]:
    keys = []
    for name in ORDER:
        value = getattr(sample, name)
        known = value is not None and math.isfinite(value)
        keys.append(math.inf if not known else value if METRICS[name].higher_is_better else -value)
    return (*keys, sample.id)
