"""``rses compare``: paired differences between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, emit, progress, quiet_stdout, terminal

__all__ = ["compare"]


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the first is the baseline.", metavar="RUN RUN...")],
    format: Annotated[Format, typer.Option(help="How results are printed.")] = Format.table,
    metrics: Annotated[str | None, typer.Option(help="Only these, see `rses metrics`.", metavar="A,B,C")] = None,
) -> None:
    """Compare runs with the first one, on the samples they share.

    Mean differences with bootstrap intervals, and p-values corrected for the number of rows.
    """
    with progress("Comparing"), quiet_stdout():
        from rses.metrics_table import select_metrics
        from rses.report.comparison import compare_runs, render_comparison
        from rses.results import load_run

        chosen = None if metrics is None else select_metrics(n.strip() for n in metrics.split(",") if n.strip())
        comparison = compare_runs([load_run(run) for run in runs], chosen)
    width, color = terminal()
    emit(render_comparison(comparison, format.value, width=width, color=color))
