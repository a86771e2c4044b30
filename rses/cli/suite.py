"""``rses suite export | verify``: copy an embedded suite out, check a suite folder."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["app"]

app = typer.Typer(help="Export and verify suite folders.", no_args_is_help=True)


@app.command("export")
def export(name: str, folder: Path) -> None:
    """Copy an embedded suite to a new folder."""
    from rses.suites import export_suite

    export_suite(name, folder)
    typer.echo(str(folder))


@app.command("verify")
def verify(folder: Path) -> None:
    """Check every file of a suite against its recorded SHA-256."""
    from rses.suites import verify_suite

    verify_suite(folder)
    typer.echo(f"{folder}: every file is as recorded")
