"""Uncertainty of means and of differences: bootstrap intervals, paired tests, Holm's correction.

All random numbers come from a fixed seed, so that the same samples give the same interval.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Interval", "PairedDifference", "holm", "mean_interval", "paired_difference"]

RESAMPLES = 2000
SEED = 20260219


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; ``low`` and ``high`` are ``None`` for fewer than two values."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class PairedDifference:
    """Mean of a - b over common samples, its interval, and a two-sided Wilcoxon signed-rank p-value."""

    mean: float
    low: float | None
    high: float | None
    n: int
    p_value: float


def mean_interval(values: ArrayLike, confidence: float = 0.95, seed: int = SEED) -> Interval:
    """Mean of ``values`` with a bias-corrected and accelerated (BCa) bootstrap interval.

    Args:
        values: Finite numbers, at least one.
        confidence: Coverage in (0, 1).
        seed: Seed of the resampling.

    Raises:
        ValueError: No value, or a value that is not finite.

    Source: Efron (1987), https://doi.org/10.1080/01621459.1987.10478410, through ``scipy.stats.bootstrap``.

    Example:
        >>> interval = mean_interval([1.0, 2.0, 3.0, 4.0])
        >>> interval.mean, interval.n, interval.low < 2.5 < interval.high
        (2.5, 4, True)
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0 or not np.isfinite(data).all():
        raise ValueError("mean_interval needs at least one value, all finite")
    mean = float(data.mean())
    if data.size == 1:
        return Interval(mean, None, None, 1)
    if np.ptp(data) == 0:
        return Interval(mean, mean, mean, int(data.size))
    low, high = _bootstrap(data, confidence, seed)
    return Interval(mean, low, high, int(data.size))


def _bootstrap(data: np.ndarray, confidence: float, seed: int) -> tuple[float, float]:
    from scipy import stats

    options = {
        "n_resamples": RESAMPLES,
        "confidence_level": confidence,
        "vectorized": True,
        # Bounds the memory of the resampling matrix on large runs.
        "batch": max(1, min(RESAMPLES, 20_000_000 // data.size)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = stats.bootstrap((data,), np.mean, method="BCa", rng=np.random.default_rng(seed), **options)
        low, high = result.confidence_interval
        if not (np.isfinite(low) and np.isfinite(high)):
            result = stats.bootstrap((data,), np.mean, method="percentile", rng=np.random.default_rng(seed), **options)
            low, high = result.confidence_interval
    return float(low), float(high)


def paired_difference(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> PairedDifference:
    """Compare two methods on the same samples.

    Args:
        a: Values of the first method, one a sample.
        b: Values of the second method, in the same order.
        confidence: Coverage of the interval.

    Raises:
        ValueError: Different lengths, or no sample.

    Example:
        >>> d = paired_difference([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
        >>> d.mean, d.n
        (1.0, 3)
    """
    from scipy import stats

    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"paired values must match and not be empty, got {first.shape} and {second.shape}")
    difference = first - second
    interval = mean_interval(difference, confidence)
    if np.any(difference != 0):
        p_value = float(stats.wilcoxon(difference, zero_method="pratt").pvalue)
    else:
        p_value = 1.0
    return PairedDifference(interval.mean, interval.low, interval.high, interval.n, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple comparisons by Holm's step-down rule.

    Source: Holm (1979), https://www.jstor.org/stable/4615733.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return [float(value) for value in adjusted]
