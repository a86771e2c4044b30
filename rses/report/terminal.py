"""Tables for people at a terminal: an overview of one run, and several runs side by side."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from rses.files.escape import clean
from rses.report.columns import Cell, Row, Table, heading
from rses.runs.results import Results
from rses.table import MetricInfo

__all__ = ["grid_width", "overview", "side_by_side", "to_text"]

MIN_WIDTH = 40


def overview(table: Table, run: Results, width: int, color: bool) -> str:
    """Return one run, a metric a line."""
    row = table.rows[0]
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, justify in (("metric", "left"), ("mean", "right"), ("95 % interval", "left"), ("n", "right")):
        grid.add_column(title, justify=justify)  # type: ignore[arg-type]
    for info in table.metrics:
        cell = row.cells[info.name]
        grid.add_row(
            Text(heading(info)),
            Text(cell.value, style="bold"),
            Text(cell.interval, style="dim"),
            str(_count(cell)),
        )
    head = Text.assemble((row.name, "bold"), f" · {table.caption}")
    return to_text([head, grid, *_footer(run, table, row)], width, color)


def side_by_side(table: Table, width: int, color: bool) -> str:
    """Return several runs, one a line; the columns are split into blocks that fit ``width``."""
    blocks = [_block(table, names, color) for names in _fit(table, width)]
    notes = [Text(note, style="dim") for note in table.notes]
    best = [] if color or not _any_best(table) else [Text("* best", style="dim")]
    return to_text([Text(table.caption, style="bold"), *blocks, *best, *notes], width, color)


def grid_width(grid: RichTable) -> int:
    """Return the columns that a grid needs to be printed whole."""
    return Console(width=10_000, file=io.StringIO()).measure(grid).maximum


def to_text(parts: Sequence[Text | RichTable], width: int, color: bool) -> str:
    """Print ``parts`` into a string: no trailing blanks, one empty line around every grid.

    A grid that is wider than ``width`` runs past it: lines that wrap can be read, numbers that are cut cannot.
    """
    return "\n".join(_print(part, width, color) for part in parts).strip("\n") + "\n"


def _print(part: Text | RichTable, width: int, color: bool) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=max(MIN_WIDTH, width, 0 if isinstance(part, Text) else grid_width(part)),
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    console.print(part, soft_wrap=isinstance(part, Text))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    text = "\n".join(line for line in lines if line)
    return text if isinstance(part, Text) else f"\n{text}\n"


def _count(cell: Cell) -> int:
    return cell.n + cell.perfect


def _footer(run: Results, table: Table, row: Row) -> list[Text]:
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


def _any_best(table: Table) -> bool:
    return any(cell.best for row in table.rows for cell in row.cells.values())


def _fit(table: Table, width: int) -> list[list[str]]:
    """Split the metrics into as few blocks as fit beside the column of names, of even length if possible."""
    names = max(len("method"), *(cell_len(_name(row)) for row in table.rows))
    coverage = max(len("n/N"), *(len(f"{row.n}/{row.total}") for row in table.rows))
    room = max(MIN_WIDTH, width) - names - coverage - 7
    needs = {info.name: 3 + _width(info, table) for info in table.metrics}
    greedy: list[list[str]] = [[]]
    for name, need in needs.items():
        if greedy[-1] and sum(needs[other] for other in greedy[-1]) + need > room:
            greedy.append([])
        greedy[-1].append(name)
    size = -(-len(needs) // len(greedy))
    order = list(needs)
    even = [order[start : start + size] for start in range(0, len(order), size)]
    return even if all(sum(needs[name] for name in block) <= room for block in even) else greedy


def _width(info: MetricInfo, table: Table) -> int:
    cells = [row.cells[info.name] for row in table.rows]
    return max(len(heading(info)), *(max(len(cell.value) + 1, len(cell.interval)) for cell in cells))


def _block(table: Table, names: Sequence[str], color: bool) -> RichTable:
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    grid.add_column("method", no_wrap=True)
    chosen = [info for info in table.metrics if info.name in names]
    for info in chosen:
        grid.add_column(heading(info), justify="right", no_wrap=True)
    grid.add_column("n/N", justify="right", no_wrap=True)
    for row in table.rows:
        cells = [_cell(row.cells[info.name], color) for info in chosen]
        grid.add_row(Text(_name(row), style="dim" if row.reference else ""), *cells, f"{row.n}/{row.total}")
    return grid


def _name(row: Row) -> str:
    return row.name + ("†" if row.mask_used else "") + (" (ref)" if row.reference else "")


def _cell(cell: Cell, color: bool) -> Text:
    mark = "" if color or not cell.best else "*"
    text = Text(cell.value + mark, style="bold" if cell.best else "")
    return Text.assemble(text, (f"\n{cell.interval}", "dim")) if cell.interval else text
