"""``rses bench``: run a method on a suite and score its edits."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format, elapsed, emit, keeping, note, progress, quiet_stdout, terminal

__all__ = ["bench"]


def bench(
    method: Annotated[str, typer.Option(help="See `rses methods`.", metavar="NAME|pkg.module:Class")],
    suite: Annotated[str, typer.Option(help="See `rses suites`.", metavar="NAME|DIR")] = "mini",
    out: Annotated[Path | None, typer.Option(help="Run folder; by default runs/SUITE/METHOD.", metavar="DIR")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples.", metavar="N", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Base seed of all samples.")] = 0,
    protocol: Annotated[str, typer.Option(help="See `rses protocols`.", metavar="ID")] = "rses-v1",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    fresh: Annotated[
        bool, typer.Option("--fresh/--resume", help="Start over, or go on with what --out holds.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How results are printed.")] = Format.table,
    report: Annotated[bool, typer.Option("--report", help="Write report.html into the run folder.")] = False,
) -> None:
    """Edit every sample of a suite with a method, then score the edits.

    A stopped run goes on where it was.
    """
    folder = out or Path("runs") / _slug(Path(suite).name) / _slug(method)
    start = time.monotonic()
    with keeping(folder), progress(method) as update, quiet_stdout():
        from rses.bench import run_bench
        from rses.report.inputs import remember_inputs
        from rses.report.tables import render
        from rses.scorer import RSES

        scorer = RSES(protocol=protocol, device=device)
        results = run_bench(method, suite, folder, scorer=scorer, limit=limit, seed=seed, fresh=fresh, progress=update)
        remember_inputs(folder, pred=folder / "images", suite=suite)
    width, color = terminal()
    emit(render([results], format.value, width=width, color=color))
    note(f"{len(results.samples)} samples in {elapsed(start)}, written to {folder}")
    if report:
        from rses.cli.score import Places, write_page

        write_page(results, scorer, Places(folder / "images", None, None, suite), folder / "report.html")


def _slug(text: str) -> str:
    """Return a name for a folder.

    Example:
        >>> _slug("my.pkg:Method")
        'my.pkg-Method'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "run"
