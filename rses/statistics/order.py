"""Who is best, who is second, who ties: the one rule of boards, tables and reports."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["RELATIVE", "marked_places", "places", "tied"]

RELATIVE, ABSOLUTE = 2e-9, 1e-14
"""Means this close are one value that was summed in another order, or rounded to nine digits."""


def tied(a: float, b: float) -> bool:
    """Whether two means are one value.

    Example:
        >>> tied(0.1, 0.1 + 1e-15), tied(0.0, 2e-11), tied(0.1, 0.1001)
        (True, False, False)
    """
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def places(values: Sequence[float | None], higher_is_better: bool) -> list[int | None]:
    """Number values from the best: 1, 2, 3 without gaps; what ties shares a place.

    A value ties with the first of its place, so that many small steps do not add up to one place.

    Args:
        values: One per method; ``None`` or NaN where there is none.
        higher_is_better: Direction.

    Example:
        >>> places([0.1, 0.3, 0.1 + 1e-15, None], higher_is_better=False)
        [1, 2, 1, None]
    """
    known = [(value, i) for i, value in enumerate(values) if value is not None and not math.isnan(value)]
    found: list[int | None] = [None] * len(values)
    place, first = 0, 0.0
    for value, i in sorted(known, reverse=higher_is_better):
        if place == 0 or not tied(value, first):
            place, first = place + 1, value
        found[i] = place
    return found


def marked_places(means: Sequence[float | None], perfect: Sequence[int], higher_is_better: bool) -> list[int | None]:
    """Place the methods of a table, as far as a table may mark them: nobody has a place where all are equal.

    Args:
        means: Mean of each method; ``None`` where undefined.
        perfect: Samples of each method that are perfect, so that their value is infinite and in no mean. Perfect
            throughout is beyond every mean; a mean over the imperfect samples alone ranks against none.
        higher_is_better: Direction.

    Example:
        >>> marked_places([30.0, None, 40.0], [0, 5, 3], higher_is_better=True)
        [2, 1, None]
        >>> marked_places([0.5, 0.5], [0, 0], higher_is_better=True)
        [None, None]
    """
    values = [_value(mean, number) for mean, number in zip(means, perfect, strict=True)]
    found = places(values, higher_is_better)
    partial = any(mean is not None and number for mean, number in zip(means, perfect, strict=True))
    distinct = len({place for place in found if place is not None})
    if distinct < 2 and not (partial and math.inf in values):
        return [None] * len(found)
    return found


def _value(mean: float | None, perfect: int) -> float | None:
    if mean is None:
        return math.inf if perfect else None
    return None if perfect else mean
