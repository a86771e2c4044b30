"""Boards as Markdown, LaTeX, CSV, parquet and JSON. The same board always gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rses.files.escape import clean, escape_latex, escape_markdown
from rses.images.nuisances import FLOOR
from rses.leaderboard.board import RANKED, SECTIONS, Board, BoardRow
from rses.leaderboard.published import NOTE, NUMBERS, PublishedRow
from rses.pages.grid import BOOKTABS, Grid, Value
from rses.pages.notices import TOY_BOARD, TOY_ENCODER, is_toy, toy_note
from rses.pages.numbers import heading, number
from rses.report.columns import Cell
from rses.table import METRICS

__all__ = [
    "board_csv", "board_json", "board_latex", "board_markdown", "board_notes", "board_parquet", "floor_note",
    "latex_text", "mask_text", "published_latex", "published_markdown", "row_value", "spread_text",
]  # fmt: skip

NOTES = (
    "Mean with 95 % bootstrap interval (BCa over source images; Wilson for shares of 0 and 1; none from fewer than six "
    "source images); ↑ higher is better, ↓ lower is better, →0 closest to 0 is best. ° beyond the RegionRoute paper, "
    "defined by RSES. Several seeds of a method are averaged sample by sample; ± is the standard deviation of the mean "
    "from seed to seed, which the interval does not hold.",
    "In bold the best of a section and all that cannot be told from it, underlined the best of the others and all that "
    "cannot be told from that; nothing is marked where nothing can be told apart. Reference rows are the scale: what "
    "they reach without any style, through JPEG, blur, noise or other colours, is its floor.",
    "Ranks and marks: paired Wilcoxon tests between all methods of a section, Holm-corrected at 5 %; an interval holds "
    "every rank that the data do not rule out. Layer 1 is the Pareto front over RSM, LPIPS_bg and MSE_bg of the "
    "section.",
)
BESIDES = (
    "mask",
    "layer",
    *(f"rank {METRICS[name].title}" for name in RANKED),
    "n/N",
    "seeds",
    "weights",
    "date",
    "rses",
)
SCHEMA = 1
# What pdfLaTeX sets in its default encoding: letters up to U+017F without those it lacks.
LATEX_LETTERS = frozenset(map(chr, range(0x20, 0x180))) - frozenset("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ") | frozenset(
    "↑↓→°†–±"
)
LATEX_NEEDS = (
    f"{BOOKTABS}; too wide for a column: \\resizebox{{\\linewidth}}{{!}}{{...}} with graphicx, or fewer columns"
)


def board_notes(board: Board) -> list[str]:
    """Return what a reader of the table must know, the most important first."""
    return [*([TOY_ENCODER] if is_toy(board.protocol) else []), *NOTES]


def floor_note(board: Board) -> str:
    """Return what the nuisance rows of a board reach, and what that means; empty without such rows."""
    if board.floor is None:
        return ""
    name, height = board.floor
    return (
        f"Floor: {number(height, METRICS['rses_p'].digits)}, the largest |RSES-P| of pictures that were not restyled "
        f"at all ({name}); smaller differences may be no style. {FLOOR} is asked: "
        f"{'kept' if height <= FLOOR else 'missed by this encoder'}."
    )


def _beside(row: BoardRow) -> tuple[str, ...]:
    ranks = [str(row.ranks[name]) if name in row.ranks else "-" for name in RANKED]
    seeds = ", ".join(map(str, row.seeds)) or "-"
    layer = "-" if row.layer is None else str(row.layer)
    return (mask_text(row), layer, *ranks, f"{row.n}/{row.total}", seeds, row.weights, row.date, row.version or "-")


def mask_text(row: BoardRow) -> str:
    """Whether the method sees the mask at inference: yes, no, or unknown where its card does not say."""
    return "unknown" if "mask_used" not in row.card else "yes" if row.card["mask_used"] else "no"


def _sections(board: Board) -> Iterator[tuple[str, list[BoardRow]]]:
    for key, title in SECTIONS.items():
        rows = [row for row in board.rows if row.section == key]
        if rows:
            yield title, rows


def board_markdown(board: Board) -> str:
    """Return one table per section."""
    header = ["method", *map(heading, board.metrics), *BESIDES]
    lines = [f"# {escape_markdown(board.title)}", ""]
    lines += [f"**{TOY_BOARD}**", ""] if is_toy(board.protocol) else []
    lines += [f"**{escape_markdown(note)}**", ""] if (note := floor_note(board)) else []
    for title, rows in _sections(board):
        cells = [[row.name, *(row_value(row, info.name) for info in board.metrics), *_beside(row)] for row in rows]
        lines += [f"## {escape_markdown(title.capitalize())}", "", Grid(header, cells).markdown(), ""]
    lines += [f"{escape_markdown(note)}  " for note in board_notes(board)]
    return "\n".join(lines) + "\n"


def row_value(row: BoardRow, name: str) -> Value:
    """Return value, interval and spread over seeds, with the place of the method."""
    cell = row.cells[name]
    return Value(cell.value, f"{cell.interval} {spread_text(row, name)}".rstrip(), row.place(name))


def spread_text(row: BoardRow, name: str) -> str:
    """Return "± 0.0012", the standard deviation of the mean over seeds; empty where one seed was run."""
    return f"± {number(row.spread[name], row.cells[name].digits)}" if name in row.spread else ""


def latex_text(text: object) -> str:
    r"""Escape for LaTeX; letters that a plain pdfLaTeX cannot set become question marks.

    Example:
        >>> latex_text("50% é \u4e2d")
        '50\\% é ?'
    """
    plain = "".join(char if char in LATEX_LETTERS else "?" for char in clean(text))
    return escape_latex(plain)


def board_latex(board: Board, intervals: bool = False) -> str:
    """Return a booktabs table; best bold, second underlined.

    Args:
        board: The board.
        intervals: Add the 95 % intervals in small print.
    """
    rows: list[Any] = []
    for title, members in _sections(board):
        cells = [[r.name, *(row_value(r, info.name) for info in board.metrics), *_latex_beside(r)] for r in members]
        rows += [title, *cells]
    grid = Grid(["method", *map(heading, board.metrics), "mask", "layer", "ranks", "n/N"], rows)
    needs = f"{LATEX_NEEDS}\nranks by {', '.join(METRICS[name].title for name in RANKED)}"
    return grid.latex(
        board.title, board_notes(board), needs=needs, small="below" if intervals else "none", text=latex_text,
        caution=toy_note(board.protocol),
    )  # fmt: skip


def _latex_beside(row: BoardRow) -> list[str]:
    # A dash of its own length.
    ranks = " / ".join(str(row.ranks[name]).replace("-", "–") if name in row.ranks else "–" for name in RANKED)
    layer = "–" if row.layer is None else str(row.layer)
    return [mask_text(row), layer, ranks if row.ranks else "–", f"{row.n}/{row.total}"]


def _flat(board: Board) -> tuple[list[str], list[list[Any]]]:
    header = [
        "method", "section", "mask_at_inference", "suite", "suite_version", "suite_sha256", "protocol", "protocol_hash",
        "n", "N", "seeds", "weights", "date", "rses_version", "pareto_layer",
    ]  # fmt: skip
    header += [f"{METRICS[name].aggregate}_rank_{end}" for name in RANKED for end in ("low", "high")]
    for info in board.metrics:
        header += [info.aggregate, *(f"{info.aggregate}_{key}" for key in ("low", "high", "n", "perfect", "seed_sd"))]
    rows = []
    for row in board.rows:
        line: list[Any] = [
            row.name, row.section, mask_text(row), board.suite, board.suite_version, board.suite_sha256, board.protocol,
            board.protocol_hash, row.n, row.total, " ".join(map(str, row.seeds)), row.weights, row.date, row.version,
            row.layer,
        ]  # fmt: skip
        for name in RANKED:
            rank = row.ranks.get(name)
            line += [None, None] if rank is None else [rank.low, rank.high]
        for info in board.metrics:
            cell = row.cells[info.name]
            line += [cell.mean, cell.low, cell.high, cell.n, cell.perfect, row.spread.get(info.name)]
        rows.append(line)
    return header, rows


def board_csv(board: Board) -> str:
    """Return one row per method, full precision, guarded against formulas."""
    return Grid(*_flat(board)).csv()


def board_parquet(board: Board) -> bytes:
    """Return the columns of :func:`board_csv`, typed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    header, rows = _flat(board)
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    whole = ("n", "N", "pareto_layer")
    arrays = []
    for name, values in zip(header, columns, strict=True):
        is_whole = name in whole or "_rank_" in name or name.endswith(("_n", "_perfect"))
        kind = pa.int64() if is_whole else pa.string() if any(isinstance(v, str) for v in values) else pa.float64()
        arrays.append(pa.array(values, kind))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=header), sink)
    return bytes(sink.getvalue().to_pybytes())


