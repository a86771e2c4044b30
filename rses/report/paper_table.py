"""The main table of a paper: methods by metrics, with a caption, as LaTeX, Markdown, CSV or HTML."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from rses.errors import InputError, Place, did_you_mean
from rses.files.escape import clean, escape_latex, escape_markdown
from rses.pages.grid import Grid, Value
from rses.pages.numbers import heading
from rses.report.columns import Cell, Row, Table, build_table, run_names
from rses.report.comparison import ALPHA, compare_runs
from rses.runs.results import Results
from rses.table import MetricInfo, select_metrics

__all__ = ["PAPER_FORMATS", "PAPER_METRICS", "parse_names", "rename", "render_paper_table"]

PAPER_FORMATS = ("latex", "markdown", "csv", "html")
PAPER_METRICS = ("rsm", "rsm_gain", "style_correct", "lpips_bg", "mse_bg", "rses_p")
"""Columns of a table for which none were chosen, as far as the runs have them."""
_MARKS = {"better": "+", "worse": "−"}
Marks = Mapping[tuple[str, str], str]


def render_paper_table(
    runs: Sequence[Results],
    format: str = "markdown",
    *,
    metrics: str | Iterable[str] | None = None,
    digits: int | None = None,
    intervals: bool = True,
    against: str | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    r"""Render runs as the rows of one table.

    Args:
        runs: At least one run, all of one protocol and suite, in the order of the rows.
        format: One of :data:`PAPER_FORMATS`. CSV holds full precision.
        metrics: Columns; by default those of :data:`PAPER_METRICS` that the runs have.
        digits: Decimals of every column; each metric's own by default.
        intervals: Whether 95 % intervals stand beside the means.
        against: Name of the run that the others are tested against; what is better or worse is marked.
        names: Names of methods to replace, old to new.

    Raises:
        InputError: Unknown format, metric or name, or runs that cannot stand in one table.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> run = Results([SampleResult("a", mse_bg=0.25)], {"method": "mine"})
        >>> print(render_paper_table([run], digits=2, names={"mine": "Ours"}).splitlines()[2])
        | Ours | 0.25 |
    """
    if format not in PAPER_FORMATS:
        raise InputError(
            f'There is no format "{format}".{did_you_mean(format, PAPER_FORMATS)} Formats: {", ".join(PAPER_FORMATS)}.',
            code="unknown-value",
            place=Place(field="format"),
        )
    if digits is not None and not 0 <= digits <= 12:
        raise InputError(
            f"digits must be from 0 to 12, got {digits}.", code="out-of-range", place=Place(field="digits")
        )
    renamed = rename(runs, names or {})
    asked = {name for run in renamed for name in run.metrics}
    chosen = [name for name in PAPER_METRICS if name in asked] if metrics is None else None
    table = build_table(renamed, chosen or select_metrics(metrics or asked))
    rows = tuple(_rounded(row, digits, intervals) for row in table.rows)
    base = None if against is None else _position(renamed, against, names or {})
    marks = {} if base is None else _marks(renamed, base, table.metrics)
    table = dataclasses.replace(table, rows=rows)
    if format == "csv":
        return _csv(table, marks, intervals, base is not None)
    text = caption(table, intervals, None if base is None else rows[base].name)
    return {"latex": _latex, "markdown": _markdown, "html": _html}[format](table, marks, text)


def parse_names(texts: Iterable[str]) -> dict[str, str]:
    """Read ``OLD=NEW`` pairs.

    Raises:
        InputError: A text without ``=``, or with nothing on one side of it.

    Example:
        >>> parse_names(["flux-kontext=FLUX.1 Kontext"])
        {'flux-kontext': 'FLUX.1 Kontext'}
    """
    pairs = [text.partition("=") for text in texts]
    bad = ["=".join((old, new)) if mark else old for old, mark, new in pairs if not (old.strip() and new.strip())]
    if bad:
        raise InputError(
            f"--name is OLD=NEW, got {', '.join(map(clean, bad))}.", code="wrong-form", place=Place(field="--name")
        )
    return {old.strip(): new.strip() for old, _, new in pairs}


def rename(runs: Sequence[Results], names: Mapping[str, str]) -> list[Results]:
    """Return the runs under new names of their methods.

    Raises:
        InputError: A name that no run has.
    """
    known = run_names(runs)
    for old in names.keys() - set(known):
        raise InputError(
            f'No run is named "{old}".{did_you_mean(old, known)} Runs: {", ".join(known)}.', code="unknown-name"
        )
    return [
        Results(run.samples, {**run.info, "method": names.get(name, run.info.get("method"))}, run.folder)
        for run, name in zip(runs, known, strict=True)
    ]


def _rounded(row: Row, digits: int | None, intervals: bool) -> Row:
    changes = {} if digits is None else {"digits": digits}
    ends = {} if intervals else {"low": None, "high": None}
    cells = {name: dataclasses.replace(cell, **changes, **ends) for name, cell in row.cells.items()}  # type: ignore[arg-type]
    return dataclasses.replace(row, cells=cells)


def _position(runs: Sequence[Results], against: str, names: Mapping[str, str]) -> int:
    known = run_names(runs)
    wanted = against if against in known else names.get(against, against)
    if wanted not in known:
        raise InputError(
            f'No run is named "{against}".{did_you_mean(against, known)} Runs: {", ".join(known)}.', code="unknown-name"
        )
    return known.index(wanted)


def _marks(runs: Sequence[Results], base: int, metrics: Sequence[MetricInfo]) -> dict[tuple[str, str], str]:
    """Return the marks by row and column of what differs from one run."""
    names = run_names(runs)
    others = [i for i in range(len(runs)) if i != base]
    found = compare_runs([runs[base], *(runs[i] for i in others)], [info.name for info in metrics]).differences
    # Among others runs of one name would be numbered anew: go by position.
    order = dict(zip(run_names([runs[base], *(runs[i] for i in others)])[1:], others, strict=True))
    columns = {info.aggregate: info.name for info in metrics}
    return {
        (names[order[item.run]], columns[item.metric]): _MARKS[item.verdict]
        for item in found if item.verdict in _MARKS
    }  # fmt: skip


def caption(table: Table, intervals: bool, against: str | None) -> str:
    """Say what the table shows: suite, protocol, n, and what its marks mean."""
    counts = {(row.n, row.total) for row in table.rows}
    n, total = next(iter(counts))
    number = "" if len(counts) > 1 else f"n = {n} samples, " if n == total else f"n = {n} of {total} samples, "
    parts = [
        f"{number}{table.caption}.",
        "Means" + (" with 95 % bootstrap intervals" if intervals else "") + "; ↑ higher is better, ↓ lower is better.",
    ]
    if any(row.cells[info.name].best for row in table.rows for info in table.metrics):
        parts.append("Bold: the best, and all that cannot be told from it (paired tests, Holm-corrected at 5 %).")
    if against is not None:
        parts.append(
            f"+ better, − worse than {against} (Wilcoxon signed-rank over source images, Holm-corrected over this "
            f"table, p < {ALPHA})."
        )
    return " ".join([*parts, *(note for note in table.notes if not note.startswith(("Mean with", "Marked:")))])


def _label(row: Row, table: Table) -> str:
    counts = f" ({row.n}/{row.total})" if len({(r.n, r.total) for r in table.rows}) > 1 else ""
    return row.name + ("†" if row.mask_used else "") + (" (ref)" if row.reference else "") + counts


def _grid(table: Table, marks: Marks) -> Grid:
    def cell(row: Row, name: str) -> Value:
        own = row.cells[name]
        return Value(own.value, own.interval, 1 if own.best else None, mark=marks.get((row.name, name), ""))

    rows = [[_label(row, table), *(cell(row, info.name) for info in table.metrics)] for row in table.rows]
    return Grid(["method", *map(heading, table.metrics)], rows)


def _latex(table: Table, marks: Marks, text: str) -> str:
    label = re.sub(r"[^a-z0-9]+", "-", f"rses {table.suite} {table.protocol}".lower()).strip("-")
    lines = ["\\begin{table}[t]", "\\centering", f"\\caption{{{escape_latex(text).replace('−', '$-$')}}}"]
    grid = _grid(table, marks).latex(table.caption)
    return "\n".join([*lines, f"\\label{{tab:{label}}}", f"{grid}\\end{{table}}"]) + "\n"


def _markdown(table: Table, marks: Marks, text: str) -> str:
    return f"{_grid(table, marks).markdown()}\n\n{escape_markdown(text)}\n"


def _html(table: Table, marks: Marks, text: str) -> str:
    return _grid(table, marks).html(text)


def _csv(table: Table, marks: Marks, intervals: bool, tested: bool) -> str:
    verdicts = {mark: verdict for verdict, mark in _MARKS.items()}
    header, rows = ["method", "n", "N"], [[row.name, row.n, row.total] for row in table.rows]
    for info in table.metrics:
        header += [info.aggregate, *([f"{info.aggregate}_low", f"{info.aggregate}_high"] if intervals else [])]
        header += [f"{info.aggregate}_verdict"] if tested else []
        for line, row in zip(rows, table.rows, strict=True):
            cell: Cell = row.cells[info.name]
            line += [float("inf") if cell.mean is None and cell.perfect else cell.mean]
            line += [cell.low, cell.high] if intervals else []
            line += [verdicts.get(marks.get((row.name, info.name), ""), "")] if tested else []
    return Grid(header, rows).csv()
