"""The reproduction's command line: ``python -m benchmark_data.recipes.reproduce --out study``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Interrupted, elapsed, emit, note, quiet_stdout
from rses.cli.run import run_app

__all__ = ["app", "main"]

MARKS = "study"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder of the reproduction; a stopped one goes on.", metavar="DIR")],
    suite: Annotated[str, typer.Option(help="Suite to score on.", metavar="NAME|DIR")] = "mini",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this configuration; may be repeated.", metavar="NAME")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds per configuration; side rows have one.", metavar="N", min=1)] = 3,
    scenes: Annotated[int, typer.Option(help="Training pairs per style.", metavar="N", min=1)] = 150,
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

    Rows go to DIR/rows.parquet, one per configuration, seed and sample. About 6 minutes each on 2 cores.
    """
    start = time.monotonic()
    try:
        with quiet_stdout():
            from benchmark_data.recipes.reproduce.study import run_study
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


def main(argv: list[str] | None = None) -> int:
    """Run the study that the command line asks for; return the exit status."""
    return run_app(app, "python -m benchmark_data.recipes.reproduce", argv)


if __name__ == "__main__":
    sys.exit(main())
