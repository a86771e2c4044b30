"""Entry point of ``rses``: gathers the commands and turns errors into exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.main

from rses import __version__
from rses.cli import bench, compare, leaf, report, score, suite, weights
from rses.errors import RsesError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    name="rses",
    help="Regional Style Editing Score: was the style reached in the region, and everything else kept?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rses {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Regional Style Editing Score."""


app.command("score")(score.score)
app.command("bench")(bench.bench)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.add_typer(leaf.protocols, name="protocols")
app.add_typer(leaf.metrics, name="metrics")
app.add_typer(leaf.methods, name="methods")
app.add_typer(leaf.suites, name="suites")
app.add_typer(suite.app, name="suite")
app.add_typer(weights.app, name="weights")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words after ``rses``; those of the process by default.

    Returns:
        0 on success, 2 for mistakes of the caller, 130 when interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    try:
        result = command.main(args=words, prog_name="rses", standalone_mode=False)
    except RsesError as error:
        typer.echo(f"error: {error}", err=True)
        return 2
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("interrupted; with --out, finished samples are kept: repeat the command to go on", err=True)
        return INTERRUPTED
    except Exception as error:
        # The parser's own errors (of whichever click typer brings) know how to show themselves.
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            return int(error.exit_code)
        raise
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
