"""The trade-off: style against preservation, with intervals.

Only places are computed here; ``pages/templates/charts.html`` draws, and ``chart.js`` adds names and Pareto fronts,
which follow the filters of the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rses.leaderboard.board import Board, BoardRow
from rses.pages.charts import Axis
from rses.pages.numbers import number
from rses.report.columns import Cell
from rses.table import METRICS

__all__ = ["Point", "Scatter", "scatter"]

WIDTH, HEIGHT = 900, 470
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 34, 46
LONGEST = 30


@dataclass(frozen=True)
class Point:
    """One method: its mark at (x, y), the path of its intervals around that, and its name."""

    key: str
    section: str
    facts: str
    x: float
    y: float
    bars: str
    name: str


@dataclass(frozen=True)
class Scatter:
    """A chart of two metrics."""

    label: str
    across: str
    up: str
    x: Axis
    y: Axis
    points: list[Point]
    width: int = WIDTH
    height: int = HEIGHT


def scatter(board: Board, across: str = "lpips_bg", up: str = "rsm") -> Scatter | None:
    """Place all methods that have both means; ``None`` where there is none.

    Args:
        board: The board.
        across: Metric of the horizontal axis.
        up: Metric of the vertical axis.
    """
    rows = [row for row in board.rows if _has(row, across) and _has(row, up)]
    if not rows:
        return None
    x, y = _axis(rows, across, LEFT, WIDTH - RIGHT), _axis(rows, up, HEIGHT - BOTTOM, TOP)
    label = f"{METRICS[up].title} against {METRICS[across].title} of {len(rows)} methods"
    return Scatter(label, across, up, x, y, [_point(row, (across, up), x, y) for row in rows])


def _has(row: BoardRow, name: str) -> bool:
    return name in row.cells and row.cells[name].mean is not None


def _axis(rows: list[BoardRow], name: str, start: float, end: float) -> Axis:
    """Return an axis that holds all intervals, and the means of all groups, which the page can choose."""
    ends = [end for row in rows for end in (*_ends(row.cells[name]), *_means(row, name))]
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.05
    return Axis(low - margin, high + margin, start, end)


def _means(row: BoardRow, name: str) -> Iterator[float]:
    return (cells[name].mean or 0.0 for cells in row.groups.values() if cells[name].mean is not None)


def _ends(cell: Cell) -> tuple[float, float]:
    mean = cell.mean or 0.0
    return (mean if cell.low is None else cell.low, mean if cell.high is None else cell.high)


def _point(row: BoardRow, names: tuple[str, str], x: Axis, y: Axis) -> Point:
    across, up = (row.cells[name] for name in names)
    px, py = x.at(across.mean or 0.0), y.at(up.mean or 0.0)
    (x0, x1), (y0, y1) = _ends(across), _ends(up)
    left, right, low, high = x.at(x0) - px, x.at(x1) - px, y.at(y0) - py, y.at(y1) - py
    bars = f"M{left:.1f} 0H{right:.1f}M0 {low:.1f}V{high:.1f}"
    facts = ", ".join(
        f"{METRICS[name].title} {number(cell.mean or 0.0, cell.digits)} {cell.interval}".strip()
        for name, cell in ((names[1], up), (names[0], across))
    )
    name = row.name if len(row.name) <= LONGEST else f"{row.name[: LONGEST - 1]}…"
    return Point(row.key, row.section, f"{row.name}: {facts}", px, py, bars, name)
