"""The ``regionroute`` command and its sub-commands."""

from __future__ import annotations

import sys

from regionroute.cli import data, edit, gate, train
from rses.cli.run import new_app, run_app

__all__ = ["app", "main"]

app = new_app("regionroute", "RegionRoute: restyle one object of a picture from words alone, without a mask.")
# One line per command; its module must import nothing heavy before it runs.
app.command("edit")(edit.edit)
app.command("train")(train.train)
app.command("data")(data.data)
app.command("gate")(gate.gate)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 on success, 2 for what the user can fix, 130 after Ctrl-C.

    Example:
        >>> main(["--version"])
        regionroute 0.1.0
        0
    """
    return run_app(app, "regionroute", argv)


if __name__ == "__main__":
    sys.exit(main())
