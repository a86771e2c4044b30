"""``rses compare``: paired differences between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, emit, note, progress, quiet_stdout, terminal
from rses.cli.options import Metrics, Output, SuiteOfRuns
from rses.files.places import require_suffix


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the first is the baseline.", metavar="RUN RUN...")],
    format: Output = Format.table,
    metrics: Metrics = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Also write a page with the samples that differ most.", metavar="FILE")
    ] = None,
    samples: Annotated[int, typer.Option(help="Samples on the page.", min=0, max=200)] = 24,
    suite: SuiteOfRuns = None,
) -> None:
    """Compare runs with the first one, on the samples they share.

    Mean differences with bootstrap intervals, and p-values corrected for the number of rows.
    """
    if page is not None:
        require_suffix(page, (".html", ".htm"), "A page")
    with progress("Comparing") as update, quiet_stdout():
        from rses.report.comparison import compare_runs, render_comparison
        from rses.runs.results import load_run
        from rses.table import select_metrics

        chosen = None if metrics is None else select_metrics(n.strip() for n in metrics.split(",") if n.strip())
        loaded = [load_run(run) for run in runs]
        comparison = compare_runs(loaded, chosen)
        if page is not None:
            from rses.report.compare_page import write_comparison
            from rses.report.inputs import run_files

            files = [run_files(folder, run, suite) for folder, run in zip(runs, loaded, strict=True)]
            write_comparison(loaded, comparison, page, files=files, limit=samples, progress=update)
    width, color = terminal()
    emit(render_comparison(comparison, format.value, width=width, color=color))
    if page is not None:
        note(f"Page: {page}")
