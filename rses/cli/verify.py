"""``rses verify``: the same numbers again?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, progress, quiet_stdout
from rses.cli.options import SuiteOfRuns


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder, of `rses score --out` or `rses bench`.", metavar="RUN")],
    rescore: Annotated[
        int | None, typer.Option(help="Score this many random samples again; all by default.", min=0, metavar="K")
    ] = None,
    suite: SuiteOfRuns = None,
    device: Annotated[str, typer.Option(help="Device to score on.")] = "auto",
) -> None:
    """Score a run again from what it recorded; says "same", or what differs by column and sample.

    Exit status 1 where more differs than rounding on another device explains.
    """
    with progress("Verifying") as update, quiet_stdout():
        from rses.runs.results import load_run

        load_run(run)
        from rses.leaderboard.again import verify_run  # imports torch: only now, so that a wrong path is found at once

        found = verify_run(run, rescore=rescore, suite=suite, device=device, progress=update)
    emit(str(found))
    if not found.same:
        raise typer.Exit(1)
