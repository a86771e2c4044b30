"""What a method card may say: one check before a run, when a folder of edits is read, and of submissions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rses.files.untrusted import MAX_NAME, MAX_TEXT, text_problem, tree_problems

__all__ = ["card_problems", "name_problem"]

TEXTS = ("title", "paper", "weights", "revision", "licence", "dtype", "full_size")
FLAGS = ("reference", "gated")
DEPTH = 2
"""Levels above the card in ``summary.json``."""
LATEST_YEAR = 9999


def name_problem(name: object) -> str | None:
    """Say why a text cannot be the name of a method, or return ``None``."""
    if not isinstance(name, str) or not name.strip():
        return f"={str(name)[:60]!r}, expected a text" if isinstance(name, str) else f"={name!r:.60}, expected a text"
    fault = text_problem(name, MAX_NAME)
    return None if fault is None else f" that {fault}"


def card_problems(card: Mapping[str, Any]) -> list[str]:
    """Check the facts about a method; those that are absent are not missed."""
    problems = []
    if "name" in card and (fault := name_problem(card["name"])):
        problems.append(f"name{fault}" if fault.startswith("=") else f"a name{fault}")
    for key in TEXTS:
        if key not in card:
            continue
        if not isinstance(card[key], str):
            problems.append(f"{key}={card[key]!r:.60}, expected a text")
        elif fault := text_problem(card[key], MAX_TEXT):
            problems.append(f"a {key} that {fault}")
    if card.get("mask_used") is not None and not isinstance(card["mask_used"], bool):
        problems.append(f"mask_used={card['mask_used']!r:.60}, expected true or false")
    problems += [
        f"{key}={card[key]!r:.60}, expected true or false"
        for key in FLAGS
        if key in card and not isinstance(card[key], bool)
    ]
    year, batch, memory = card.get("year"), card.get("max_batch", 1), card.get("memory_gb", 0.0)
    if year is not None and (type(year) is not int or not 0 <= year <= LATEST_YEAR):
        problems.append(f"year={year!r:.60}, expected a whole number")
    if type(batch) is not int or batch < 1:
        problems.append(f"max_batch={batch!r:.60}, expected at least 1")
    if isinstance(memory, bool) or not isinstance(memory, int | float) or not 0 <= memory < math.inf:
        problems.append(f"memory_gb={memory!r:.60}, expected a number of at least 0")
    settings = card.get("settings", {})
    if not isinstance(settings, Mapping):
        problems.append(f"settings={settings!r:.60}, expected an object")
    elif not problems:
        problems += [f"settings: {fault}" for fault in tree_problems(dict(settings), "settings", DEPTH + 1)]
    return problems
