"""Options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Format

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16, float16.")]
Engine = Annotated[str, typer.Option(help="local, or ray: --shards tasks on a Ray cluster.")]
Fresh = Annotated[bool, typer.Option("--fresh/--resume", help="Start over, or go on with what --out holds.")]
Gpus = Annotated[float, typer.Option(help="GPUs a Ray task needs.", min=0)]
Metrics = Annotated[str | None, typer.Option(help="Only these, see `rses metrics`.", metavar="A,B,C")]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="Another name for a method; may be repeated.", metavar="OLD=NEW")
]
Output = Annotated[Format, typer.Option(help="table, json, csv, markdown or latex.")]
Protocol = Annotated[str, typer.Option(help="See `rses protocols`.", metavar="ID")]
RayAddress = Annotated[str | None, typer.Option(help="Ray cluster; by default one on this machine.")]
Report = Annotated[bool, typer.Option("--report", help="Write report.html into the run folder.")]
Shards = Annotated[int, typer.Option(help="Tasks of --engine ray.", metavar="N", min=1)]
SuiteOfRuns = Annotated[str | None, typer.Option(help="Suite, if the run does not say.", metavar="NAME|DIR")]


def require_engine(name: str) -> None:
    """Refuse an engine that there is not."""
    if name not in ("local", "ray"):
        raise typer.BadParameter("choose local or ray", param_hint="--engine")


def file_or_list(text: str) -> Path | list[str]:
    """Read ``--styles``: a file, or texts with commas between.

    Example:
        >>> file_or_list("pixel art, line art"), file_or_list("styles.csv").name
        (['pixel art', 'line art'], 'styles.csv')
    """
    if Path(text).suffix or Path(text).exists():
        return Path(text)
    return [part.strip() for part in text.split(",") if part.strip()]
