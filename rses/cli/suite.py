"""``rses suite build | mask | export | verify | show``: make a suite or its masks, copy, check and look at one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli import suite_build, suite_mask, suite_share
from rses.cli.common import emit, progress, quiet_stdout

__all__ = ["app"]

app = typer.Typer(help="Build, copy and check benchmark suites.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(suite_build.app, name="build")
app.command("mask")(suite_mask.mask)
app.command("push")(suite_share.push)
app.command("pull")(suite_share.pull)


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(help="Name of an embedded suite, or a suite folder.", metavar="NAME")],
    folder: Annotated[Path, typer.Argument(help="New or empty folder.", metavar="DIR")],
) -> None:
    """Copy a suite to a folder; it also loads with datasets.load_dataset("imagefolder", data_dir=DIR)."""
    from rses.suites import export_suite

    with progress(f"Exporting {name}"), quiet_stdout():
        target = export_suite(name, folder)
    emit(str(target))


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(help="Suite folder.", metavar="DIR")],
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="Frozen ids that it must hold: a SHA-256, a selection.json, or one id a line."),
    ] = None,
) -> None:
    """Compare every file of a suite with its SHA-256; all differences are listed."""
    from rses.files.escape import clean
    from rses.suites.verify import verify_ids, verify_suite

    with progress(f"Verifying {folder}"), quiet_stdout():
        suite = verify_suite(folder)
        frozen = verify_ids(suite, ids) if ids is not None else None
    title = clean(f"{suite.name} {suite.version}")
    emit(f"{title}: {len(suite.samples)} samples, every file as declared ({suite.sha256})")
    if frozen is not None:
        emit(f"ids as frozen ({frozen})")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of an embedded suite, or a suite folder.", metavar="NAME")],
    sheet: Annotated[
        list[Path] | None, typer.Option("--sheet", help="Write a contact sheet, .png or .html; may be repeated.")
    ] = None,
) -> None:
    """Print a suite's statistics, and write contact sheets with outlined regions, tags and prompts."""
    from rses.files.escape import clean
    from rses.suites import load_suite

    with progress(f"Reading {name}") as report, quiet_stdout():
        suite = load_suite(name)
        from rses.suites.sheet import suite_statistics, write_sheet  # imports torch, unlike what is above

        statistics = suite_statistics(suite)
        for path in sheet or []:
            write_sheet(suite, path, report)
    lines = [clean(f"{suite.name} {suite.version}") + f": {len(suite)} samples"]
    for about, counts in statistics.items():
        lines.append(
            f"  {about:<8} " + (", ".join(f"{clean(value)} ({count})" for value, count in counts.items()) or "-")
        )
    emit("\n".join(lines))
