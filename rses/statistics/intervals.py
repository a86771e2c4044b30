"""Bootstrap intervals of a mean, over samples or over clusters of samples."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["RESAMPLES", "SEED", "Interval", "cluster_numbers", "cluster_sums", "mean_interval", "mean_intervals"]

RESAMPLES, FEWEST = 2000, 6
SEED = 20260219
"""From fewer than six independent observations no test reaches 5 % (the exact signed-rank test of five gives 2/32)."""
# Draws that are multiplied at once and that are made at once, and clusters up to which the draws of a size are kept for
# the next call: many of few, few of many.
_BLOCK, _AT_ONCE, _KEPT_MANY, _KEPT_FEW = 4_000_000, 250_000, 2048, 8192


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; ``low`` and ``high`` are ``None`` for fewer than six clusters."""

    mean: float
    low: float | None
    high: float | None
    n: int


def mean_interval(
    values: ArrayLike, confidence: float = 0.95, seed: int = SEED, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Mean of ``values`` with a bias-corrected and accelerated (BCa) bootstrap interval.

    Args:
        values: Finite numbers, at least one.
        confidence: Coverage in (0, 1).
        seed: Seed of the resampling.
        clusters: For each value, what it shares with others (its source image); whole clusters are resampled.
            Without, every value is its own.

    Raises:
        ValueError: No value, a value that is not finite, or another number of clusters than of values.

    Source: Efron (1987), https://doi.org/10.1080/01621459.1987.10478410; clusters after Davison and Hinkley (1997),
    Bootstrap Methods and their Application, section 3.8.

    Example:
        >>> interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        >>> interval.mean, interval.n, interval.low < 3.5 < interval.high
        (3.5, 6, True)
        >>> mean_interval([1.0, 3.0], clusters=["one photo", "one photo"]).low is None
        True
    """
    return mean_intervals(np.asarray(values, dtype=np.float64).reshape(-1, 1), confidence, seed, clusters)[0]


def mean_intervals(
    values: ArrayLike,
    confidence: float = 0.95,
    seed: int = SEED,
    clusters: Sequence[Hashable] | np.ndarray | None = None,
) -> list[Interval]:
    """Intervals of several quantities of the same samples, as :func:`mean_interval` gives one by one, drawn once.

    Args:
        values: (samples, quantities), finite, at least one sample.
        confidence: Coverage in (0, 1).
        seed: Seed of the resampling.
        clusters: One per sample, as in :func:`mean_interval`.

    Returns:
        One per quantity.

    Raises:
        ValueError: As in :func:`mean_interval`.

    Example:
        >>> [interval.mean for interval in mean_intervals([[1.0, 5.0], [3.0, 7.0]])]
        [2.0, 6.0]
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 2:
        raise ValueError(f"values must be (samples, quantities), got {data.shape}")
    if len(data) == 0 or not np.isfinite(data).all():
        raise ValueError("mean_interval needs at least one value, all finite")
    # Column by column: numpy sums a contiguous column pairwise, whatever stands beside it.
    means, size = [float(column.mean()) for column in np.ascontiguousarray(data.T)], len(data)
    sums, counts = cluster_sums(data, clusters)
    if len(sums) < FEWEST:
        return [Interval(mean, None, None, size) for mean in means]
    varying = np.flatnonzero(np.ptp(data, axis=0) > 0)
    ends = dict(zip(varying.tolist(), _bca(sums[:, varying], counts, confidence, seed), strict=True))
    intervals = []
    for place, mean in enumerate(means):
        low, high = ends.get(place, (mean, mean))
        intervals.append(Interval(mean, low, high, size))
    return intervals


def column_intervals(
    table: ArrayLike,
    clusters: Sequence[Hashable] | np.ndarray,
    confidence: float = 0.95,
    seed: int = SEED,
    proportions: Sequence[bool] = (),
) -> list[Interval | None]:
    """Interval of every column of a table with gaps; columns that are known for the same rows share their resampling.

    Args:
        table: (samples, quantities); what is not finite is ignored.
        clusters: One per sample, as in :func:`mean_interval`.
        confidence: Coverage in (0, 1).
        seed: Seed of the resampling.
        proportions: For each column, whether its values are 0 or 1; without, none is.

    Returns:
        One per column; None where no value is finite. A proportion of exactly 0 or 1, which resampling takes for
        certain, has the interval of Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953, as if all samples
        of a cluster were one observation.

    Example:
        >>> found = column_intervals([[1.0, np.nan], [3.0, np.inf]], ["a", "b"])
        >>> found[0].mean, found[1]
        (2.0, None)
    """
    data = np.asarray(table, dtype=np.float64)
    finite, names = np.isfinite(data), np.array(clusters, dtype=object)
    alike: dict[bytes, list[int]] = {}
    for column in range(data.shape[1]):
        alike.setdefault(finite[:, column].tobytes(), []).append(column)
    found: list[Interval | None] = [None] * data.shape[1]
    for columns in alike.values():
        rows = finite[:, columns[0]]
        if rows.any():
            intervals = mean_intervals(data[rows][:, columns], confidence, seed, names[rows])
            for column, interval in zip(columns, intervals, strict=True):
                share = column < len(proportions) and proportions[column]
                found[column] = _wilson(interval, len(set(names[rows])), confidence) if share else interval
    return found


def _wilson(interval: Interval, clusters: int, confidence: float) -> Interval:
    """Widen the interval of a proportion of 0 or 1."""
    from scipy.special import ndtri

    if interval.low is None or interval.mean not in (0, 1):
        return interval
    width = ndtri((1 + confidence) / 2) ** 2
    reach = float(width / (clusters + width))
    return replace(interval, high=reach) if interval.mean == 0 else replace(interval, low=1 - reach)


def cluster_numbers(clusters: Sequence[Hashable]) -> np.ndarray:
    """Number clusters by first appearance.

    Example:
        >>> cluster_numbers(["b", "a", "b"]).tolist()
        [0, 1, 0]
    """
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in clusters], dtype=np.int64)


