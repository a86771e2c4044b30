"""``rses report``: the HTML page of runs that were scored before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["report"]


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; several are compared on one page.")],
    out: Annotated[Optional[Path], typer.Option(help="File to write; RUN/report.html by default.")] = None,  # noqa: UP045
    suite: Annotated[Optional[str], typer.Option(help="Suite of the runs, where they do not say.")] = None,  # noqa: UP045
) -> None:
    """Write one self-contained HTML page: table, distributions, gallery."""
    from rses.report.html import write_report
    from rses.report.inputs import run_files
    from rses.results import load_run

    loaded = [load_run(folder) for folder in runs]
    page = out or runs[0] / "report.html"
    files = [run_files(folder, run, suite) or {} for folder, run in zip(runs, loaded, strict=True)]
    write_report(loaded, page, files=files)
    typer.echo(str(page))
