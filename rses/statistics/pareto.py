"""Which methods are beaten in everything at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rses.statistics.order import places

__all__ = ["pareto_layers"]


def pareto_layers(points: Sequence[Sequence[float | None]], higher_is_better: Sequence[bool]) -> list[int | None]:
    """Number the layers of a trade-off: 1 is the front, 2 the front without it, and so on.

    A point dominates another if it is nowhere worse and somewhere better; equal points share a layer, and
    values that tie (:func:`rses.statistics.order.places`) are equal.

    Args:
        points: One per method: a mean for each criterion; ``None`` where there is none.
        higher_is_better: Direction of each criterion.

    Returns:
        One layer per method, from 1; ``None`` for a method that lacks a criterion.

    Example:
        >>> pareto_layers([(0.6, 0.1), (0.7, 0.2), (0.5, 0.3), (0.6, None)], [True, False])
        [1, 1, 2, None]
    """
    layers: list[int | None] = [None] * len(points)
    known = [i for i, point in enumerate(points) if all(v is not None and np.isfinite(v) for v in point)]
    # Places in place of values: rounding makes nobody better.
    columns = [_levels([points[i][k] for i in known], up) for k, up in enumerate(higher_is_better)]
    scores = np.array(columns, dtype=np.float64).reshape(len(higher_is_better), len(known)).T
    left = np.arange(len(known))
    layer = 1
    while left.size:
        rest = scores[left]
        nowhere_worse = (rest[None] >= rest[:, None]).all(axis=2)
        somewhere_better = (rest[None] > rest[:, None]).any(axis=2)
        front = ~(nowhere_worse & somewhere_better).any(axis=1)
        for place in left[front]:
            layers[known[place]] = layer
        left, layer = left[~front], layer + 1
    return layers


def _levels(column: Sequence[float | None], higher_is_better: bool) -> list[int]:
    """Return how good each value is, as whole numbers: higher is better, ties are equal."""
    return [-(place or 0) for place in places(column, higher_is_better)]
