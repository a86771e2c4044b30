"""Runs as text: a terminal table, JSON, CSV, Markdown or LaTeX.

One run is shown metric by metric; several runs are shown as one row each.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from rses.errors import InputError, did_you_mean
from rses.files.escape import clean, escape_csv, escape_latex, escape_markdown
from rses.report.columns import Cell, Row, Table, build_table, heading
from rses.runs.results import Results
from rses.table import MetricInfo, in_table_order

__all__ = ["FORMATS", "check_format", "csv_text", "render"]

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
        return _json(runs)
    if format == "csv":
        return _csv(runs)
    table = build_table(runs, runs[0].metrics if len(runs) == 1 else None)
    if format == "markdown":
        return _markdown(table)
    if format == "latex":
        return _latex(table)
    from rses.report.terminal import overview, side_by_side

    return overview(table, runs[0], width, color) if len(runs) == 1 else side_by_side(table, width, color)


def check_format(format: str) -> None:
    """Raise :class:`InputError` unless ``format`` is one of :data:`FORMATS`."""
    if format not in FORMATS:
        raise InputError(
            f'There is no format "{format}".{did_you_mean(format, FORMATS)} Formats: {", ".join(FORMATS)}.'
        )


def _json(runs: Sequence[Results]) -> str:
    summaries = [run.summary for run in runs]
    content: Any = summaries[0] if len(summaries) == 1 else summaries
    return json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def csv_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    r"""Write CSV; text is guarded against formulas, ``None`` is an empty cell, numbers keep full precision.

    Example:
        >>> csv_text(["a", "b"], [["=x", 0.5], [None, -1.0]])
        "a,b\n'=x,0.5\n,-1.0\n"
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([escape_csv(name) for name in header])
    for row in rows:
        writer.writerow([escape_csv(value) if isinstance(value, str) else value for value in row])
    return stream.getvalue()


def _csv(runs: Sequence[Results]) -> str:
    names = in_table_order(name for run in runs for name in run.metrics)
    table = build_table(runs, names)
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
            line += [_csv_mean(cell), cell.low, cell.high, cell.n]
            line += [cell.perfect] if info.name == "psnr_bg" else []
        rows.append(line)
    return csv_text(header, rows)


def _csv_mean(cell: Cell) -> float | None:
    return float("inf") if cell.mean is None and cell.perfect else cell.mean


def _label(row: Row) -> str:
    return row.name + ("†" if row.mask_used else "") + (" (ref)" if row.reference else "")


def _markdown(table: Table) -> str:
    header = ["method", *(heading(info) for info in table.metrics), "coverage"]
    lines = [
        "| " + " | ".join(escape_markdown(text) for text in header) + " |",
        "|:---|" + "---:|" * (len(header) - 1),
    ]
    for row in table.rows:
        cells = [_markdown_cell(row.cells[info.name]) for info in table.metrics]
        lines.append("| " + " | ".join([escape_markdown(_label(row)), *cells, f"{row.n}/{row.total}"]) + " |")
    notes = [escape_markdown(table.caption), *(escape_markdown(note) for note in table.notes)]
    return "\n".join([*lines, "", *(f"{note}  " for note in notes[:-1]), notes[-1]]) + "\n"


def _markdown_cell(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.best else cell.value
    return f"{value} {escape_markdown(cell.interval)}".strip()


def _latex(table: Table) -> str:
    header = ["method", *(_latex_heading(info) for info in table.metrics), "$n/N$"]
    lines = [
        f"% {clean(table.caption)}",
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        "\\toprule",
        " & ".join(header) + r" \\",
        "\\midrule",
    ]
    for row in table.rows:
        cells = [_latex_cell(row.cells[info.name]) for info in table.metrics]
        lines.append(" & ".join([escape_latex(_label(row)), *cells, f"{row.n}/{row.total}"]) + r" \\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"% {clean(note)}" for note in table.notes]
    return "\n".join(lines) + "\n"


def _latex_heading(info: MetricInfo) -> str:
    return escape_latex(heading(info)).replace("\\_bg", "\\textsubscript{bg}")


def _latex_cell(cell: Cell) -> str:
    value = f"\\textbf{{{cell.value}}}" if cell.best else cell.value
    value = "--" if cell.value == "-" else value
    return f"{value} {{\\scriptsize {cell.interval}}}" if cell.interval else value
