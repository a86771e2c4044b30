"""Differences between methods on the samples that they share, with p-values corrected for their number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rses.statistics.intervals import cluster_numbers, cluster_sums, mean_interval

__all__ = ["PairedDifference", "holm", "paired_difference", "pairwise_tests"]

# Pairs tested in one call, and observations up to which scipy may use the exact distribution, for which it would look
# at all pairs of the call together.
_PAIRS, _EXACT = 256, 50


@dataclass(frozen=True)
class PairedDifference:
    """Mean of a - b over common samples, its interval, and a two-sided Wilcoxon signed-rank p-value.

    ``direction`` is the sign of the signed-rank sum: to which side the test found the differences to lie. A few large
    ones can pull the mean to the other side; then the test says nothing about the mean.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    p_value: float
    direction: int


def paired_difference(
    a: ArrayLike, b: ArrayLike, confidence: float = 0.95, clusters: Sequence[Hashable] | None = None
) -> PairedDifference:
    """Compare two methods on the same samples.

    Args:
        a: Values of the first method, one per sample.
        b: Values of the second method, in the same order.
        confidence: Coverage of the interval.
        clusters: For each sample, what it shares with others (its source image); the interval resamples whole
            clusters, and the test takes each cluster's mean difference as one observation.

    Raises:
        ValueError: Different lengths, or no sample.

    Source: Wilcoxon (1945), https://doi.org/10.2307/3001968; zeros after Pratt (1959).

    Example:
        >>> d = paired_difference([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
        >>> d.mean, d.n
        (1.0, 3)
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"paired values must match and not be empty, got {first.shape} and {second.shape}")
    difference = first - second
    interval = mean_interval(difference, confidence, clusters=clusters)
    sums, counts = cluster_sums(difference, clusters)
    p_value, direction = _wilcoxon(sums / counts)
    return PairedDifference(interval.mean, interval.low, interval.high, interval.n, p_value, direction)


def _wilcoxon(difference: np.ndarray) -> tuple[float, int]:
    """Return p-value and direction; 1 and 0 where nothing differs."""
    from scipy import stats

    if not np.any(difference != 0):
        return 1.0, 0
    ranks = stats.rankdata(np.abs(difference))
    direction = int(np.sign(np.sum(np.sign(difference) * ranks)))
    return float(stats.wilcoxon(difference, zero_method="pratt").pvalue), direction


def pairwise_tests(values: ArrayLike, clusters: Sequence[Hashable] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Test every pair of methods on the samples where both have a value.

    Args:
        values: (methods, samples); NaN where a method has no value.
        clusters: As in :func:`paired_difference`.

    Returns:
        Two arrays (methods, methods). Symmetric: two-sided Wilcoxon p-values after Holm's correction over all pairs,
        1 on the diagonal and for pairs without common samples. Antisymmetric: the direction of row minus column, as in
        :class:`PairedDifference`.

    Example:
        >>> _, direction = pairwise_tests(np.stack([np.arange(30.0), np.arange(30.0) + 1]))
        >>> direction.tolist()
        [[0, -1], [1, 0]]
    """
    data = np.atleast_2d(np.asarray(values, dtype=np.float64))
    numbers = np.arange(data.shape[1]) if clusters is None else cluster_numbers(clusters)
    first, second = np.triu_indices(len(data), 1)
    raw, sides = np.ones(len(first)), np.zeros(len(first), dtype=int)
    for start in range(0, len(first), _PAIRS):
        chunk = slice(start, start + _PAIRS)
        found = _tests([_means(data[i] - data[j], numbers) for i, j in zip(first[chunk], second[chunk], strict=True)])
        raw[chunk], sides[chunk] = zip(*found, strict=True)
    p_values, directions = np.ones((len(data), len(data))), np.zeros((len(data), len(data)), dtype=int)
    p_values[first, second] = p_values[second, first] = holm(raw)
    directions[first, second], directions[second, first] = sides, -sides
    return p_values, directions


def _means(difference: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Mean difference of each cluster that has one."""
    known = np.isfinite(difference)
    if not known.all():
        difference, numbers = difference[known], numbers[known]
    if not difference.size:
        return difference
    counts = np.bincount(numbers)
    sums = np.bincount(numbers, weights=difference)
    return np.asarray(sums[counts > 0] / counts[counts > 0])


def _tests(differences: Sequence[np.ndarray]) -> list[tuple[float, int]]:
    """Test many pairs; those with equally many observations in one call, where no exact distribution is used."""
    from scipy import stats

    results = [(1.0, 0)] * len(differences)
    alike: dict[int, list[int]] = {}
    for place, difference in enumerate(differences):
        if np.any(difference != 0):
            alike.setdefault(len(difference), []).append(place)
    for size, places in alike.items():
        if size <= _EXACT:
            found = [_wilcoxon(differences[place]) for place in places]
        else:
            table = np.stack([differences[place] for place in places])
            # One-sided, for then the statistic has a sign; by the normal approximation, as for so many in any case.
            z = stats.wilcoxon(table, zero_method="pratt", axis=1, alternative="greater", method="approx").zstatistic
            p_values = 2 * stats.norm.sf(np.abs(z))
            found = list(zip(p_values.tolist(), np.sign(z).astype(int).tolist(), strict=True))
        for place, result in zip(places, found, strict=True):
            results[place] = result
    return results


def holm(p_values: Sequence[float] | np.ndarray) -> list[float]:
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
