"""``rses suites push | pull``: suites as parquet, on the Hugging Face hub or in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import emit, progress, quiet_stdout


def push(
    suite: Annotated[str, typer.Argument(help="Name of an embedded suite, or a suite folder.", metavar="SUITE")],
    target: Annotated[
        str, typer.Argument(help="Hub id org/name, or a new folder (./org/name if in doubt).", metavar="TARGET")
    ],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new data set of the hub public; it is private by default.")
    ] = False,
) -> None:
    """Write a suite as parquet with embedded images: to the Hugging Face hub, or into a folder."""
    from rses.suites.sharing import push_suite

    with progress(f"Writing {suite}") as report, quiet_stdout():
        place = push_suite(suite, target, not public, report)
    emit(place)


def pull(
    source: Annotated[str, typer.Argument(help="Hub id org/name, or a folder that push wrote.", metavar="SOURCE")],
    out: Annotated[Path, typer.Option("--out", help="New or empty folder.", metavar="DIR")],
    revision: Annotated[str | None, typer.Option("--revision", help="Branch, tag or commit on the hub.")] = None,
) -> None:
    """Turn what push wrote back into a suite folder, byte for byte, and verify it."""
    from rses.suites.sharing import pull_suite

    with progress(f"Pulling {source}") as report, quiet_stdout():
        suite = pull_suite(source, out, revision, report)
    emit(f"{suite.name} {suite.version}: {len(suite)} samples in {out} ({suite.sha256})")
