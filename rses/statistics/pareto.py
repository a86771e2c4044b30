"""Which methods are beaten in everything at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["pareto_layers"]


def pareto_layers(points: Sequence[Sequence[float | None]], higher_is_better: Sequence[bool]) -> list[int | None]:
    """Number the layers of a trade-off: 1 is the front, 2 the front without it, and so on.

    A point dominates another if it is nowhere worse and somewhere better; equal points share a layer.

    Args:
        points: One a method: a mean for each criterion; ``None`` where there is none.
        higher_is_better: Direction of each criterion.

    Returns:
        One layer a method, from 1; ``None`` for a method that lacks a criterion.

    Example:
        >>> pareto_layers([(0.6, 0.1), (0.7, 0.2), (0.5, 0.3), (0.6, None)], [True, False])
        [1, 1, 2, None]
    """
    signs = np.array([1.0 if up else -1.0 for up in higher_is_better])
    layers: list[int | None] = [None] * len(points)
    known = [i for i, point in enumerate(points) if all(v is not None and np.isfinite(v) for v in point)]
    scores = np.array([points[i] for i in known], dtype=np.float64).reshape(-1, len(signs)) * signs
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
