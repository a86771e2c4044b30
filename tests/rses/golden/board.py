"""A board from stored submissions, rendered by ``rses leaderboard build``."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.rses.golden import STORED
from tests.rses.golden.runs import command

KINDS = (".md", ".tex", ".csv")


def rendered(work: Path) -> dict[str, str]:
    """Return the text tables by file name; the page and the parquet file hold the same cells."""
    boards = work / "leaderboards"
    shutil.copytree(STORED / "leaderboards", boards)
    command("leaderboard", "build", "--boards", boards)
    paths = [boards / "README.md", *(path for path in (boards / "tables").iterdir() if path.suffix in KINDS)]
    return {path.name: path.read_text("utf-8") for path in sorted(paths)}
