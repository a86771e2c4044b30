"""Distribution plots as inline SVG: a histogram for one run, strips for several.

Colours come from classes of the page's style sheet, so that they follow its light and dark theme.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from rses.files.escape import escape_html
from rses.report.columns import Cell, number

__all__ = ["Series", "histogram", "nice_ticks", "strips"]

WIDTH, LEFT, RIGHT = 340, 10, 330
BINS = 24
MAX_DOTS = 240
ROW = 36


@dataclass(frozen=True)
class Series:
    """The finite values of one run, with their aggregate."""

    name: str
    values: tuple[float, ...]
    cell: Cell


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


def histogram(series: Series, label: str) -> str:
    """Return an SVG histogram with the mean and its interval.

    Args:
        series: The run; without values the plot says so.
        label: Name of the metric, for screen readers.

    Example:
        >>> svg = histogram(Series("m", (0.1, 0.2, 0.2), Cell(0.17)), "RSM")
        >>> svg.startswith("<svg"), svg.count("<rect") >= 2
        (True, True)
    """
    low, high = _span([series])
    counts = _counts(series.values, low, high)
    base, top = 108, 14
    step = (RIGHT - LEFT) / len(counts)
    most = max(counts, default=0) or 1
    bars = "".join(
        f'<rect class="bar" x="{LEFT + index * step + 0.5:.1f}" y="{base - (base - top) * count / most:.1f}" '
        f'width="{step - 1:.1f}" height="{(base - top) * count / most:.1f}" rx="1"/>'
        for index, count in enumerate(counts)
        if count
    )
    band, mean = _interval(series.cell, low, high, top - 8, base), _mean(series.cell, low, high, top - 8, base)
    body = band + bars + mean + _axis(low, high, base)
    return _svg(138, _describe([series], label), body)


def strips(series: Sequence[Series], label: str) -> str:
    """Return an SVG with one row of dots a run, and its mean and interval.

    Args:
        series: The runs, top to bottom.
        label: Name of the metric, for screen readers.

    Example:
        >>> svg = strips([Series("a", (0.1, 0.2), Cell(0.15)), Series("b", (0.3,), Cell(0.3))], "RSM")
        >>> svg.count('class="dots"')
        2
    """
    low, high = _span(series)
    parts = []
    for index, item in enumerate(series):
        middle = 24 + index * ROW
        name = item.name if len(item.name) <= 40 else item.name[:39] + "…"
        note = "" if item.values else " (no finite value)"
        parts.append(f'<text class="name" x="{LEFT}" y="{middle - 11}">{escape_html(name)}{note}</text>')
        parts.append(f'<path class="dots" d="{_dots(item, low, high, middle)}"/>')
        parts.append(_interval(item.cell, low, high, middle - 7, middle + 7))
        parts.append(_mean(item.cell, low, high, middle - 7, middle + 7))
    base = 24 + len(series) * ROW - 14
    return _svg(base + 28, _describe(series, label), "".join(parts) + _axis(low, high, base))


def _span(series: Sequence[Series]) -> tuple[float, float]:
    values = [value for item in series for value in item.values]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if high - low > 1e-12 * max(1.0, abs(high)):
        return low, high
    pad = abs(low) * 0.1 or 0.5
    return (0.0, 1.0) if low == 0 else (low - pad, high + pad)


def _counts(values: Sequence[float], low: float, high: float) -> list[int]:
    bins = max(6, min(BINS, 2 * math.ceil(math.sqrt(len(values)))))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int((value - low) / (high - low) * bins)))] += 1
    return counts


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (RIGHT - LEFT) * (value - low) / (high - low)


def _dots(series: Series, low: float, high: float, middle: float) -> str:
    """Return one path of points; each is moved up or down by a hash, the same on every run."""
    ordered = sorted(series.values)
    if len(ordered) > MAX_DOTS:
        ordered = [ordered[round(i * (len(ordered) - 1) / (MAX_DOTS - 1))] for i in range(MAX_DOTS)]
    points = []
    for index, value in enumerate(ordered):
        digest = hashlib.sha256(f"{index}:{value!r}".encode()).digest()
        y = middle + (digest[0] / 255 - 0.5) * 9
        points.append(f"M{_x(value, low, high):.1f} {y:.1f}h0")
    return "".join(points)


def _mean(cell: Cell, low: float, high: float, top: float, bottom: float) -> str:
    if cell.mean is None:
        return ""
    return f'<path class="mean" d="M{_x(cell.mean, low, high):.1f} {top:.1f}V{bottom:.1f}"/>'


def _interval(cell: Cell, low: float, high: float, top: float, bottom: float) -> str:
    if cell.low is None or cell.high is None or cell.low == cell.high:
        return ""
    left, right = _x(max(cell.low, low), low, high), _x(min(cell.high, high), low, high)
    return (
        f'<rect class="interval" x="{left:.1f}" y="{top:.1f}" width="{max(1.0, right - left):.1f}" '
        f'height="{bottom - top:.1f}"/>'
    )


def _axis(low: float, high: float, y: float) -> str:
    parts = [f'<path class="axis" d="M{LEFT} {y}H{RIGHT}"/>']
    for tick in nice_ticks(low, high):
        x = _x(tick, low, high)
        anchor = "start" if x < LEFT + 16 else "end" if x > RIGHT - 16 else "middle"
        parts.append(f'<path class="axis" d="M{x:.1f} {y}v4"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 18}" text-anchor="{anchor}">{tick:g}</text>')
    return "".join(parts)


def _describe(series: Sequence[Series], label: str) -> str:
    parts = []
    for item in series:
        if not item.values:
            parts.append(f"{item.name}: no finite value")
            continue
        digits = item.cell.digits
        extent = f"{number(min(item.values), digits)} to {number(max(item.values), digits)}"
        parts.append(f"{item.name}: mean {item.cell.value}, from {extent}, {len(item.values)} samples")
    return f"Distribution of {label}. " + "; ".join(parts)


def _svg(height: float, description: str, body: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape_html(description)}">{body}</svg>'
    )
