"""``rses compare``: paired differences between runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from rses.cli._output import split_names

__all__ = ["compare"]


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders; the first is the baseline.")],
    metrics: Annotated[Optional[str], typer.Option(help="Comma-separated; see `rses metrics`.")] = None,  # noqa: UP045
    format: Annotated[str, typer.Option(help="table, json, csv, markdown or latex.")] = "table",
) -> None:
    """Compare runs sample by sample: mean differences, intervals, corrected p-values."""
    from rses.metrics_table import select_metrics
    from rses.report.comparison import compare_runs, render_comparison
    from rses.results import load_run

    names = split_names(metrics)
    chosen = None if names is None else select_metrics(names)
    comparison = compare_runs([load_run(folder) for folder in runs], chosen)
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((120, 24)).columns if terminal else 120
    typer.echo(render_comparison(comparison, format, width=width, color=terminal), nl=False)
