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
    suites,
    table,
    validate,
    verify,
    vlm,
    weights,
)  # fmt: skip
from rses.cli.help import command
from rses.cli.run import new_app, run_app

app = new_app(
    "rses", "RSES: score regional image edits, and compare methods with uncertainty.",
    "rses bench --method oracle-paste --protocol rses-mini",
    'rses score --pred edits/ --masks masks/ --source images/ --style "pixel art" --protocol rses-mini',
    "rses compare runs/mini/oracle-paste runs/mini/identity",
)  # fmt: skip
SCORE, LISTS, OTHER = "Score and compare", "What there is", "Weights and leaderboards"
for _name, _run, *_examples in (
    ("score", score.score, "rses score --pred edits/ --suite mini --protocol rses-mini --out run/ --report",
     "rses score --pred ours=edits/ --pred theirs=other/ --suite suite/ --out runs/",
     'rses score --pred edits/ --masks masks/ --source images/ --style "pixel art"'),
    ("bench", bench.bench, "rses bench --method identity --protocol rses-mini",
     "rses bench --method my_method.py:MyMethod --suite photos --set steps=20 --out run/",
     "rses bench --method flux-kontext --shard 2/8"),
    ("merge", merge.merge, "rses merge runs/mini/identity/shards/* --out run/"),
    ("compare", compare.compare, "rses compare baseline/ ours/ --metrics rses_p,mse_bg --page compare.html"),
    ("report", report.report, "rses report run/", "rses report ours/ theirs/ --out report.html"),
    ("table", table.table, "rses table ours/ theirs/ --out table.tex"),
    ("figure", figure.figure, "rses figure ours/ theirs/ --best 2 --worst 2 --out figure.pdf"),
    ("verify", verify.verify, "rses verify run/ --rescore 8"),
    ("vlm", vlm.vlm, "rses vlm run/ --model Qwen/Qwen2.5-VL-7B-Instruct"),
):  # fmt: skip
    command(app, _name, _run, *_examples, part=SCORE)
for _name, _app, _part in (
    ("methods", lists.methods, LISTS), ("protocols", lists.protocols, LISTS), ("metrics", lists.metrics, LISTS),
    ("suites", suites.app, LISTS), ("weights", weights.app, OTHER), ("leaderboard", leaderboard.app, OTHER),
):  # fmt: skip
    app.add_typer(_app, name=_name, rich_help_panel=_part)
command(app, "validate", validate.validate, "rses validate --protocol rses-mini --out validity/", part=SCORE)
command(app, "doctor", doctor.doctor, "rses doctor --protocol rses-v1", part=LISTS)
# What design and scripts from before the first release call it.
app.add_typer(suites.app, name="suite", hidden=True)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Example:
        >>> main(["--version"])
        rses 0.1.0
        0
    """
    return run_app(app, "rses", argv)


if __name__ == "__main__":
    sys.exit(main())
