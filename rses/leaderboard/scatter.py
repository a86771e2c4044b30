"""The trade-off as plain SVG: style against preservation, with intervals and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

from rses.files.escape import escape_html
from rses.leaderboard.board import SECTIONS, Board, BoardRow
from rses.report.columns import Cell, heading, number
from rses.report.plots import nice_ticks
from rses.statistics import pareto_layers
from rses.table import METRICS

__all__ = ["scatter"]

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 34, 46
LABELS = 30
# Width of a letter of a label, about.
LETTER = 6.4


def scatter(board: Board, across: str = "lpips_bg", up: str = "rsm") -> str:
    """Return an SVG of all methods that have both means; empty where there are fewer than one.

    Args:
        board: The board.
        across: Metric of the horizontal axis.
        up: Metric of the vertical axis.
    """
    rows = [row for row in board.rows if _has(row, across) and _has(row, up)]
    if not rows:
        return ""
    x, y = _Axis(rows, across, LEFT, WIDTH - RIGHT), _Axis(rows, up, HEIGHT - BOTTOM, TOP)
    fronts = [_front(rows, section, x, y) for section in ("mask-free", "mask")]
    labels = _labels(rows, x, y) if len(rows) <= LABELS else [""] * len(rows)
    points = [_point(row, x, y, label) for row, label in zip(rows, labels, strict=True)]
    title = f"{METRICS[up].title} against {METRICS[across].title} of {len(rows)} methods"
    body = "".join([x.horizontal(), y.vertical(), *fronts, *points])
    return (
        f'<svg class="scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="{escape_html(title)}">'
        f"{body}</svg>"
    )


def _has(row: BoardRow, name: str) -> bool:
    return name in row.cells and row.cells[name].mean is not None


class _Axis:
    """Values of one metric along one side, from pixel ``start`` to pixel ``end``."""

    def __init__(self, rows: Sequence[BoardRow], name: str, start: float, end: float):
        self.name, self.start, self.end = name, start, end
        ends = [_ends(row.cells[name]) for row in rows]
        low, high = min(pair[0] for pair in ends), max(pair[1] for pair in ends)
        margin = 0.04 * (high - low) or 0.05 * abs(high) or 0.05
        self.low, self.high = low - margin, high + margin
        self.ticks = [tick for tick in nice_ticks(self.low, self.high) if self.low <= tick <= self.high]

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def horizontal(self) -> str:
        marks = "".join(
            f'<path class="grid" d="M{self.at(t):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
            f'<text x="{self.at(t):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{t:.4g}</text>'
            for t in self.ticks
        )
        name = escape_html(heading(METRICS[self.name]))
        return f'{marks}<text class="title" x="{self.start}" y="{HEIGHT - 8}">{name}</text>'

    def vertical(self) -> str:
        marks = "".join(
            f'<path class="grid" d="M{LEFT} {self.at(t):.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 6}" y="{self.at(t) + 4:.1f}" text-anchor="end">{t:.4g}</text>'
            for t in self.ticks
        )
        name = escape_html(heading(METRICS[self.name]))
        return f'{marks}<text class="title" x="{LEFT}" y="{TOP - 14}">{name}</text>'


def _ends(cell: Cell) -> tuple[float, float]:
    assert cell.mean is not None
    return (cell.mean if cell.low is None else cell.low, cell.mean if cell.high is None else cell.high)


def _front(rows: Sequence[BoardRow], section: str, x: _Axis, y: _Axis) -> str:
    members = [row for row in rows if row.section == section]
    directions = [METRICS[y.name].higher_is_better, METRICS[x.name].higher_is_better]
    layers = pareto_layers([(row.cells[y.name].mean, row.cells[x.name].mean) for row in members], directions)
    means = [(row.cells[x.name].mean or 0.0, row.cells[y.name].mean or 0.0) for row in members]
    best = sorted(point for point, layer in zip(means, layers, strict=True) if layer == 1)
    if len(best) < 2:
        return ""
    path = "L".join(f"{x.at(a):.1f} {y.at(b):.1f}" for a, b in best)
    return f'<path class="front {section}" d="M{path}"><title>Pareto front, {SECTIONS[section]}</title></path>'


def _labels(rows: Sequence[BoardRow], x: _Axis, y: _Axis) -> list[str]:
    """Write each name beside its mark, where it covers no other mark and no other name if there is such a place."""
    centres = [(x.at(row.cells[x.name].mean or 0.0), y.at(row.cells[y.name].mean or 0.0)) for row in rows]
    taken = [(px - 6, py - 6, px + 6, py + 6) for px, py in centres]
    labels = []
    for row, (px, py) in zip(rows, centres, strict=True):
        name = _short(row.name)
        width = LETTER * len(name)
        places = [(px + 9, py + 14), (px + 9, py - 6), (px - 9 - width, py - 6), (px - 9 - width, py + 14)]
        boxes = [(left, base - 10, left + width, base + 3) for left, base in places if left > LEFT]
        free = [box for box in boxes if not any(_overlap(box, other) for other in taken)]
        box = (free or boxes)[0]
        taken.append(box)
        labels.append(f'<text class="name" x="{box[0]:.1f}" y="{box[3] - 3:.1f}">{escape_html(name)}</text>')
    return labels


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _point(row: BoardRow, x: _Axis, y: _Axis, label: str) -> str:
    across, up = row.cells[x.name], row.cells[y.name]
    assert across.mean is not None
    assert up.mean is not None
    px, py = x.at(across.mean), y.at(up.mean)
    (x0, x1), (y0, y1) = _ends(across), _ends(up)
    bars = f'<path class="bars" d="M{x.at(x0):.1f} {py:.1f}H{x.at(x1):.1f}M{px:.1f} {y.at(y0):.1f}V{y.at(y1):.1f}"/>'
    shape = {
        "mask-free": f'<circle cx="{px:.1f}" cy="{py:.1f}" r="5"/>',
        "mask": f'<rect x="{px - 4.5:.1f}" y="{py - 4.5:.1f}" width="9" height="9"/>',
        "reference": f'<path d="M{px:.1f} {py - 6:.1f}l5.5 10h-11z"/>',
    }[row.section]
    facts = ", ".join(
        f"{METRICS[axis.name].title} {number(cell.mean or 0.0, cell.digits)} {cell.interval}".strip()
        for axis, cell in ((y, up), (x, across))
    )
    name = escape_html(row.name)
    return (
        f'<a class="point {row.section}" href="#card-{row.key}" data-key="{row.key}" aria-label="{name}: {facts}">'
        f"<title>{name}: {facts}</title>{bars}{shape}{label}</a>"
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"
