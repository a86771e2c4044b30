"""Ranks that say how sure they are: methods that cannot be told apart share one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rses.statistics.paired import pairwise_tests

__all__ = ["RankInterval", "marks", "rank_intervals", "sure_order", "toward_zero"]

_PERFECT = 1e4
"""Stands for an infinite value in tests, which see ranks: beyond every other."""


@dataclass(frozen=True)
class RankInterval:
    """The ranks a method may have: best and worst that no significant difference rules out.

    ``low`` is also its shared rank: one more than the number of methods that are significantly better.
    """

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"


def rank_intervals(
    values: ArrayLike,
    higher_is_better: bool,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = 0.05,
) -> list[RankInterval | None]:
    """Rank methods by their mean, as far as paired tests can separate them.

    All pairs are tested on their common samples and corrected together (Holm), so that with probability 1 - alpha
    no interval at all excludes the rank that equal methods would share. Where a significant test points to one side and
    the mean, pulled by a few samples, to the other, the two methods are not told apart.

    Args:
        values: (methods, samples); NaN where a method has no value.
        higher_is_better: Direction.
        clusters: As in :func:`rses.statistics.paired_difference`.
        alpha: Level of the tests together.

    Returns:
        One per method; ``None`` for a method without a single value.

    Source: Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for Ranks,
    https://doi.org/10.1093/restud/rdad006, with Holm's correction in place of theirs.

    Example:
        >>> base = np.arange(30.0)
        >>> [str(rank) for rank in rank_intervals([base, base + 1, base], higher_is_better=True)]
        ['2-3', '1', '2-3']
    """
    data = np.asarray(values, dtype=np.float64)
    ranked = np.flatnonzero(np.isfinite(data).any(axis=1)) if data.size else np.array([], dtype=int)
    ranks: list[RankInterval | None] = [None] * len(data)
    order = sure_order(data[ranked], higher_is_better, clusters, alpha)
    for place, row in enumerate(ranked):
        better, worse = int((order[place] < 0).sum()), int((order[place] > 0).sum())
        ranks[int(row)] = RankInterval(1 + better, len(ranked) - worse)
    return ranks


def sure_order(
    values: ArrayLike, higher_is_better: bool, clusters: Sequence[Hashable] | None = None, alpha: float = 0.05
) -> np.ndarray:
    """Say which methods the data tell apart, by the tests of :func:`rank_intervals`.

    Args:
        values: (methods, samples); NaN where a method has no value, infinite where a sample is perfect.
        higher_is_better: Direction.
        clusters: As in :func:`rses.statistics.paired_difference`.
        alpha: Level of the tests together.

    Returns:
        (methods, methods): 1 where the row is surely better than the column, -1 where it is surely worse, else 0.

    Example:
        >>> base = np.arange(30.0)
        >>> sure_order([base, base + 1, base], higher_is_better=True)[1].tolist()
        [1, 0, 1]
    """
    data = np.clip(np.asarray(values, dtype=np.float64), -_PERFECT, _PERFECT)
    p_values, directions = pairwise_tests(data, clusters)
    order = np.zeros((len(data), len(data)), dtype=int)
    sign = 1 if higher_is_better else -1
    for i, j in zip(*np.nonzero((p_values < alpha) & (directions > 0)), strict=True):
        difference = data[i] - data[j]
        # Where mean and test point to different sides, nothing is sure.
        if difference[np.isfinite(difference)].mean() > 0:
            order[i, j], order[j, i] = sign, -sign
    return order


def marks(placed: Sequence[int | None], order: np.ndarray) -> list[int | None]:
    """Say what a table may mark: 1 for the best and all that cannot be told from it, 2 for the same of the rest.

    Args:
        placed: Places of the means (:func:`rses.statistics.order.marked_places`).
        order: What is told apart (:func:`sure_order`), of the same methods.

    Returns:
        One per method; nobody has a mark where nothing can be told from the best.

    Example:
        >>> marks([1, 2, 3], np.array([[0, 0, 1], [0, 0, 1], [-1, -1, 0]]))
        [1, 1, 2]
        >>> marks([1, 2, 3], np.zeros((3, 3)))
        [None, None, None]
    """
    found: list[int | None] = [None] * len(placed)
    left = {i: place for i, place in enumerate(placed) if place is not None}
    for mark in (1, 2):
        leaders = [i for i, place in left.items() if place == min(left.values())]
        group = [i for i in left if i in leaders or not any(order[i, j] < 0 for j in leaders)]
        # A single place: perfect throughout, beside means over imperfect samples that rank against none.
        if mark == 1 and len(group) == len(left) and len(set(left.values())) != 1:
            return found
        for i in group:
            found[i] = mark
            del left[i]
    return found


def toward_zero(values: np.ndarray) -> np.ndarray:
    """Mirror the methods (methods, samples) whose mean is below 0, so that of means near 0 the lower is better.

    Example:
        >>> toward_zero(np.array([[-1.0, -3.0, 1.0], [2.0, 2.0, 2.0]])).tolist()
        [[1.0, 3.0, -1.0], [2.0, 2.0, 2.0]]
    """
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1, keepdims=True)
    return np.where(sums < 0, -values, values)
