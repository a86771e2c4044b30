"""``rses leaderboard``: build, add, verify, serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, note, progress, quiet_stdout
from rses.cli.help import command, group
from rses.cli.options import SuiteOfRuns
from rses.errors import InputError

app = group("Leaderboards: tables and a page from submitted results.")
BOARDS = Path("leaderboards")
Boards = Annotated[Path, typer.Option(help="The leaderboards folder.", metavar="DIR")]


def build(
    boards: Boards = BOARDS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is not up to date.")] = False,
    readme: Annotated[
        Path | None,
        typer.Option(help="Also renew the top of the boards between the marks of a README.", metavar="FILE"),
    ] = None,
) -> None:
    """Write tables and site from `results/` and `published.csv`."""
    with progress("Building") as update, quiet_stdout():
        _require_boards(boards)
        from rses.leaderboard.build import build as run  # imports torch: only now
        from rses.leaderboard.build import check_fresh

        if check:
            check_fresh(boards, readme)
            written = []
        else:
            written = run(boards, update, readme)
    if check:
        note(f"{boards} is up to date")
    else:
        note(f"{len(written)} files")
        emit(str(boards / "site" / "index.html"))


def add(
    run: Annotated[Path, typer.Argument(help="Finished run folder, with its images.", metavar="RUN")],
    boards: Boards = BOARDS,
    board: Annotated[str | None, typer.Option(help="Folder of the board; <suite>--<protocol> by default.")] = None,
    suite: SuiteOfRuns = None,
    images: Annotated[bool, typer.Option("--images", help="Copy all edits, so that anybody can score them.")] = False,
    previews: Annotated[int, typer.Option(help="Small copies kept for the page.", min=0, max=200)] = 24,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an older submission of this method.")] = False,
) -> None:
    """Pack a run as a submission."""
    with progress("Packing"), quiet_stdout():
        from rses.runs.results import load_run

        load_run(run)
        from rses.leaderboard.pack import add_run  # imports torch: only now, so that a wrong path is found at once

        target = add_run(run, boards, board=board, replace=replace, images=images, previews=previews, suite=suite)
    note("Check it with `rses leaderboard verify`, then `rses leaderboard build`.")
    emit(str(target))


def verify(
    place: Annotated[Path, typer.Argument(help="Folder of a submission or of a run.", metavar="RUN|SUBMISSION")],
    rescore: Annotated[
        int | None, typer.Option(help="Score this many random edits again; by default all that are there.", min=0)
    ] = None,
    suite: Annotated[str | None, typer.Option(help="Folder of a suite that is not embedded.", metavar="DIR")] = None,
    device: Annotated[str, typer.Option(help="Device to score on.")] = "auto",
) -> None:
    """Check a submission: schema, protocol, suite, coverage, weights, arithmetic, images, scores."""
    with progress("Verifying") as update, quiet_stdout():
        if not place.exists():
            raise InputError(
                f"There is no {place}. Give a submission (folder or zip) or a run folder.", code="missing-file"
            )
        from rses.leaderboard.verify import verify as run  # imports torch: only now

        verdict = run(place, rescore=rescore, suite=suite, device=device, progress=update)
    emit(str(verdict))


def serve(
    boards: Boards = BOARDS,
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65535)] = 8000,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Show the built site on this machine."""
    import webbrowser

    _require_boards(boards)
    from rses.leaderboard.serve import make_server

    with make_server(boards, port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        emit(address)
        note("Ctrl-C ends it.")
        if browser:
            webbrowser.open(address)
        server.serve_forever()


def _require_boards(boards: Path) -> None:
    if not boards.is_dir():
        raise InputError(
            f"There is no folder {boards}. Give the leaderboards folder with --boards DIR.", code="missing-file"
        )


command(app, "build", build, "rses leaderboard build", "rses leaderboard build --check")
command(app, "add", add, "rses leaderboard add runs/mini/my-method --images")
command(app, "verify", verify, "rses leaderboard verify runs/mini/my-method --rescore 8")
command(app, "serve", serve, "rses leaderboard serve --port 8000")
