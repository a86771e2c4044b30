"""The static site: one page a board, an index, and small pictures beside them. No server, no other host."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rses.files.escape import escape_html
from rses.leaderboard.board import RANKED, SECTIONS, Board, BoardRow
from rses.leaderboard.cards import SOURCE, cards
from rses.leaderboard.published import PublishedRow, published_html
from rses.leaderboard.scatter import scatter
from rses.leaderboard.tables import NOTES, mask_text, spread_text
from rses.leaderboard.top import top_html
from rses.report.columns import Cell, heading
from rses.report.html import content_digest
from rses.table import METRICS, MetricInfo

__all__ = ["board_page", "index_page", "site_files"]

MAX_PREVIEW = 400_000
SHOT_METRICS = ("rses_p", "rsm", "rsm_gain", "lpips_bg", "mse_bg")


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
    """Yield the previews that are at hand, and the sources of the samples they show."""
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
    from rses.report.thumbs import fit
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


def index_page(boards: Sequence[Board], published: Sequence[PublishedRow]) -> str:
    """Return the page that lists the boards.

    Example:
        >>> "No results yet" in index_page([], [])
        True
    """
    listing = "".join(
        f'<article class="top"><h3><a href="{quote(board.key)}.html">{escape_html(board.title)}</a></h3>'
        f'<p class="sub">{len(board.rows)} methods, reference rows among them.</p>{top_html(board)}</article>'
        for board in boards
    )
    listing = listing or "<p>No results yet.</p>"
    body = (
        '<header><p class="eyebrow">RSES</p><h1>Leaderboards</h1><p class="lede">Regional style editing: how well the '
        "style is reached inside the region, and how well everything else is kept. One board a suite and protocol; "
        f'their numbers do not compare.</p></header><section id="results"><h2>Boards</h2>{listing}</section>'
        f"{published_html(published)}"
    )
    return _page("RSES leaderboards", body, "")


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
    data = json.dumps(_data(board, pictures, boards), separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    free = sum(row.section == "mask-free" for row in board.rows)
    body = (
        f'<header><p class="eyebrow"><a href="index.html">RSES leaderboards</a></p><h1>{escape_html(board.suite)} '
        f'<small>under {escape_html(board.protocol)}</small></h1><p class="lede">{len(board.rows)} methods, {free} of '
        f"them without a mask at inference. Suite version {escape_html(board.suite_version)}, protocol hash "
        f"<code>{escape_html(board.protocol_hash)}</code>.</p></header>"
        f'<section id="results"><h2>Table</h2>{_picker(board, boards)}{_controls(board)}{_table(board)}'
        f'<ul class="notes">{"".join(f"<li>{escape_html(note)}</li>" for note in NOTES)}</ul></section>'
        f'<section id="tradeoff"><h2>Style against preservation</h2><p class="sub">Means over all samples with 95 % '
        "intervals. The line is the Pareto front: no method is better in both. Circle: no mask at inference; square: "
        'sees the mask; triangle: reference row.</p><div class="scroll chart" tabindex="0" role="region" '
        f'aria-label="Style against preservation">{scatter(board)}</div></section>'
        f'{_gallery(board, pictures)}<section id="cards"><h2>Methods</h2>{cards(board, pictures)}</section>'
        f"{published_html(published)}"
        f'<script type="application/json" id="data">{data.replace("<", chr(92) + "u003c")}</script>'
    )
    return _page(f"{board.suite} under {board.protocol} · RSES", body, _asset("rses.leaderboard", "board.js"))


def _data(board: Board, pictures: set[str], boards: Sequence[Board]) -> dict[str, Any]:
    groups = sorted({name for row in board.rows for name in row.groups})

    def line(cells: dict[str, Cell] | None) -> list[Any]:
        if cells is None:
            return []
        return [_triple(cells[info.name]) for info in board.metrics]

    return {
        "board": board.key,
        "boards": [[f"{quote(other.key)}.html", *_names(other, boards)] for other in boards],
        "metrics": [{"name": info.name, "up": info.higher_is_better, "digits": info.digits} for info in board.metrics],
        "groups": groups,
        "rows": {row.key: [line(row.cells), *(line(row.groups.get(name)) for name in groups)] for row in board.rows},
        "names": {row.key: row.name for row in board.rows},
        "labels": [METRICS[name].title for name in SHOT_METRICS],
        "shots": {
            row.key: {
                sample.id: [_short(getattr(sample, name)) for name in SHOT_METRICS]
                for sample in row.shots
                if f"{row.key}/{sample.id}.jpg" in pictures
            }
            for row in board.rows
        },
        "styles": {sample.id: sample.style or "" for row in board.rows for sample in row.shots},
        "sources": sorted(name[len(SOURCE) + 1 : -4] for name in pictures if name.startswith(f"{SOURCE}/")),
    }


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


def _picker(board: Board, boards: Sequence[Board]) -> str:
    """Links to the other boards; the script makes two lists of them."""
    if len(boards) < 2:
        return ""
    here = _names(board, boards)
    links = "".join(
        f'<li><a href="{quote(other.key)}.html">{escape_html(other.title)}</a></li>'
        for other in boards
        if other is not board
    )
    lists = "".join(
        f'<label>{title} <select id="{name}">'
        + "".join(
            f"<option{' selected' if text == here[place] else ''}>{escape_html(text)}</option>"
            for text in sorted({_names(other, boards)[place] for other in boards})
        )
        + "</select></label>"
        for place, (name, title) in enumerate((("suite", "Suite"), ("protocol", "Protocol")))
    )
    return (
        f'<form class="controls" id="picker" hidden>{lists}</form>'
        f'<noscript><nav aria-label="Other boards"><ul class="boards">{links}</ul></nav></noscript>'
    )


def _controls(board: Board) -> str:
    groups = sorted({name for row in board.rows for name in row.groups})
    options = "".join(f'<option value="{place}">{escape_html(name)}</option>' for place, name in enumerate(groups, 1))
    return (
        '<form class="controls" id="controls" hidden><label>Samples <select id="group"><option value="0">all</option>'
        f'{options}</select></label><label>Method <input id="find" type="search" autocomplete="off"></label>'
        '<label><input id="free" type="checkbox"> mask-free only</label>'
        '<label><input id="reference" type="checkbox" checked> reference rows</label>'
        '<label><input id="intervals" type="checkbox" checked> intervals</label>'
        '<a id="permalink" href="#">Link to this view</a>'
        '<span id="shown" role="status" aria-live="polite"></span></form>'
    )


def _split(metrics: Sequence[MetricInfo]) -> tuple[list[MetricInfo], list[MetricInfo]]:
    """The columns that are seen without scrolling, and the others."""
    return [i for i in metrics if i.name in SHOT_METRICS], [i for i in metrics if i.name not in SHOT_METRICS]


def _table(board: Board) -> str:
    ranks = [METRICS[name] for name in RANKED]
    columns = [("name", "Method", "text")]
    lead, rest = _split(board.metrics)
    columns += [(info.name, heading(info), "up" if info.higher_is_better else "down") for info in lead]
    columns += [("layer", "Pareto layer", "down"), *((f"rank-{i.name}", f"rank {i.title}", "down") for i in ranks)]
    columns += [(info.name, heading(info), "up" if info.higher_is_better else "down") for info in rest]
    columns += [("coverage", "n/N", "up"), ("mask", "Mask", "text"), ("seeds", "Seeds", "up")]
    columns += [("weights", "Weights", "text"), ("version", "rses", "text"), ("date", "Date", "text")]
    head = "".join(
        f'<th scope="col"{"" if kind == "text" else " class=num"}><button type="button" data-sort="{name}" '
        f'data-kind="{kind}">{escape_html(title)}</button></th>'
        for name, title, kind in columns
    )
    head = head.replace("class=num", 'class="num"')
    rows = "".join(_table_row(row, board.metrics) for row in board.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="caption"><table class="wide" id="board">'
        f'<caption id="caption">{escape_html(board.title)}. By RSES-H, '
        "methods with a mask and reference rows apart; press a heading to sort.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _table_row(row: BoardRow, metrics: Sequence[MetricInfo]) -> str:
    marks = {"mask-free": "", "mask": ' <span class="tag">mask</span>', "reference": ' <span class="tag">ref</span>'}
    lead, rest = _split(metrics)
    cells = "".join(_table_cell(row, info) for info in lead)
    layer = "" if row.layer is None else str(row.layer)
    cells += _plain("layer", layer, layer or "–")
    for name in RANKED:
        rank = row.ranks.get(name)
        cells += _plain(f"rank-{name}", "" if rank is None else f"{rank.low}.{rank.high:04d}", str(rank or "–"))
    cells += "".join(_table_cell(row, info) for info in rest)
    cells += _plain("coverage", f"{row.n / max(1, row.total):.6f}", f"{row.n}/{row.total}")
    kind = ' class="ref"' if row.section == "reference" else ""
    return (
        f'<tr{kind} data-key="{row.key}" data-section="{row.section}"><th scope="row" data-c="name" '
        f'data-v="{escape_html(row.name)}" title="{escape_html(SECTIONS[row.section])}">'
        f'<a href="#card-{row.key}">{escape_html(row.name)}</a>{marks[row.section]}</th>{cells}'
        f"{_texts(row)}</tr>"
    )


def _texts(row: BoardRow) -> str:
    facts = {"mask": mask_text(row), "seeds": str(len(row.seeds) or 1), "weights": row.weights, "version": row.version}
    return "".join(
        f'<td data-c="{name}" data-v="{escape_html(value)}">{escape_html(value)}</td>'
        for name, value in {**facts, "date": row.date}.items()
    )


def _table_cell(row: BoardRow, info: MetricInfo) -> str:
    cell = row.cells[info.name]
    value = escape_html(cell.value)
    value = f"<strong>{value}</strong>" if info.name in row.best else value
    value = f"<u>{value}</u>" if info.name in row.second else value
    mean = ("Infinity" if cell.perfect else "") if cell.mean is None else f"{cell.mean:.9g}"
    interval = f'<span class="interval">{escape_html(cell.interval)}</span>' if cell.interval else ""
    spread = spread_text(row, info.name)
    interval += f'<span class="interval">{escape_html(spread)}</span>' if spread else ""
    return f'<td class="num" data-c="{info.name}" data-v="{mean}">{value}{interval}</td>'


def _plain(name: str, value: str, text: str) -> str:
    return f'<td class="num" data-c="{name}" data-v="{value}">{escape_html(text)}</td>'


def _gallery(board: Board, pictures: set[str]) -> str:
    shown = [row for row in board.rows if any(name.startswith(f"{row.key}/") for name in pictures)]
    if not shown:
        return (
            '<section id="gallery"><h2>Side by side</h2><p class="sub">No edits were submitted as images.</p></section>'
        )
    options = "".join(f'<option value="{row.key}">{escape_html(row.name)}</option>' for row in shown)
    source = f'<option value="{SOURCE}">source</option>' if any(n.startswith(f"{SOURCE}/") for n in pictures) else ""
    return (
        '<section id="gallery"><h2>Side by side</h2><p class="sub">Any two methods on one sample. '
        "Move the slider, also with the arrow keys.</p>"
        '<noscript><p>This part needs JavaScript.</p></noscript><div id="compare" hidden>'
        f'<p class="controls"><label>Left <select id="left">{source}{options}</select></label>'
        f'<label>Right <select id="right">{options}{source}</select></label>'
        '<label>Sample <select id="sample"></select></label>'
        '<button type="button" id="previous">Previous</button><button type="button" id="next">Next</button></p>'
        '<figure class="slider"><div class="stack"><img id="image-left" alt=""><img id="image-right" alt="">'
        '<span class="cut" aria-hidden="true"></span></div><input id="cut" type="range" min="0" max="100" value="50" '
        'aria-label="Share of the left picture in percent"><figcaption id="numbers"></figcaption>'
        "</figure></div></section>"
    )


def _page(title: str, body: str, script: str) -> str:
    style = _asset("rses.report", "report.css") + _asset("rses.leaderboard", "board.css")
    # Whatever a name smuggles in, a browser runs no script but ours and asks no other host.
    scripts = f"script-src '{content_digest(script)}'; " if script else ""
    policy = (
        f"default-src 'none'; img-src 'self' file: data:; style-src '{content_digest(style)}'; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )
    tail = f"<script>{script}</script>\n" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="generator" content="rses leaderboard build">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape_html(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#results">Skip to the results</a>\n<main>\n{body}\n</main>\n{tail}</body>\n</html>\n'
    )


def _asset(package: str, name: str) -> str:
    return resources.files(package).joinpath("assets").joinpath(name).read_text("utf-8")
