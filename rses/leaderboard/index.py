"""The README of the leaderboards folder: every table, and how the embedded boards are made."""

from __future__ import annotations

from collections.abc import Sequence

from rses.files.escape import escape_markdown
from rses.leaderboard import tables
from rses.leaderboard.board import Board
from rses.leaderboard.published import PublishedRow

__all__ = ["index_markdown"]

HEAD = """# Leaderboards

Written by `rses leaderboard build` from `results/`; do not edit. The page is `site/index.html`. How to submit: \
[CONTRIBUTING.md](CONTRIBUTING.md).
"""
RECIPE = """## How the boards of the embedded methods are made

In a clone, with `make install` and `.venv/bin` on the `PATH`. Everything runs offline on a CPU, under `rses-mini`;
methods that start from noise with three seeds, the others once. An hour on two cores; a stopped run goes on:

    python -m benchmark_data.recipes.boards --out runs --submit
    rses leaderboard build --readme README.md
    git add leaderboards README.md

One row alone, which `rses leaderboard add` then takes:

    rses bench --method regionroute --set routed=true --seed 1 --suite mini --protocol rses-mini --out runs/routed-1
    rses leaderboard verify runs/routed-1

`verify` scores every edit again. The seeds of a method become one row: means of
the averages of every sample, intervals over source images, and the spread of the means from seed to seed beside them.
Each suite is a board of its own.
"""


def index_markdown(boards: Sequence[Board], published: Sequence[PublishedRow]) -> str:
    """Return the README.

    Example:
        >>> "No results yet" in index_markdown([], [])
        True
    """
    lines = [HEAD]
    if not boards:
        lines += ["No results yet.", ""]
    for board in boards:
        links = " · ".join(f"[{kind}](tables/{board.key}.{kind})" for kind in ("md", "tex", "csv", "json", "parquet"))
        lines += [f"## {escape_markdown(board.title)}", "", f"{len(board.rows)} rows: {links}", ""]
        body = tables.board_markdown(board).split("\n", 2)[2]
        lines += [line.replace("## ", "### ", 1) if line.startswith("## ") else line for line in body.split("\n")]
    return "\n".join(lines).rstrip("\n") + "\n\n" + tables.published_markdown(published) + "\n" + RECIPE
