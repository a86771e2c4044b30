"""The top of every board, for the project's README and for the first page of the site."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from rses.files.escape import escape_markdown
from rses.leaderboard.board import Board, BoardRow
from rses.leaderboard.published import PublishedRow
from rses.leaderboard.tables import mask_text, row_value
from rses.pages.grid import Grid
from rses.pages.notices import TOY_BOARD, is_toy
from rses.pages.numbers import heading
from rses.report.marked import replace_marked

__all__ = ["MARKS", "SHOWN", "readme_block", "replace_block", "top_rows"]

MARKS = "leaderboard"
SHOWN = ("rses_p", "rsm", "lpips_bg", "mse_bg")
MOST = {"mask-free": 3, "mask": 2}


LEGEND = (
    "Mean \\[95 % interval\\] ± spread of seeds; ↑ higher is better, ↓ lower is better, ° defined by RSES. In bold "
    "the best and all that cannot be told from it, underlined the same of the others, among all methods that see the "
    "mask at inference and among all that do not, rows left out here included; nothing where nothing is told apart. "
    "Layer: 1 where no method of the kind is better in RSM, LPIPS\\_bg and MSE\\_bg at once, 2 without those, etc."
)
"""How to read the tables of a README."""


def top_rows(board: Board) -> list[BoardRow]:
    """Return the first rows of every section that competes; reference rows are left out.

    Args:
        board: The board, whose rows are in order.
    """
    return [row for section, most in MOST.items() for row in [r for r in board.rows if r.section == section][:most]]


def readme_block(boards: Sequence[Board], published: Sequence[PublishedRow], folder: str) -> str:
    """Return the text between the two marks of a README: the top of the first board, and where the others are.

    Args:
        boards: All boards.
        published: Published rows, which have a page of their own.
        folder: The leaderboards folder, as seen from the README.

    Example:
        >>> "No results yet" in readme_block([], [], "leaderboards")
        True
    """
    lines = []
    if not boards:
        lines += [f"No results yet; [how to add some]({folder}/README.md).", ""]
    if boards:
        lines += [LEGEND, ""]
    for board in boards[:1]:
        lines += [f"**Measured: {escape_markdown(board.title)}**", ""]
        lines += [f"**{TOY_BOARD}**", ""] if is_toy(board.protocol) else []
        lines.append(_board_table(board))
        left = len(board.rows) - len(top_rows(board))
        more = f"{left} more rows (reference rows among them), " if left else ""
        lines += ["", f"{more}ranks, groups and cards: [table]({folder}/tables/{board.key}.md), "]
        lines += [f"[page]({folder}/site/{board.key}.html).", ""]
    if len(boards) > 1:
        lines += [f"{len(boards) - 1} more: [all boards]({folder}/README.md).", ""]
    if published:
        lines += [f"Numbers that papers report of their own runs: [published]({folder}/tables/published.md).", ""]
    return "\n".join(lines)


def _board_table(board: Board) -> str:
    names = [info for info in board.metrics if info.name in SHOWN]
    rows = [
        [row.name, mask_text(row), *(row_value(row, info.name) for info in names), str(row.layer or "-"),
         f"{row.n}/{row.total}"]
        for row in top_rows(board)
    ]  # fmt: skip
    header = ["method", "mask at inference", *map(heading, names), "layer", "n/N"]
    return Grid(header, rows, "ll" + "r" * (len(header) - 2)).markdown()


def replace_block(readme: Path, boards: Sequence[Board], published: Sequence[PublishedRow], folder: Path) -> bytes:
    """Return a README with the block between its marks renewed.

    Args:
        readme: The file; it holds both marks once, in order.
        boards: All boards.
        published: Published rows.
        folder: The leaderboards folder.

    Raises:
        InputError: The file cannot be read, or a mark is missing.
    """
    link = Path(os.path.relpath(folder.resolve(), readme.resolve().parent)).as_posix()
    return replace_marked(readme, MARKS, readme_block(boards, published, quote(link))).encode()
