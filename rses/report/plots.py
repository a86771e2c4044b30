"""How the values of a metric spread: a histogram for one run, strips of dots for several.

Only places are computed here; ``pages/templates/charts.html`` draws.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from rses.pages.charts import Axis
from rses.pages.numbers import number
from rses.report.columns import Cell

__all__ = ["Plot", "Series", "distribution"]

WIDTH, LEFT, RIGHT = 340, 10, 330
BINS = 24
MAX_DOTS = 240
ROW = 42
TOP, BASE = 14, 108


@dataclass(frozen=True)
class Series:
    """The finite values of one run, with their aggregate."""

    name: str
    values: tuple[float, ...]
    cell: Cell


@dataclass(frozen=True)
class Strip:
    """The marks of one run between two heights.

    Attributes:
        top: Upper end, in px as all places.
        bottom: Lower end.
        mean: Where the mean lies; ``None`` without one.
        band: Left end and width of its interval; ``None`` without one.
        name: Of the run; empty in a histogram.
        dots: Path of its values.
    """

    top: float
    bottom: float
    mean: float | None
    band: tuple[float, float] | None
    name: str = ""
    dots: str = ""


@dataclass(frozen=True)
class Plot:
    """A chart: bars (x, y, width, height) of one run, or strips of several, over one axis at ``base``."""

    label: str
    axis: Axis
    base: float
    strips: list[Strip]
    bars: list[tuple[float, float, float, float]]
    width: int = WIDTH

    @property
    def height(self) -> float:
        """Height in px, labels included."""
        return self.base + 28


def distribution(series: Sequence[Series], label: str) -> Plot:
    """Place the values of one metric.

    Args:
        series: The runs, top to bottom.
        label: Name of the metric, for screen readers.

    Example:
        >>> plot = distribution([Series("m", (0.1, 0.2, 0.2), Cell(0.17))], "RSM")
        >>> len(plot.bars), plot.strips[0].mean
        (2, 234.0)
        >>> len(distribution([Series("a", (0.1, 0.2), Cell()), Series("b", (0.3,), Cell())], "RSM").strips)
        2
    """
    axis = Axis(*_span(series), LEFT, RIGHT)
    text = f"Distribution of {label}. " + "; ".join(map(_describe, series))
    if len(series) == 1:
        strips = [_strip(axis, series[0].cell, TOP - 8, BASE)]
        return Plot(text, axis, BASE, strips, _bars(axis, series[0].values))
    strips = []
    for index, item in enumerate(series):
        middle = 30 + index * ROW
        name = item.name if len(item.name) <= 40 else item.name[:39] + "…"
        name += "" if item.values else " (no finite value)"
        strips.append(_strip(axis, item.cell, middle - 7, middle + 7, name, _dots(axis, item.values, middle)))
    return Plot(text, axis, 30 + len(series) * ROW - 18, strips, [])


def _span(series: Sequence[Series]) -> tuple[float, float]:
    values = [value for item in series for value in item.values]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if high - low > 1e-12 * max(1.0, abs(high)):
        return low, high
    pad = abs(low) * 0.1 or 0.5
    return (0.0, 1.0) if low == 0 else (low - pad, high + pad)


def _strip(axis: Axis, cell: Cell, top: float, bottom: float, name: str = "", dots: str = "") -> Strip:
    mean, band = None if cell.mean is None else axis.at(cell.mean), None
    if cell.low is not None and cell.high is not None and cell.low != cell.high:
        left, right = axis.at(max(cell.low, axis.low)), axis.at(min(cell.high, axis.high))
        band = (left, round(max(1.0, right - left), 1))
    return Strip(top, bottom, mean, band, name, dots)


def _bars(axis: Axis, values: Sequence[float]) -> list[tuple[float, float, float, float]]:
    bins = max(6, min(BINS, 2 * math.ceil(math.sqrt(len(values)))))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int((value - axis.low) / (axis.high - axis.low) * bins)))] += 1
    step, unit = (RIGHT - LEFT) / bins, (BASE - TOP) / (max(counts) or 1)
    return [
        (round(LEFT + index * step + 0.5, 1), round(BASE - unit * count, 1), round(step - 1, 1), round(unit * count, 1))
        for index, count in enumerate(counts)
        if count
    ]


def _dots(axis: Axis, values: Sequence[float], middle: float) -> str:
    """Return one path of points; each is moved up or down by a hash, the same on every run."""
    ordered = sorted(values)
    if len(ordered) > MAX_DOTS:
        ordered = [ordered[round(i * (len(ordered) - 1) / (MAX_DOTS - 1))] for i in range(MAX_DOTS)]
    points = []
    for index, value in enumerate(ordered):
        digest = hashlib.sha256(f"{index}:{value!r}".encode()).digest()
        points.append(f"M{axis.at(value):.1f} {middle + (digest[0] / 255 - 0.5) * 9:.1f}h0")
    return "".join(points)


def _describe(item: Series) -> str:
    if not item.values:
        return f"{item.name}: no finite value"
    digits = item.cell.digits
    extent = f"{number(min(item.values), digits)} to {number(max(item.values), digits)}"
    return f"{item.name}: mean {item.cell.value}, from {extent}, {len(item.values)} samples"
