"""The ``rses`` command and its sub-commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import rses
from rses.cli import bench, compare, leaderboard, lists, merge, report, score, suite, vlm, weights
from rses.cli.run import run_app

__all__ = ["app", "main"]

app = typer.Typer(
    help="RSES: score regional image edits, and compare methods with uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rses {rses.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """RSES: score regional image edits, and compare methods with uncertainty."""


app.command("score")(score.score)
app.command("bench")(bench.bench)
app.command("merge")(merge.merge)
app.command("vlm")(vlm.vlm)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.add_typer(lists.methods, name="methods")
app.add_typer(lists.protocols, name="protocols")
app.add_typer(lists.suites, name="suites")
app.add_typer(lists.metrics, name="metrics")
app.add_typer(suite.app, name="suite")
app.add_typer(weights.app, name="weights")
app.add_typer(leaderboard.app, name="leaderboard")


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 on success, 2 for what the user can fix, 130 after Ctrl-C.

    Example:
        >>> main(["--version"])
        rses 0.1.0
        0
    """
    return run_app(app, "rses", argv)


if __name__ == "__main__":
    sys.exit(main())
