"""Axes of charts: round ticks, and where a value lies. ``templates/charts.html`` draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Axis", "nice_ticks"]


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers within [low, high], about ``count`` of them.

    Example:
        >>> nice_ticks(0.0, 1.0)
        [0.0, 0.25, 0.5, 0.75, 1.0]
        >>> nice_ticks(0.61, 0.67)
        [0.62, 0.64, 0.66]
    """
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda value: abs(value - raw))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


@dataclass(frozen=True)
class Axis:
    """Values from ``low`` to ``high`` along the pixels from ``start`` to ``end``.

    Example:
        >>> axis = Axis(0.0, 1.0, 10, 330)
        >>> axis.at(0.5), axis.ticks[:2]
        (170.0, [(10.0, '0'), (90.0, '0.25')])
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value, to a tenth."""
        return round(self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Pixel and label of every tick."""
        return [(self.at(tick), f"{tick:g}") for tick in nice_ticks(self.low, self.high)]
