"""What commands share: printing results, progress on a terminal, splitting lists."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rses.results import Results

__all__ = ["Progress", "print_results", "progress_bar", "split_names"]

Progress = Callable[[int, int], None]


def print_results(runs: Sequence[Results], format: str) -> None:
    """Print results to stdout in one of the formats; colours only on a terminal."""
    from rses.report.tables import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((120, 24)).columns if terminal else 120
    typer.echo(render(runs, format, width=width, color=terminal), nl=False)


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress | None]:
    """Yield a callback that moves a bar on stderr, or ``None`` when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def split_names(text: str | None) -> list[str] | None:
    """Split a comma-separated option.

    Example:
        >>> split_names("rsm, mse_bg"), split_names(None)
        (['rsm', 'mse_bg'], None)
    """
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def say_written(folder: Path | None, page: Path | None) -> None:
    """Say on stderr where results went."""
    if folder is not None:
        typer.echo(f"wrote {folder}", err=True)
    if page is not None:
        typer.echo(f"wrote {page}", err=True)
