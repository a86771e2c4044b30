"""What a single value of a submission may be: texts of bounded length, numbers in their range, facts that agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rses.files.escape import clean
from rses.files.paths import id_problem
from rses.files.untrusted import MAX_NAME, MAX_TEXT, shown, text_problem
from rses.functional.combined import preservation, regional_score
from rses.runs.sample_result import STATUSES
from rses.table import METRICS

__all__ = ["MAX_TAGS", "RANGES", "sample_problems"]

INF = math.inf
RANGES = {name: info.bounds for name, info in METRICS.items() if name != "style_correct"} | {"mask_fraction": (0, 1)}
"""Lowest and highest value of each number; generous where a legacy protocol scales it."""

MAX_TAGS = 32
# Relative, for values that two machines may round differently.
ROUNDING = 1e-5


def sample_problems(row: Mapping[str, Any], legacy: bool = False) -> list[str]:
    """Check one row of ``samples.parquet``.

    Args:
        row: Column to value, as read.
        legacy: Leave out the relations between numbers, which legacy protocols define otherwise.

    Returns:
        One sentence a fault, naming the field.

    Example:
        >>> sample_problems({"id": "a", "status": "ok", "lpips_bg": -0.1, "tags": []})
        ['lpips_bg is -0.1, outside [0, 100]']
    """
    problems = []
    fault = id_problem(row.get("id"))
    if fault:
        problems.append(f"id {shown(row.get('id'))} {fault}")
    elif clean(row["id"]) != row["id"]:
        problems.append("id holds control characters or marks of writing direction")
    if row.get("status") not in STATUSES:
        problems.append(f"status {shown(row.get('status'))} is none of {', '.join(STATUSES)}")
    for name in ("method", "suite", "dataset", "style", "object", "source"):
        if row.get(name) is not None and (fault := text_problem(row[name], 300)):
            problems.append(f"{name} {fault}")
    if fault := text_problem(row.get("note", ""), MAX_TEXT):
        problems.append(f"note {fault}")
    tags = [] if row.get("tags") is None else row["tags"]
    if not isinstance(tags, list | tuple) or len(tags) > MAX_TAGS or any(text_problem(tag, MAX_NAME) for tag in tags):
        problems.append(f"tags must be at most {MAX_TAGS} texts of at most {MAX_NAME} characters")
    codes = [] if row.get("warnings") is None else row["warnings"]
    if not isinstance(codes, list | tuple) or len(codes) > MAX_TAGS or any(text_problem(c, MAX_NAME) for c in codes):
        problems.append(f"warnings must be at most {MAX_TAGS} texts of at most {MAX_NAME} characters")
    for name in ("style_correct", "resized"):
        if row.get(name) is not None and not isinstance(row[name], bool):
            problems.append(f"{name} is {shown(row[name])}, which is neither true nor false")
    problems += _number_problems(row)
    return problems if problems or legacy else _relation_problems(row)


def _number_problems(row: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, (low, high) in RANGES.items():
        value = row.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            problems.append(f"{name} is {shown(value)}, which is not a number")
        elif not low <= value <= high or (math.isinf(value) and name != "psnr_bg"):
            problems.append(f"{name} is {value:g}, outside [{low:g}, {high:g}]")
    scored = [name for name in METRICS if row.get(name) is not None]
    if row.get("status") == "ok" and not scored:
        problems.append('status is "ok" but no metric has a value')
    if row.get("status") != "ok" and scored:
        problems.append(f"status is {shown(row.get('status'))} but {scored[0]} has a value")
    return problems


def _relation_problems(row: Mapping[str, Any]) -> list[str]:
    """Numbers that follow from one another by definition."""
    problems = []
    relations = (
        ("rsm", "clip_cosine", lambda cosine: (1 + cosine) / 2),
        ("mse_bg_pm1", "mse_bg", lambda value: 4 * value),
        ("preservation", "lpips_bg", preservation),
        ("psnr_bg", "mse_bg", lambda value: -10 * math.log10(value) if value > 0 else INF),
    )
    for name, base, rule in relations:
        value, origin = row.get(name), row.get(base)
        if value is None or origin is None:
            continue
        expected = rule(origin)
        slack = ROUNDING * abs(expected) + (ROUNDING if name == "psnr_bg" else 1e-9)
        if value != expected and not abs(value - expected) <= slack:
            problems.append(f"{name} is {value:g}, but {base} {origin:g} gives {expected:g}")
    success, kept = row.get("style_success"), row.get("preservation")
    if row.get("rses_p") is not None and success is not None and kept is not None:
        expected = regional_score(success, kept)
        if abs(row["rses_p"] - expected) > ROUNDING:
            problems.append(f"rses_p is {row['rses_p']:g}, but style_success and preservation give {expected:g}")
    gain = row.get("rsm_gain")
    if success is not None and gain is not None and (success > 0, success < 0) != (gain > 0, gain < 0):
        problems.append(f"style_success is {success:g}, but rsm_gain {gain:g} has not its sign")
    return problems
