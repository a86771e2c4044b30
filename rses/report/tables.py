"""Runs as text: a terminal table, JSON, CSV, Markdown or LaTeX.

One run is shown metric by metric; several runs are shown as one row each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rses.errors import InputError, Place, did_you_mean
from rses.files.escape import clean, escape_markdown
from rses.pages.grid import MIN_WIDTH, Grid, Raw, Value, printed
from rses.pages.notices import toy_note
from rses.pages.numbers import heading
from rses.report.columns import Cell, Row, Table, asked, build_table
from rses.runs.results import Results
from rses.table import MetricInfo

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["FORMATS", "check_format", "markdown_notes", "render"]

FORMATS = ("table", "json", "csv", "markdown", "latex")
BESIDES = ("low", "high", "n")


def render(runs: Sequence[Results], format: str = "table", *, width: int = 120, color: bool = False) -> str:
    r"""Render one run, or several for comparison.

    Args:
        runs: At least one run, all of one protocol.
        format: One of :data:`FORMATS`.
        width: Columns of the terminal, for "table"; wide tables are split into blocks that fit.
        color: Use terminal colours and bold, for "table"; without, the best value is marked with ``*``.

    Returns:
        Text ending in a line break. CSV holds full precision and empty cells where a number is undefined.

    Raises:
        InputError: Unknown format, no run, or runs of different protocols.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> run = Results([SampleResult("a", mse_bg=0.25)], {"method": "mine"})
        >>> print(render([run], "csv"), end="")
        method,suite,protocol,protocol_hash,mask_used,reference,n,N,mse_bg,mse_bg_low,mse_bg_high,mse_bg_n
        mine,,,,,,1,1,0.25,,,1
    """
    check_format(format)
    if format == "json":
        summaries = [run.summary for run in runs]
        content: Any = summaries[0] if len(summaries) == 1 else summaries
        return json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    if format == "csv":
        return _csv(runs)
    table = build_table(runs)
    if format == "markdown":
        grid = _grid(table, table.metrics, "coverage")
        return f"{grid.markdown()}\n\n{markdown_notes([table.caption, *table.notes])}"
    if format == "latex":
        return _grid(table, table.metrics, Raw("$n/N$")).latex(
            table.caption, table.notes, caution=toy_note(table.protocol)
        )
    return _overview(table, runs[0], width, color) if len(runs) == 1 else _side_by_side(table, width, color)


def check_format(format: str) -> None:
    """Raise :class:`InputError` unless ``format`` is one of :data:`FORMATS`."""
    if format not in FORMATS:
        raise InputError(
            f'There is no format "{format}".{did_you_mean(format, FORMATS)} Formats: {", ".join(FORMATS)}.',
            code="unknown-value",
            place=Place(field="format"),
        )


def markdown_notes(notes: Sequence[str]) -> str:
    """Return the lines below a table, each on a line of its own."""
    return "  \n".join(map(escape_markdown, notes)) + "\n"


def _csv(runs: Sequence[Results]) -> str:
    table = build_table(runs, asked(runs))
    header = ["method", "suite", "protocol", "protocol_hash", "mask_used", "reference", "n", "N"]
    for info in table.metrics:
        header += [info.aggregate, *(f"{info.aggregate}_{key}" for key in BESIDES)]
        header += ["psnr_bg_perfect"] if info.name == "psnr_bg" else []
    rows: list[list[object]] = []
    for row, run in zip(table.rows, runs, strict=True):
        known = run.info.get("method_card") is not None
        line: list[object] = [row.name, table.suite, table.protocol, table.protocol_hash]
        line += [str(row.mask_used).lower(), str(row.reference).lower()] if known else [None, None]
        line += [row.n, row.total]
        for info in table.metrics:
            cell = row.cells[info.name]
            mean = float("inf") if cell.mean is None and cell.perfect else cell.mean
            line += [mean, cell.low, cell.high, cell.n]
            line += [cell.perfect] if info.name == "psnr_bg" else []
        rows.append(line)
    return Grid(header, rows).csv()


def _grid(table: Table, metrics: Sequence[MetricInfo], coverage: str) -> Grid:
    """One line per run."""
    rows = [
        [
            Value(_label(row), style="dim" if row.reference else ""),
            *(_value(row.cells[info.name]) for info in metrics),
            f"{row.n}/{row.total}",
        ]
        for row in table.rows
    ]
    return Grid(["method", *map(heading, metrics), coverage], rows)


def _label(row: Row) -> str:
    return row.name + ("†" if row.mask_used else "") + (" (ref)" if row.reference else "")


def _value(cell: Cell) -> Value:
    return Value(cell.value, cell.interval, place=1 if cell.best else None)


def _overview(table: Table, run: Results, width: int, color: bool) -> str:
    """One run, a metric per line."""
    from rich.text import Text

    row = table.rows[0]
    cells = [(info, row.cells[info.name]) for info in table.metrics]
    rows = [
        [heading(info), Value(c.value, style="bold"), Value(c.interval, style="dim"), str(c.n + c.perfect)]
        for info, c in cells
    ]
    grid = Grid(["metric", "mean", "95 % interval", "n"], rows, align="lrlr")
    head = Text.assemble((row.name, "bold"), f" · {table.caption}")
    return printed([head, grid.terminal(color, wrap=True), *_footer(run, table, row)], width, color)


def _footer(run: Results, table: Table, row: Row) -> list[Text]:
    from rich.text import Text

    statuses = Counter(sample.status for sample in run.samples)
    facts = [f"{count} {clean(status)}" for status, count in sorted(statuses.items()) if status != "ok"]
    if row.total > len(run.samples):
        facts.append(f"{row.total - len(run.samples)} not run: a part of the suite")
    others = ", ".join(facts)
    lines = [Text(f"scored {row.n} of {row.total}" + (f" ({others})" if others else ""))]
    resized = sum(sample.resized for sample in run.samples)
    if resized:
        lines.append(Text(f"{resized} resized, which alone changes background scores", style="yellow"))
    return lines + [Text(note, style="dim") for note in table.notes]


def _side_by_side(table: Table, width: int, color: bool) -> str:
    """Several runs, one per line; the columns are split into blocks that fit ``width``."""
    from rich.text import Text

    blocks = [_grid(table, metrics, "n/N").terminal(color) for metrics in _fit(table, width)]
    any_best = any(cell.best for row in table.rows for cell in row.cells.values())
    best = ["* best"] if any_best and not color else []
    notes = [Text(note, style="dim") for note in [*best, *table.notes]]
    return printed([Text(table.caption, style="bold"), *blocks, *notes], width, color)


def _fit(table: Table, width: int) -> list[list[MetricInfo]]:
    """Split the metrics into as few blocks as fit beside the column of names, of even length if possible."""
    from rich.cells import cell_len

    names = max(len("method"), *(cell_len(_label(row)) for row in table.rows))
    coverage = max(len("n/N"), *(len(f"{row.n}/{row.total}") for row in table.rows))
    room = max(MIN_WIDTH, width) - names - coverage - 7
    needs = {info: 3 + _width(info, table) for info in table.metrics}
    greedy: list[list[MetricInfo]] = [[]]
    for info, need in needs.items():
        if greedy[-1] and sum(needs[other] for other in greedy[-1]) + need > room:
            greedy.append([])
        greedy[-1].append(info)
    size = -(-len(needs) // len(greedy)) or 1
    even = [list(table.metrics[start : start + size]) for start in range(0, len(needs), size)]
    fits = bool(even) and all(sum(needs[info] for info in block) <= room for block in even)
    return even if fits else greedy


def _width(info: MetricInfo, table: Table) -> int:
    cells = [row.cells[info.name] for row in table.rows]
    return max(len(heading(info)), *(max(len(cell.value) + 1, len(cell.interval)) for cell in cells))
