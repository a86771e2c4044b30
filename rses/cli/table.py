"""``rses table``: the main table of a paper."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from rses.cli.common import emit, quiet_stdout

__all__ = ["table"]


class PaperFormat(str, Enum):
    """Formats of a table for a paper."""

    latex = "latex"
    markdown = "markdown"
    csv = "csv"
    html = "html"


def table(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, in the order of the rows.", metavar="RUN RUN...")],
    metrics: Annotated[Optional[str], typer.Option(help="Columns, see `rses metrics`.", metavar="A,B,C")] = None,  # noqa: UP045
    format: Annotated[PaperFormat, typer.Option(help="How the table is printed.")] = PaperFormat.latex,
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
    """Print the main table of a paper: methods by metrics, with a caption that says what was measured how."""
    with quiet_stdout():
        from rses.report.paper_table import parse_names, render_paper_table
        from rses.runs.results import load_run

        text = render_paper_table(
            [load_run(run) for run in runs], format.value, metrics=metrics, digits=digits, intervals=intervals,
            against=against, names=parse_names(name or ()),
        )  # fmt: skip
    emit(text)
