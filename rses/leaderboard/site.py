"""The static site: one page per board, an index, and small pictures beside them. No server, no other host."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rses.leaderboard.board import RANKED, SECTIONS, Board, BoardRow
from rses.leaderboard.cards import SOURCE, card
from rses.leaderboard.published import NOTE, NUMBERS, PublishedRow
from rses.leaderboard.scatter import Scatter, scatter
from rses.leaderboard.tables import board_notes, floor_note, mask_text, spread_text
from rses.leaderboard.top import SHOWN, top_rows
from rses.pages.charts import Axis
from rses.pages.html import render_page
from rses.pages.numbers import heading
from rses.protocol import PROTOCOLS
from rses.report.columns import Cell
from rses.runs.summary import mask_size_bin
from rses.table import METRICS, MetricInfo

__all__ = ["board_page", "index_page", "site_files"]

MAX_PREVIEW = 400_000
SHOT_METRICS = ("rses_p", "rsm_gain", "rsm", "lpips_bg", "mse_bg")
REGION = "_region"
"""Folder of the edges of regions, beside the source pictures."""


def site_files(boards: Sequence[Board], published: Sequence[PublishedRow]) -> dict[str, bytes]:
    """Render the site.

    Returns:
        Content by path: ``index.html``, ``<board>.html`` and ``previews/``.
    """
    files: dict[str, bytes] = {"index.html": index_page(boards, published).encode()}
    for board in boards:
        pictures = dict(_pictures(board))
        files.update({f"previews/{board.key}/{name}": content for name, content in pictures.items()})
        files[f"{board.key}.html"] = board_page(board, set(pictures), published, boards).encode()
    return files


def _pictures(board: Board) -> Iterator[tuple[str, bytes]]:
    """Yield the previews that are at hand, and sources and edges of the regions of the samples they show."""
    ids: set[str] = set()
    for row in board.rows:
        for sample in row.shots:
            for folder in row.folders:
                path = folder / "previews" / f"{sample.id}.jpg"
                content = path.read_bytes() if _is_small_file(path) else b""
                # Nothing but a picture may be served under our name.
                if content.startswith(b"\xff\xd8\xff"):
                    ids.add(sample.id)
                    yield f"{row.key}/{sample.id}.jpg", content
                    break
    yield from _sources(board, ids)


def _is_small_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_PREVIEW


def _sources(board: Board, ids: set[str]) -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    from rses.images.decode import read_image
    from rses.images.masks import read_mask
    from rses.report.thumbs import fit, outline_png
    from rses.suites import list_suites, load_suite

    # A submission names the suite: nothing but an embedded one is looked for.
    if not ids or board.suite not in list_suites():
        return
    suite = load_suite(board.suite)
    if suite.sha256 != board.suite_sha256:
        return
    for sample in suite.samples:
        if sample.id in ids:
            stream = io.BytesIO()
            Image.fromarray(fit(read_image(sample.image))).save(stream, "JPEG", quality=82, subsampling=0)
            yield f"{SOURCE}/{sample.id}.jpg", stream.getvalue()
            yield f"{REGION}/{sample.id}.png", outline_png(read_mask(sample.mask))


def index_page(boards: Sequence[Board], published: Sequence[PublishedRow]) -> str:
    """Return the page that lists the boards.

    Example:
        >>> "No results yet" in index_page([], [])
        True
    """
    shown = [([info for info in board.metrics if info.name in SHOWN], top_rows(board)) for board in boards]
    return render_page(
        "index.html",
        title="RSES leaderboards",
        boards=[(board, *rest) for board, rest in zip(boards, shown, strict=True)],
        sections=SECTIONS,
        published=_published(published),
        newest=_newest(boards),
    )


def _newest(boards: Sequence[Board]) -> str:
    return max((row.date for board in boards for row in board.rows), default="")


def _published(rows: Sequence[PublishedRow]) -> dict[str, Any]:
    titles = [METRICS[name].title if name in METRICS else name.replace("_", " ") for name in NUMBERS]
    sources = list(dict.fromkeys(row.source for row in rows))
    return {"rows": rows, "note": NOTE, "titles": ["Method", "Data", "Table", *titles], "sources": sources}


def board_page(
    board: Board, pictures: set[str], published: Sequence[PublishedRow], boards: Sequence[Board] = ()
) -> str:
    """Return the page of one board.

    Args:
        board: The board.
        pictures: Previews there are, ``<row key>/<id>.jpg``.
        published: Rows of the block of published numbers.
        boards: All boards of the site, to go from one to another.
    """
    columns, plot = _columns(board), scatter(board)
    folders = [folder for row in board.rows for folder in row.folders]
    return render_page(
        "board.html",
        title=f"{board.suite} under {board.protocol} · RSES",
        board=board,
        boards=boards,
        lists=_lists(board, boards),
        groups=_groups(board),
        columns=[("name", "Method", "text", "", True), *(column.head for column in columns)],
        rows=[(row, [column.cell(row) for column in columns]) for row in board.rows],
        sections=SECTIONS,
        floor=floor_note(board),
        notes=board_notes(board),
        plot=plot,
        shown=[row for row in board.rows if any(name.startswith(f"{row.key}/") for name in pictures)],
        source=SOURCE if any(name.startswith(f"{SOURCE}/") for name in pictures) else "",
        cards=[card(row, pictures) for row in board.rows],
        published=_published(published),
        knobs=_knobs(board),
        submissions=len(folders),
        newest=_newest([board]),
        data=_data(board, pictures, boards, plot),
    )


def _knobs(board: Board) -> list[tuple[str, Any]]:
    """Return the settings of the protocol, where it is the one that is known by its name."""
    known = PROTOCOLS.get(board.protocol)
    return list(known.knobs.items()) if known is not None and known.hash == board.protocol_hash else []


def _groups(board: Board) -> list[str]:
    return sorted({name for row in board.rows for name in row.groups})


def _data(board: Board, pictures: set[str], boards: Sequence[Board], plot: Scatter | None) -> dict[str, Any]:
    groups = _groups(board)

    def line(cells: dict[str, Cell] | None) -> list[Any]:
        if cells is None:
            return []
        return [_triple(cells[info.name]) for info in board.metrics]

    return {
        "board": board.key,
        "boards": [[f"{quote(other.key)}.html", *_names(other, boards)] for other in boards],
        "metrics": [
            {"name": info.name, "title": info.title, "up": info.higher_is_better, "digits": info.digits}
            for info in board.metrics
        ],
        "chart": plot and {"across": plot.across, "up": plot.up, "x": _span(plot.x), "y": _span(plot.y)},
        "groups": groups,
        "rows": {row.key: [line(row.cells), *(line(row.groups.get(name)) for name in groups)] for row in board.rows},
        "names": {row.key: row.name for row in board.rows},
        "labels": [[METRICS[name].title, METRICS[name].digits] for name in SHOT_METRICS],
        "shots": {
            row.key: {
                sample.id: [_short(getattr(sample, name)) for name in SHOT_METRICS]
                for sample in row.shots
                if f"{row.key}/{sample.id}.jpg" in pictures
            }
            for row in board.rows
        },
        "samples": {
            sample.id: [sample.style or "", sample.object or "", mask_size_bin(sample.mask_fraction), sample.tags]
            for row in board.rows
            for sample in row.shots
        },
        "worst": {row.key: [sample.id for sample in row.worst] for row in board.rows},
        "sources": sorted(name[len(SOURCE) + 1 : -4] for name in pictures if name.startswith(f"{SOURCE}/")),
    }


def _span(axis: Axis) -> list[float]:
    return [axis.low, axis.high, axis.start, axis.end]


def _triple(cell: Cell) -> list[float | None] | None:
    """Return mean and interval, and fourth the number of perfect samples where there are any."""
    if cell.mean is None and not cell.perfect:
        return None
    numbers = [_short(cell.mean), _short(cell.low), _short(cell.high)]
    return [*numbers, float(cell.perfect)] if cell.perfect else numbers


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _names(board: Board, boards: Sequence[Board]) -> tuple[str, str]:
    """Suite and protocol as the page names them; with key where two boards would read alike."""
    names = (f"{board.suite} {board.suite_version}", board.protocol)
    alike = [
        b for b in boards if (b.suite, b.suite_version, b.protocol) == (board.suite, board.suite_version, names[1])
    ]
    return (names[0], f"{names[1]} ({board.key})") if len(alike) > 1 else names


def _lists(board: Board, boards: Sequence[Board]) -> list[tuple[str, str, list[str], str]]:
    """Id, title, options and choice of the two lists that lead to the other boards."""
    known, here = [_names(other, boards) for other in boards], _names(board, boards)
    ids = (("suite", "Suite"), ("protocol", "Protocol"))
    return [
        (name, title, sorted({names[place] for names in known}), here[place]) for place, (name, title) in enumerate(ids)
    ]


@dataclass(frozen=True)
class _Shown:
    """One cell: what it is sorted by (empty goes last), and what it shows."""

    name: str
    kind: str
    key: str
    lead: bool
    text: str
    small: tuple[str, ...] = ()
    place: int | None = None


@dataclass(frozen=True)
class _Column:
    """A column; ``kind`` says whether it is text, or which direction a first press sorts."""

    name: str
    title: str
    kind: str
    hint: str
    show: Callable[[BoardRow], tuple[Any, ...]]
    lead: bool = False

    @property
    def head(self) -> tuple[str, str, str, str, bool]:
        return self.name, self.title, self.kind, self.hint, self.lead

    def cell(self, row: BoardRow) -> _Shown:
        key, text, *rest = self.show(row)
        return _Shown(self.name, self.kind, key, self.lead, text, *rest)


def _columns(board: Board) -> list[_Column]:
    """All but the name; first those that are seen without scrolling."""
    lead = [_metric_column(METRICS[name], True) for name in SHOT_METRICS if METRICS[name] in board.metrics]
    rest = [_metric_column(info, False) for info in board.metrics if info.name not in SHOT_METRICS]
    layer = "1 where no method of the section is better in RSM, LPIPS_bg and MSE_bg at once, 2 without those, etc."
    return [
        *lead,
        _Column("layer", "Pareto layer", "down", layer, lambda row: (row.layer or "", row.layer or "–"), True),
        *map(_rank_column, RANKED),
        _Column(
            "coverage", "n/N", "up", "Scored samples of all of the suite",
            lambda row: (f"{row.n / max(1, row.total):.6f}", f"{row.n}/{row.total}"), True,
        ),
        *rest,
        _Column("mask", "Mask", "text", "Whether the method sees the mask", lambda row: (mask_text(row),) * 2),
        _Column("seeds", "Seeds", "up", "Runs that are averaged", lambda row: (len(row.seeds) or 1,) * 2),
        _Column("weights", "Weights", "text", "", lambda row: (row.weights,) * 2),
        _Column("version", "rses", "text", "Version that scored", lambda row: (row.version,) * 2),
        _Column("date", "Date", "text", "Of the latest submission", lambda row: (row.date,) * 2),
    ]  # fmt: skip


def _metric_column(info: MetricInfo, lead: bool) -> _Column:
    def show(row: BoardRow) -> tuple[Any, ...]:
        cell = row.cells[info.name]
        return cell.key, cell.value, (cell.interval, spread_text(row, info.name)), row.place(info.name)

    kind = "up" if info.higher_is_better else "down"
    return _Column(info.name, heading(info), kind, info.description, show, lead)


def _rank_column(name: str) -> _Column:
    def show(row: BoardRow) -> tuple[Any, ...]:
        rank = row.ranks.get(name)
        return ("", "–") if rank is None else (f"{rank.low}.{rank.high:04d}", str(rank))

    hint = "Ranks among the methods of the section that the data do not rule out"
    return _Column(f"rank-{name}", f"rank {METRICS[name].title}", "down", hint, show, True)
