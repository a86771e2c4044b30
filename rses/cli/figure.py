"""``rses figure``: the figure of a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, note, quiet_stdout
from rses.cli.options import Names, SuiteOfRuns
from rses.files.places import require_suffix


def figure(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, in the order of the columns.", metavar="RUN RUN...")],
    out: Annotated[Path, typer.Option(help="File to write: .pdf, .png or .svg.", metavar="FILE")],
    best: Annotated[int, typer.Option(help="Samples at which the first run is best.", min=0, max=100)] = 0,
    worst: Annotated[int, typer.Option(help="Samples at which the first run is worst.", min=0, max=100)] = 0,
    ids: Annotated[str | None, typer.Option(help="Samples by name, shown first.", metavar="A,B")] = None,
    metrics: Annotated[
        str | None, typer.Option(help='Numbers under the pictures, see `rses metrics`; "" for none.', metavar="A,B,C")
    ] = None,
    name: Names = None,
    suite: SuiteOfRuns = None,
) -> None:
    """Draw sources with their regions beside the edits of each method, with numbers under them.

    Without --best, --worst and --ids: the two best and the two worst samples of the first run.
    """
    require_suffix(out, (".pdf", ".png", ".svg"), "A figure")
    with quiet_stdout():
        from rses.report.inputs import run_files
        from rses.report.paper_table import parse_names
        from rses.runs.results import load_run

        loaded = [load_run(run) for run in runs]
        from rses.report.figure import write_figure  # imports torch: only now, so that wrong names are found at once

        chosen = write_figure(
            loaded, [run_files(folder, run, suite) for folder, run in zip(runs, loaded, strict=True)], out,
            best=best, worst=worst, ids=[text.strip() for text in (ids or "").split(",") if text.strip()],
            metrics=metrics, names=parse_names(name or ()),
        )  # fmt: skip
    note(f"samples: {', '.join(chosen)}")
    emit(str(out))
