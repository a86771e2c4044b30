"""The ``rses`` command and its sub-commands."""

from __future__ import annotations

import sys

from rses.cli import (
    bench,
    compare,
    doctor,
    figure,
    leaderboard,
    lists,
    merge,
    report,
    score,
    suite,
    table,
    validate,
    verify,
    vlm,
    weights,
)  # fmt: skip
from rses.cli.run import new_app, run_app

__all__ = ["app", "main"]

app = new_app("rses", "RSES: score regional image edits, and compare methods with uncertainty.")
app.command("score")(score.score)
app.command("bench")(bench.bench)
app.command("merge")(merge.merge)
app.command("vlm")(vlm.vlm)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("table")(table.table)
app.command("figure")(figure.figure)
app.command("verify")(verify.verify)
app.command("validate")(validate.validate)
app.command("doctor")(doctor.doctor)
app.add_typer(lists.methods, name="methods")
app.add_typer(lists.protocols, name="protocols")
app.add_typer(lists.suites, name="suites")
app.add_typer(lists.metrics, name="metrics")
app.add_typer(suite.app, name="suite")
app.add_typer(weights.app, name="weights")
app.add_typer(leaderboard.app, name="leaderboard")


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 on success, 2 for what the user can fix, 130 after Ctrl-C.

    Example:
        >>> main(["--version"])
        rses 0.1.0
        0
    """
    return run_app(app, "rses", argv)


if __name__ == "__main__":
    sys.exit(main())
