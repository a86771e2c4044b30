"""Method cards: what stands behind a row, and where it does worst."""

from __future__ import annotations

import json
from typing import Any

from rses.leaderboard.board import SECTIONS, BoardRow
from rses.pages.notices import stands_in
from rses.pages.numbers import number
from rses.runs.sample_result import SampleResult
from rses.table import METRICS

__all__ = ["SOURCE", "card"]

SOURCE = "_source"
"""Folder of the source pictures, beside those of the methods."""

SPREAD_METRICS = ("rses_p", "rsm", "lpips_bg", "mse_bg")
WORST_METRICS = ("rses_p", "rsm_gain", "lpips_bg", "mse_bg")
Worst = tuple[SampleResult, str, list[tuple[str, str]]]


def card(row: BoardRow, pictures: set[str]) -> tuple[BoardRow, list[tuple[str, str]], list[Worst]]:
    """Return a row, the facts on its card, and its worst samples with numbers and pictures.

    Args:
        row: One method.
        pictures: Previews there are, ``<row key>/<id>.jpg``.
    """
    known = row.card
    facts: dict[str, Any] = {
        "What": known.get("title"), "Mask": SECTIONS[row.section],
        "Stands in for" if stands_in(known) else "Paper": known.get("paper"),
        "Year": known.get("year"), "Weights": row.weights, "Licence": known.get("licence"),
        "Settings": _settings(known.get("settings")), "Full size": known.get("full_size"),
        "Coverage": f"{row.n} of {row.total} samples", "Seeds": ", ".join(map(str, row.seeds)),
        "Spread of seeds": _spread(row), "Submitted": row.date, "rses": row.version,
    }  # fmt: skip
    shown = [(name, str(value)) for name, value in facts.items() if value not in (None, "")]
    return row, shown, [_worst(sample, row.key, pictures) for sample in row.worst]


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


def _worst(sample: SampleResult, key: str, pictures: set[str]) -> Worst:
    numbers = ", ".join(
        f"{METRICS[name].title} {number(value, METRICS[name].digits)}"
        for name in WORST_METRICS
        if (value := getattr(sample, name)) is not None
    )
    places = [("source", f"{SOURCE}/{sample.id}.jpg"), ("edit", f"{key}/{sample.id}.jpg")]
    shots = [(kind, place) for kind, place in places if place in pictures]
    return sample, numbers, shots if places[1] in shots else []
