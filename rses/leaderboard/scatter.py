"""The trade-off: style against preservation, with intervals and the Pareto front.

Only places are computed here; ``pages/templates/charts.html`` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rses.leaderboard.board import SECTIONS, Board, BoardRow
from rses.pages.charts import Axis
from rses.pages.numbers import number
from rses.report.columns import Cell
from rses.statistics import pareto_layers
from rses.table import METRICS

__all__ = ["Point", "Scatter", "scatter"]

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 34, 46
LABELS = 30
# Width of a letter of a label, about.
LETTER = 6.4


@dataclass
class Point:
    """One method: its mark, the path of its intervals, and where its name stands; no name where there are too many."""

    key: str
    section: str
    facts: str
    x: float
    y: float
    bars: str
    name: str = ""
    name_x: float = 0.0
    name_y: float = 0.0


@dataclass(frozen=True)
class Scatter:
    """A chart; fronts are (section, path, description)."""

    label: str
    across: str
    up: str
    x: Axis
    y: Axis
    fronts: list[tuple[str, str, str]]
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
    points = [_point(row, (across, up), x, y) for row in rows]
    if len(rows) <= LABELS:
        _label(points, [row.name for row in rows])
    label = f"{METRICS[up].title} against {METRICS[across].title} of {len(rows)} methods"
    fronts = [_front(rows, points, section, (across, up)) for section in ("mask-free", "mask")]
    return Scatter(label, across, up, x, y, [front for front in fronts if front], points)


def _has(row: BoardRow, name: str) -> bool:
    return name in row.cells and row.cells[name].mean is not None


def _axis(rows: Sequence[BoardRow], name: str, start: float, end: float) -> Axis:
    ends = [_ends(row.cells[name]) for row in rows]
    low, high = min(pair[0] for pair in ends), max(pair[1] for pair in ends)
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.05
    return Axis(low - margin, high + margin, start, end)


def _ends(cell: Cell) -> tuple[float, float]:
    mean = cell.mean or 0.0
    return (mean if cell.low is None else cell.low, mean if cell.high is None else cell.high)


def _point(row: BoardRow, names: tuple[str, str], x: Axis, y: Axis) -> Point:
    across, up = (row.cells[name] for name in names)
    px, py = x.at(across.mean or 0.0), y.at(up.mean or 0.0)
    (x0, x1), (y0, y1) = _ends(across), _ends(up)
    bars = f"M{x.at(x0)} {py}H{x.at(x1)}M{px} {y.at(y0)}V{y.at(y1)}"
    facts = ", ".join(
        f"{METRICS[name].title} {number(cell.mean or 0.0, cell.digits)} {cell.interval}".strip()
        for name, cell in ((names[1], up), (names[0], across))
    )
    return Point(row.key, row.section, f"{row.name}: {facts}", px, py, bars)


def _front(
    rows: Sequence[BoardRow], points: Sequence[Point], section: str, names: tuple[str, str]
) -> tuple[str, str, str] | None:
    members = [(row, point) for row, point in zip(rows, points, strict=True) if row.section == section]
    means = [[row.cells[name].mean for name in names] for row, _ in members]
    layers = pareto_layers(means, [METRICS[name].higher_is_better for name in names])
    best = sorted((point.x, point.y) for (_, point), layer in zip(members, layers, strict=True) if layer == 1)
    if len(best) < 2:
        return None
    return section, "M" + "L".join(f"{x} {y}" for x, y in best), f"Pareto front, {SECTIONS[section]}"


def _label(points: Sequence[Point], names: Sequence[str]) -> None:
    """Put each name beside its mark, where it covers no other mark and no other name if there is such a place."""
    taken = [(point.x - 6, point.y - 6, point.x + 6, point.y + 6) for point in points]
    for point, full in zip(points, names, strict=True):
        point.name = full if len(full) <= 22 else f"{full[:21]}…"
        width, right, left = LETTER * len(point.name), point.x + 9, point.x - 9
        below, above = point.y + 14, point.y - 6
        places = [(right, below), (right, above), (left - width, above), (left - width, below)]
        boxes = [(start, base - 10, start + width, base + 3) for start, base in places if start > LEFT]
        box = next((box for box in boxes if not any(_overlap(box, other) for other in taken)), boxes[0])
        taken.append(box)
        point.name_x, point.name_y = round(box[0], 1), round(box[3] - 3, 1)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
