"""The top of every board, for the project's README and for the first page of the site."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from rses.files.escape import escape_html, escape_markdown
from rses.leaderboard.board import SECTIONS, Board, BoardRow
from rses.leaderboard.published import NOTE, PublishedRow
from rses.leaderboard.tables import markdown_cell, mask_text
from rses.report.columns import heading
from rses.report.marked import replace_marked
from rses.table import METRICS

__all__ = ["MARKS", "readme_block", "replace_block", "top_html", "top_rows"]

MARKS = "leaderboard"
SHOWN = ("rses_p", "rsm", "lpips_bg", "mse_bg")
PUBLISHED = ("rsm", "lpips_bg", "mse_bg")
MOST = {"mask-free": 5, "mask": 3}


LEGEND = (
    "Mean \\[95 % interval\\] ± spread of seeds; ↑ higher is better, ↓ lower is better, ° defined by RSES. In bold "
    "the best and underlined the second of all methods that see the mask at inference, and of all that do not, rows "
    "left out here included. Layer: 1 where no method of the kind is better in RSM, LPIPS\\_bg and MSE\\_bg at once, "
    "2 without those, and so on."
)
"""How to read the tables of a README."""


def top_rows(board: Board) -> list[BoardRow]:
    """Return the first rows of every section that competes; reference rows are left out.

    Args:
        board: The board, whose rows are in order.
    """
    return [row for section, most in MOST.items() for row in [r for r in board.rows if r.section == section][:most]]


def readme_block(boards: Sequence[Board], published: Sequence[PublishedRow], folder: str) -> str:
    """Return the text between the two marks of a README.

    Args:
        boards: All boards.
        published: Published rows; those of the main table are shown apart.
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
    for board in boards:
        lines += [f"**Measured: {escape_markdown(board.title)}**", "", *_board_lines(board)]
        left = len(board.rows) - len(top_rows(board))
        more = f"{left} more rows (reference rows among them), " if left else ""
        lines += ["", f"{more}ranks, groups and cards: [table]({folder}/tables/{board.key}.md), "]
        lines += [f"[page]({folder}/site/{board.key}.html).", ""]
    main = [row for row in published if row.table == "main" and any(row.numbers[name] for name in PUBLISHED)]
    if main:
        lines += [f"**Published elsewhere, not measured here.** {escape_markdown(NOTE)}", "", *_published_lines(main)]
        sources = "; ".join(dict.fromkeys(escape_markdown(row.source) for row in main))
        lines += ["", f"Source: {sources}. [All published rows]({folder}/tables/published.md).", ""]
    return "\n".join(lines)


def _board_lines(board: Board) -> list[str]:
    names = [info for info in board.metrics if info.name in SHOWN]
    header = ["method", "mask at inference", *(escape_markdown(heading(info)) for info in names), "layer", "n/N"]
    lines = ["| " + " | ".join(header) + " |", "|:---|:---|" + "---:|" * (len(header) - 2)]
    for row in top_rows(board):
        cells = [markdown_cell(row, info.name) for info in names]
        texts = [escape_markdown(row.name), mask_text(row), *cells]
        lines.append("| " + " | ".join([*texts, str(row.layer or "-"), f"{row.n}/{row.total}"]) + " |")
    return lines


def _published_lines(rows: Sequence[PublishedRow]) -> list[str]:
    header = ["method", "data", *(escape_markdown(heading(METRICS[name])) for name in PUBLISHED)]
    lines = ["| " + " | ".join(header) + " |", "|:---|:---|" + "---:|" * len(PUBLISHED)]
    for row in rows:
        texts = [row.method, row.dataset, *(row.numbers[name] or "-" for name in PUBLISHED)]
        lines.append("| " + " | ".join(map(escape_markdown, texts)) + " |")
    return lines


def top_html(board: Board) -> str:
    """Return the same rows as a table of the site."""
    names = [info for info in board.metrics if info.name in SHOWN]
    head = "".join(f'<th scope="col" class="num">{escape_html(heading(info))}</th>' for info in names)
    body = "".join(_html_row(board, row, [info.name for info in names]) for row in top_rows(board))
    if not body:
        return '<p class="sub">Reference rows only.</p>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Top of {escape_html(board.title)}">'
        f'<table class="wide"><thead><tr><th scope="col">Method</th>{head}<th scope="col" class="num">n/N</th></tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _html_row(board: Board, row: BoardRow, names: Sequence[str]) -> str:
    spans = [f'<span class="interval">{escape_html(row.cells[name].interval)}</span>' for name in names]
    cells = "".join(f'<td class="num">{_marked(row, name)}{span}</td>' for name, span in zip(names, spans, strict=True))
    tag = ' <span class="tag">mask</span>' if row.section == "mask" else ""
    return (
        f'<tr><th scope="row" title="{escape_html(SECTIONS[row.section])}">'
        f'<a href="{quote(board.key)}.html#card-{row.key}">{escape_html(row.name)}</a>{tag}</th>{cells}'
        f'<td class="num">{row.n}/{row.total}</td></tr>'
    )


def _marked(row: BoardRow, name: str) -> str:
    value = escape_html(row.cells[name].value)
    return f"<strong>{value}</strong>" if name in row.best else f"<u>{value}</u>" if name in row.second else value


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
