"""``regionroute train``: train one expert."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from rses.cli.common import Interrupted, elapsed, emit, note, progress, quiet_stdout


def train(
    config: Annotated[
        str,
        typer.Option(help="Configuration (TOML), or the name of one that comes along: mini, finder, paper, official.",
                     metavar="FILE|NAME")
    ],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change a key, e.g. optimiser.steps=9.", metavar="TABLE.KEY=VALUE")
    ] = None,
    pairs: Annotated[str | None, typer.Option(help="Training pairs; data.pairs.", metavar="DIR|FILE")] = None,
    style: Annotated[str | None, typer.Option(help="Style to train, or finder; data.style.", metavar="S")] = None,
    out: Annotated[str | None, typer.Option(help="Run folder; run.out.", metavar="DIR")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again, whatever the run folder holds.")] = False,
) -> None:  # fmt: skip
    """Train the expert of one style, or the finder; a stopped run goes on from its newest checkpoint.

    Prints the expert's file. For several processes: accelerate launch -m regionroute.cli.main train ...
    """
    start = time.monotonic()
    options = {"data.pairs": pairs, "data.style": style, "run.out": out}
    texts = {key: value for key, value in options.items() if value is not None}
    with quiet_stdout():
        from regionroute.training.config import find_config, load_config, require_data

        settings = load_config(find_config(config), changes or [], texts)
        require_data(settings)
        # Imports torch: only now, as a wrong key is found at once.
        from regionroute.training.trainer import train as run

        folder = Path(settings.run.out)
        try:
            with progress(f"Training {settings.data.style}") as update:
                path = run(settings, fresh=fresh, progress=lambda done, total, _: update(done, total))
        except KeyboardInterrupt as error:
            raise Interrupted(folder if (folder / "checkpoints").is_dir() else None) from error
    if os.environ.get("RANK", "0") != "0":
        return  # The first of several processes answers for all.
    emit(str(path))
    note(f"{settings.optimiser.steps} steps in {elapsed(start)}")