def board_json(board: Board) -> str:
    """Return everything a board knows, groups and cards included."""
    content = {
        "schema": SCHEMA,
        "board": board.key,
        "suite": {"name": board.suite, "version": board.suite_version, "sha256": board.suite_sha256},
        "protocol": {"id": board.protocol, "hash": board.protocol_hash},
        "floor": None if board.floor is None else {"method": board.floor[0], "rses_p": board.floor[1]},
        "metrics": [info.aggregate for info in board.metrics],
        "methods": [_json_row(row, board) for row in board.rows],
    }
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _json_row(row: BoardRow, board: Board) -> dict[str, Any]:
    def record(cells: dict[str, Cell]) -> dict[str, Any]:
        return {
            info.aggregate: {"mean": c.mean, "low": c.low, "high": c.high, "n": c.n, "perfect": c.perfect}
            for info in board.metrics
            if (c := cells[info.name]).n or c.perfect
        }

    return {
        "method": row.name, "section": row.section, "mask_at_inference": mask_text(row), "n": row.n,
        "N": row.total, "seeds": list(row.seeds),
        "weights": row.weights, "date": row.date, "rses_version": row.version, "pareto_layer": row.layer,
        "ranks": {METRICS[name].aggregate: [rank.low, rank.high] for name, rank in row.ranks.items()},
        "seed_sd": {info.aggregate: row.spread[info.name] for info in board.metrics if info.name in row.spread},
        "card": row.card, "metrics": record(row.cells),
        "groups": {name: record(cells) for name, cells in row.groups.items()},
    }  # fmt: skip


