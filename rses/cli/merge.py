"""``rses merge``: put the shards of one run together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, emit, note, quiet_stdout, terminal, warn
from rses.cli.options import Output


def merge(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs, one a shard.", metavar="RUN RUN...")],
    out: Annotated[Path, typer.Option(help="Run folder to write.", metavar="DIR")],
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Accept that shards are missing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace another run that is in the folder.")] = False,
    format: Output = Format.table,
) -> None:
    """Merge runs that `rses bench --shard i/n` made of parts of a suite into one run of the whole."""
    with quiet_stdout():
        from rses.runs.results import load_run

        for run in runs:
            load_run(run)
        from rses.bench import merge_runs  # imports torch: only now, so that a wrong path is found at once
        from rses.report.inputs import recorded_places, remember_inputs
        from rses.report.tables import render

        results = merge_runs(runs, out, allow_missing=allow_missing, fresh=fresh)
        places = [recorded_places(run).get("suite") for run in runs]
        # A shard that was made on another machine names a suite that is not here.
        suites = [place for place in places if place is not None and (isinstance(place, str) or place.is_dir())]
        remember_inputs(out, pred=out / "images", suite=suites[0] if suites else None)
    width, color = terminal()
    emit(render([results], format.value, width=width, color=color))
    warn(results)
    note(f"{len(results.samples)} samples of {len(runs)} runs, written to {out}")
