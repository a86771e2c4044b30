"""``rses table``: the main table of a paper."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, quiet_stdout
from rses.cli.options import Names
from rses.files.atomic import write_atomic
from rses.files.places import require_suffix

SUFFIXES = {".tex": "latex", ".md": "markdown", ".csv": "csv", ".html": "html"}


class PaperFormat(str, Enum):
    """Formats of a table for a paper."""

    latex = "latex"
    markdown = "markdown"
    csv = "csv"
    html = "html"


def table(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, in the order of the rows.", metavar="RUN RUN...")],
    metrics: Annotated[str | None, typer.Option(help="Columns, see `rses metrics`.", metavar="A,B,C")] = None,
    format: Annotated[
        PaperFormat | None, typer.Option(help="How the table is written; by default as --out ends, or latex.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write instead of printing: .tex, .md, .csv or .html.", metavar="FILE")
    ] = None,
    digits: Annotated[
        int | None, typer.Option(help="Decimals of every column; by default each metric's own.", min=0, max=12)
    ] = None,
    intervals: Annotated[bool, typer.Option(help="95 % intervals beside the means.")] = True,
    against: Annotated[
        str | None, typer.Option(help="Mark what is significantly better or worse than this run.", metavar="NAME")
    ] = None,
    name: Names = None,
) -> None:
    """Write the main table of a paper: methods by metrics, with a caption that says what was measured how."""
    if out is not None:
        require_suffix(out, tuple(SUFFIXES), "A table")
    chosen = format.value if format else SUFFIXES[out.suffix.lower()] if out else "latex"
    with quiet_stdout():
        from rses.report.paper_table import parse_names, render_paper_table
        from rses.runs.results import load_run

        text = render_paper_table(
            [load_run(run) for run in runs], chosen, metrics=metrics, digits=digits, intervals=intervals,
            against=against, names=parse_names(name or ()),
        )  # fmt: skip
    if out is None:
        emit(text)
    else:
        write_atomic(out, text.encode("utf-8"))
        emit(str(out))
