"""Method cards: what stands behind a row, and where it does worst."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from rses.files.escape import clean, escape_html
from rses.leaderboard.board import SECTIONS, Board, BoardRow
from rses.report.columns import number
from rses.runs.sample_result import SampleResult
from rses.table import METRICS

__all__ = ["SOURCE", "cards"]

SOURCE = "_source"
"""Folder of the source pictures, beside those of the methods."""

SPREAD_METRICS = ("rses_p", "rsm", "lpips_bg", "mse_bg")
WORST_METRICS = ("rses_p", "rsm_gain", "lpips_bg", "mse_bg")


def cards(board: Board, pictures: set[str]) -> str:
    """Return the cards of all methods of a board, folded up.

    Args:
        board: The board.
        pictures: Previews there are, ``<row key>/<id>.jpg``.
    """
    return "".join(_card(row, board, pictures) for row in board.rows)


def _card(row: BoardRow, board: Board, pictures: set[str]) -> str:
    card = row.card
    facts: dict[str, Any] = {
        "What": card.get("title"), "Mask": SECTIONS[row.section], "Paper": card.get("paper"), "Year": card.get("year"),
        "Weights": row.weights, "Licence": card.get("licence"), "Settings": _settings(card.get("settings")),
        "Full size": card.get("full_size"), "Coverage": f"{row.n} of {row.total} samples",
        "Seeds": ", ".join(map(str, row.seeds)), "Spread of seeds": _spread(row), "Submitted": row.date,
        "rses": row.version,
    }  # fmt: skip
    lines = "".join(
        f"<div><dt>{name}</dt><dd>{_value(value)}</dd></div>"
        for name, value in facts.items()
        if value not in (None, "")
    )
    worst = "".join(_worst(sample, row, board.key, pictures) for sample in row.worst)
    return (
        f'<details class="card" id="card-{row.key}"><summary>{escape_html(row.name)}</summary>'
        f'<dl class="facts">{lines}</dl><h3>Worst samples</h3><ol class="worst">{worst}</ol></details>'
    )


def _settings(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return ""
    return ", ".join(f"{key} {json.dumps(item, ensure_ascii=False)}" for key, item in sorted(value.items()))[:500]


def _spread(row: BoardRow) -> str:
    texts = [
        f"{METRICS[name].title} ± {number(row.spread[name], METRICS[name].digits)}"
        for name in SPREAD_METRICS
        if name in row.spread
    ]
    return ", ".join(texts) + " (standard deviation of the mean)" if texts else ""


def _value(value: Any) -> str:
    text = clean(value)
    # Only the two schemes that open a page; anything else stays text.
    if text.startswith(("https://", "http://")) and " " not in text:
        return f'<a href="{escape_html(text)}" rel="nofollow noopener noreferrer">{escape_html(text)}</a>'
    return escape_html(text)


def _worst(sample: SampleResult, row: BoardRow, board: str, pictures: set[str]) -> str:
    numbers = ", ".join(
        f"{METRICS[name].title} {number(value, METRICS[name].digits)}"
        for name in WORST_METRICS
        if (value := getattr(sample, name)) is not None
    )
    name, shots = escape_html(sample.id), ""
    if f"{row.key}/{sample.id}.jpg" in pictures:
        name = f'<a href="#right={row.key}&amp;sample={escape_html(quote(sample.id))}">{name}</a>'
        places = [p for p in (f"{SOURCE}/{sample.id}.jpg", f"{row.key}/{sample.id}.jpg") if p in pictures]
        shots = "".join(
            f'<img loading="lazy" width="96" height="96" src="previews/{quote(board)}/{escape_html(quote(place))}" '
            f'alt="{"source" if place.startswith(SOURCE) else "edit"} of {escape_html(sample.id)}">'
            for place in places
        )
    style = f" ({escape_html(sample.style)})" if sample.style else ""
    return f'<li>{name}{style}: {escape_html(numbers)}<span class="shots">{shots}</span></li>'
