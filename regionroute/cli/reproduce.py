"""``regionroute reproduce``: train and score every configuration of the ablation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Interrupted, elapsed, emit, note, quiet_stdout

__all__ = ["reproduce"]

MARKS = "study"


def reproduce(
    out: Annotated[Path, typer.Option(help="Folder of the reproduction; a stopped one goes on.", metavar="DIR")],
    suite: Annotated[str, typer.Option(help="Suite to score on.", metavar="NAME|DIR")] = "mini",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this configuration; may be repeated.", metavar="NAME")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds a configuration.", metavar="N", min=1)] = 3,
    scenes: Annotated[int, typer.Option(help="Training pairs a style.", metavar="N", min=1)] = 150,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a key of the training for all, e.g. optimiser.steps=50.",
                     metavar="TABLE.KEY=VALUE"),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Also renew the tables in this Markdown page.", metavar="FILE")
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of all workers together.", metavar="N", min=1)] = 2,
    workers: Annotated[int, typer.Option(help="Configurations trained side by side.", metavar="N", min=1)] = 1,
) -> None:  # fmt: skip
    """Train the experts of every configuration on kontext-mini, score them, and print the table (Markdown).

    Rows go to DIR/rows.parquet, one a configuration, seed and sample. About 6 minutes each on 2 cores.
    """
    start = time.monotonic()
    try:
        with quiet_stdout():
            from regionroute.reproduce.study import run_study
            from rses.files.atomic import write_atomic
            from rses.report.marked import replace_marked

            if page is not None:
                # Before hours of work.
                replace_marked(page, MARKS, "")
            text = run_study(
                out, suite, only, seeds=seeds, scenes=scenes, changes=tuple(changes or ()), threads=threads, say=note,
                workers=workers,
            )  # fmt: skip
            if page is not None:
                write_atomic(page, replace_marked(page, MARKS, text).encode())
    except KeyboardInterrupt as error:
        raise Interrupted(out if out.is_dir() else None) from error
    emit(text)
    note(f"reproduced in {elapsed(start)}")