def cluster_sums(data: np.ndarray, clusters: Sequence[Hashable] | np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the values, and how many there are, of each cluster.

    Args:
        data: (n,) or (n, k) floats.
        clusters: n names, or whole numbers from 0 as :func:`cluster_numbers` gives them, or ``None``.

    Raises:
        ValueError: Their number differs.
    """
    if clusters is None:
        return data, np.ones(len(data))
    if len(clusters) != len(data):
        raise ValueError(f"{len(data)} values need as many clusters, got {len(clusters)}")
    numbers = cluster_numbers(clusters.tolist() if isinstance(clusters, np.ndarray) else clusters)
    sums = np.zeros((int(numbers.max()) + 1, *data.shape[1:]))
    np.add.at(sums, numbers, data)
    return sums, np.bincount(numbers).astype(np.float64)


def _bca(sums: np.ndarray, counts: np.ndarray, confidence: float, seed: int) -> list[tuple[float, float]]:
    """Ends of the interval of every column of ``sums`` (clusters, quantities)."""
    if sums.shape[1] == 0:
        return []
    both = np.concatenate([sums, counts[:, None]], axis=1)

    def times(block: np.ndarray) -> np.ndarray:
        return np.asarray(block.astype(np.float64, copy=False) @ both)

    # No loop, whose variable would hold a block while the next is made.
    totals = np.concatenate(list(map(times, _blocks(seed, len(sums)))))
    means = totals[:, :-1] / totals[:, -1:]
    left = (sums.sum(axis=0) - sums) / (counts.sum() - counts)[:, None]
    return [_ends(means[:, k], sums[:, k], left[:, k], counts.sum(), confidence) for k in range(sums.shape[1])]


def _ends(
    means: np.ndarray, sums: np.ndarray, left: np.ndarray, count: float, confidence: float
) -> tuple[float, float]:
    from scipy.special import ndtr, ndtri

    mean = sums.sum() / count
    # Two sums of the same values in another order are one value.
    near = np.abs(means - mean) <= 1e-12 * max(1e-300, np.abs(sums).max())
    below = np.count_nonzero((means < mean) & ~near) + np.count_nonzero(near) / 2
    bias = ndtri(below / RESAMPLES)
    influence = left.mean() - left
    spread = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    shifted = bias + ndtri(tails)
    adjusted = ndtr(bias + shifted / (1 - acceleration * shifted))
    levels = adjusted if np.isfinite(adjusted).all() else tails
    low, high = np.quantile(means, levels)
    return float(low), float(high)


def _blocks(seed: int, size: int) -> Iterable[np.ndarray]:
    """How often each cluster is drawn, (rows, size), :data:`RESAMPLES` rows in all."""
    if size <= _KEPT_MANY:
        return _small_blocks(seed, size)
    return _large_blocks(seed, size) if size <= _KEPT_FEW else _draw(seed, size)


# A board asks for thousands of means over the same few numbers of samples: the suite, its styles, its sizes.
@functools.lru_cache(maxsize=64)
def _small_blocks(seed: int, size: int) -> tuple[np.ndarray, ...]:
    return tuple(_compact(block) for block in _draw(seed, size))


@functools.lru_cache(maxsize=4)
def _large_blocks(seed: int, size: int) -> tuple[np.ndarray, ...]:
    return tuple(_compact(block) for block in _draw(seed, size))


def _compact(block: np.ndarray) -> np.ndarray:
    return block.astype(np.uint8 if block.max() < 256 else np.uint16)


def _draw(seed: int, size: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    rows, few = (max(1, min(RESAMPLES, limit // size)) for limit in (_BLOCK, _AT_ONCE))
    for start in range(0, RESAMPLES, rows):
        counts = np.empty((min(rows, RESAMPLES - start), size))
        for first in range(0, len(counts), few):
            some = counts[first : first + few]
            drawn = rng.integers(0, size, some.shape) + size * np.arange(len(some))[:, None]
            some[:] = np.bincount(drawn.ravel(), minlength=some.size).reshape(some.shape)
        yield counts
        del counts, some  # or the next block would be made beside this one
