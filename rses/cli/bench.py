"""``rses bench``: run a method on a suite and score it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from rses.cli._output import print_results, progress_bar, say_written

__all__ = ["bench"]


def bench(
    method: Annotated[str, typer.Option(help="Name (see `rses methods`) or package.module:Class.")],
    suite: Annotated[str, typer.Option(help="Name or folder of a suite.")] = "mini",
    out: Annotated[Optional[Path], typer.Option(help="Run folder; runs/SUITE/METHOD by default.")] = None,  # noqa: UP045
    protocol: Annotated[str, typer.Option(help="Protocol; see `rses protocols`.")] = "rses-v1",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    limit: Annotated[Optional[int], typer.Option(help="Use only the first samples.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(help="Base seed.")] = 0,
    format: Annotated[str, typer.Option(help="table, json, csv, markdown or latex.")] = "table",
    fresh: Annotated[bool, typer.Option("--fresh/--resume", help="Start over, or go on (default).")] = False,
    report: Annotated[bool, typer.Option("--report", help="Also write report.html.")] = False,
) -> None:
    """Edit every sample of a suite with a method, then score the edits."""
    from rses.bench import run_bench
    from rses.methods import get_method
    from rses.report.tables import check_format
    from rses.scorer import RSES

    check_format(format)
    editor = get_method(method)
    folder = out or Path("runs") / Path(suite).name / editor.card.name
    scorer = RSES(protocol, device=device)
    with progress_bar(editor.card.name) as progress:
        results = run_bench(
            editor, suite, folder, scorer=scorer, limit=limit, seed=seed, fresh=fresh, progress=progress
        )
    print_results([results], format)
    page = None
    if report:
        from rses.report.html import write_report
        from rses.report.inputs import run_files

        page = folder / "report.html"
        write_report([results], page, files=[run_files(folder, results, suite) or {}], scorer=scorer)
    say_written(folder, page)
