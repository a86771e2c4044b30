"""``rses merge``: put the shards of one run together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, emit, note, quiet_stdout, terminal, warn

__all__ = ["merge"]


def merge(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs, one a shard.", metavar="RUN RUN...")],
    out: Annotated[Path, typer.Option(help="Run folder to write.", metavar="DIR")],
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Accept that shards are missing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace another run that is in the folder.")] = False,
    format: Annotated[Format, typer.Option(help="How results are printed.")] = Format.table,
) -> None:
    """Merge runs that `rses bench --shard i/n` made of parts of a suite into one run of the whole."""
    with quiet_stdout():
        from rses.bench import merge_runs
        from rses.report.tables import render

        results = merge_runs(runs, out, allow_missing=allow_missing, fresh=fresh)
    width, color = terminal()
    emit(render([results], format.value, width=width, color=color))
    warn(results)
    note(f"{len(results.samples)} samples of {len(runs)} runs, written to {out}")