PUBLISHED_HEADER = (
    "table", "data", "method", "RSM ↑", "LPIPS_bg ↓", "MSE_bg ↓", "VLM q1", "VLM q2", "VLM q3", "VLM q4",
)  # fmt: skip
PUBLISHED_ALIGN = "lllrrrrrrr"


def _published_lines(rows: Sequence[PublishedRow]) -> list[list[str]]:
    return [[row.table, row.dataset, row.method, *(row.numbers[name] or "-" for name in NUMBERS)] for row in rows]


def published_markdown(rows: Sequence[PublishedRow]) -> str:
    """Return the block of published numbers."""
    lines = [[*line, row.source] for line, row in zip(_published_lines(rows), rows, strict=True)]
    table = Grid([*PUBLISHED_HEADER, "source"], lines, PUBLISHED_ALIGN + "l").markdown()
    return f"## Published numbers, not measured here\n\n{escape_markdown(NOTE)}\n\n{table}\n"


def published_latex(rows: Sequence[PublishedRow]) -> str:
    """Return the block of published numbers as a booktabs table; sources are comments."""
    grid = Grid(PUBLISHED_HEADER, _published_lines(rows), PUBLISHED_ALIGN)
    return grid.latex(NOTE, needs=LATEX_NEEDS, text=latex_text, comments=[row.source for row in rows])
