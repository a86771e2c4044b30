"""The ``regionroute`` command and its sub-commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import rses
from regionroute.cli import data, edit, gate, train
from rses.cli.run import run_app

__all__ = ["app", "main"]

ABOUT = "RegionRoute: restyle one object of a picture from words alone, without a mask."

app = typer.Typer(
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"regionroute {rses.__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


# One line a command; its module must import nothing heavy before it runs.
app.command("edit")(edit.edit)
app.command("train")(train.train)
app.command("data")(data.data)
app.command("gate")(gate.gate)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 on success, 2 for what the user can mend, 130 after Ctrl-C.

    Example:
        >>> main(["--version"])
        regionroute 0.1.0
        0
    """
    return run_app(app, "regionroute", argv)


if __name__ == "__main__":
    sys.exit(main())
