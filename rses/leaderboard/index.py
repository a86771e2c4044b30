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

From the root of a clone, with `make install` and `.venv/bin` on the `PATH`. Everything runs offline on a CPU, under
`rses-mini`; methods that start from noise with three seeds, the others once:

    once="identity global-style oracle-paste background-only prompt-to-prompt jpeg-identity resize-identity
      brighter-identity contrast-identity hue-identity blur-identity noise-identity"
    seeded="regionroute flux-kontext kontext-inpaint global-then-paste segment-then-paste
      instruct-pix2pix sdedit sd2-inpainting"
    bench() {  # SUITE METHOD SEED
      options=""; if [ "$2" = segment-then-paste ]; then options="--set segmenter=classical"; fi
      rses bench --method "$2" --seed "$3" --suite "$1" --protocol rses-mini --out "runs/$1/$2-$3" $options
    }
    for suite in mini photos; do
      for method in $once; do bench $suite $method 0; done
      for method in $seeded; do for seed in 0 1 2; do bench $suite $method $seed; done; done
    done
    for run in runs/mini/* runs/photos/*; do
      rses leaderboard verify "$run" && rses leaderboard add "$run" --replace
    done
    rses leaderboard build --readme README.md
    git add leaderboards README.md

`verify` scores every edit again. A stopped `bench` goes on where it was. The seeds of a method become one row: means of
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
