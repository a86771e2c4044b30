"""Ranks that say how sure they are: methods that cannot be told apart share one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rses.statistics.paired import pairwise_tests

__all__ = ["RankInterval", "rank_intervals"]


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
    chosen = data[ranked]
    p_values, directions = pairwise_tests(chosen, clusters)
    sign = 1 if higher_is_better else -1
    ranks: list[RankInterval | None] = [None] * len(data)
    for place, row in enumerate(ranked):
        gains = [_gain(chosen[other] - chosen[place], higher_is_better) for other in range(len(ranked))]
        # Where mean and test point to different sides, nothing is sure.
        sure = [
            p < alpha and side * gain * sign > 0
            for p, side, gain in zip(p_values[place], directions[:, place], gains, strict=True)
        ]
        better = sum(known and gain > 0 for known, gain in zip(sure, gains, strict=True))
        worse = sum(known and gain < 0 for known, gain in zip(sure, gains, strict=True))
        ranks[int(row)] = RankInterval(1 + int(better), len(ranked) - int(worse))
    return ranks


def _gain(difference: np.ndarray, higher_is_better: bool) -> float:
    known = difference[np.isfinite(difference)]
    mean = float(known.mean()) if known.size else 0.0
    return mean if higher_is_better else -mean
