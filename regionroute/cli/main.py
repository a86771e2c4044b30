"""The ``regionroute`` command and its sub-commands."""

from __future__ import annotations

import sys

from regionroute.cli import data, edit, gate, train
from rses.cli.help import command
from rses.cli.run import new_app, run_app

EDIT = 'regionroute edit --image scene.png --prompt "make the cat in pixel art style, keep other area unchanged"'
app = new_app("regionroute", "RegionRoute: restyle one object of a picture from words alone, without a mask.", EDIT)
# Modules of commands import nothing heavy before they run.
command(app, "edit", edit.edit, EDIT, f"{EDIT} --routed --mask mask.png")
command(app, "train", train.train, "regionroute train --config mini --pairs pairs/ --style 'line art' --out run/")
command(app, "data", data.data, "regionroute data --suite suite/ --style all --out pairs/")
command(app, "gate", gate.gate, "regionroute gate --experts experts/ --pairs held-out/")


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Example:
        >>> main(["--version"])
        regionroute 0.1.0
        0
    """
    return run_app(app, "regionroute", argv)


if __name__ == "__main__":
    sys.exit(main())
