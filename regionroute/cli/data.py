"""``regionroute data``: make training pairs from a suite."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from regionroute.cli.options import Device, Seed
from rses.cli.beforehand import require_numbers
from rses.cli.common import elapsed, emit, keeping, note, progress, quiet_stdout


def data(
    out: Annotated[Path, typer.Option(help="Folder for the pairs; a stopped run goes on.", metavar="DIR")],
    suite: Annotated[
        str, typer.Option(help="Suite to take samples from, see `rses suites`.", metavar="NAME|DIR")
    ] = "mini",
    style: Annotated[
        str | None,
        typer.Option(
            help="One style for all samples, or `all` for every sample in every expert style; by default each "
            "sample's own.",
            metavar="S",
        ),
    ] = None,
    stylist: Annotated[
        str, typer.Option(help="`classical`, or a method, see `rses methods`.", metavar="NAME|pkg.module:Class")
    ] = "classical",
    feather: Annotated[
        float, typer.Option(help="Blend over PX pixels on either side of the mask's edge; 0 cuts hard.", metavar="PX")
    ] = 0.0,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples.", metavar="N", min=1)] = None,
    seed: Seed = 0,
    vary: Annotated[
        bool, typer.Option("--vary", help="Draw each sample differently; by default a style is always drawn alike.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Make pseudo-ground truth: restyle each picture of a suite, and keep that inside the object's mask only.

    Prints the folder, which `regionroute train` and datasets.load_dataset("imagefolder", data_dir=DIR) read.
    """
    start = time.monotonic()
    require_numbers(device, "auto")
    with keeping(out), progress("Making pairs") as update, quiet_stdout():
        from regionroute.styles import style_key
        from rses.suites import load_suite

        if style not in (None, "all"):
            style_key(style)
        load_suite(suite)
        # Imports torch: only now, so that wrong names are found at once.
        from regionroute.data.builder import build_pairs

        count = build_pairs(
            suite, out, style=style, stylist=stylist, feather=feather, limit=limit, seed=seed,
            style_seed=None if vary else seed, device=device, progress=update,
        )  # fmt: skip
    emit(str(out))
    note(f"{count} pairs in {elapsed(start)}")
