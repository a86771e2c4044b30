"""``rses table``: the main table of a paper."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from rses.cli.common import emit, quiet_stdout
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
    metrics: Annotated[Optional[str], typer.Option(help="Columns, see `rses metrics`.", metavar="A,B,C")] = None,  # noqa: UP045
    format: Annotated[
        Optional[PaperFormat],  # noqa: UP045
        typer.Option(help="How the table is written; by default as --out ends, or latex."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="File to write instead of printing: .tex, .md, .csv or .html.", metavar="FILE"),
    ] = None,
    digits: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Decimals of every column; by default each metric's own.", min=0, max=12),
    ] = None,
    intervals: Annotated[bool, typer.Option(help="95 % intervals beside the means.")] = True,
    against: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Mark what is significantly better or worse than this run.", metavar="NAME"),
    ] = None,
    name: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Another name for a method; may be repeated.", metavar="OLD=NEW"),
    ] = None,
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
