"""What a single value of a submission may be: texts of bounded length, numbers in their range, facts that agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rses.metrics.combined import harmonic_score, preservation
from rses.metrics_table import METRICS
from rses.report.text import clean
from rses.sample_result import STATUSES
from rses.suites.paths import id_problem

__all__ = ["RANGES", "sample_problems", "shown", "text_problem", "tree_problems"]

INF = math.inf
RANGES: dict[str, tuple[float, float]] = {
    "rsm": (0, 1), "clip_cosine": (-1, 1), "rsm_gain": (-1, 1), "leakage": (-1, 1), "lpips_bg": (0, 100),
    "mse_bg": (0, 3), "mse_bg_pm1": (0, 12), "psnr_bg": (-10, INF), "ssim_bg": (-1, 1), "boundary_mse": (0, 3),
    "rses_h": (0, 1), "mask_fraction": (0, 1),
}  # fmt: skip
"""Lowest and highest value of each number; generous where a legacy protocol scales it."""

MAX_TEXT, MAX_NAME, MAX_TAGS, MAX_DEPTH, MAX_NODES = 2000, 100, 32, 8, 2_000_000
# Relative, for values that two machines may round differently.
ROUNDING = 1e-5


def shown(value: object, length: int = 60) -> str:
    r"""Return untrusted text for a message: one printable line, cut short.

    Example:
        >>> shown("a" * 5 + "\n", 4)
        '"aaaa..."'
    """
    text = str(value)[: length + 1]
    return f'"{clean(text[:length])}..."' if len(text) > length else f'"{clean(text)}"'


def text_problem(value: object, limit: int = MAX_TEXT) -> str | None:
    """Say why a value is not a text to be shown, or return ``None``.

    Example:
        >>> text_problem("RegionRoute"), text_problem("x" * 5000)
        (None, 'is longer than 2000 characters')
    """
    if not isinstance(value, str):
        return f"must be a text, found {shown(value)}"
    if len(value) > limit:
        return f"is longer than {limit} characters"
    if clean(value) != value:
        return "holds line breaks, control characters or marks of writing direction"
    return None


def tree_problems(value: Any, where: str = "summary.json") -> list[str]:
    """Check a whole JSON document for long texts, numbers that are none, and depth.

    Example:
        >>> tree_problems({"a": [1, float("nan")]})
        ['summary.json: a[1] is nan, which is not a finite number']
    """
    problems: list[str] = []
    for number, (path, fault) in enumerate(_walk(value, "", 0)):
        if number >= MAX_NODES:
            return [*problems, f"{where} holds more than {MAX_NODES} values"]
        if fault:
            problems.append(f"{where}: {clean(path[:120])} {fault}")
        if len(problems) >= 20:
            break
    return problems


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, str | None]]:
    if depth > MAX_DEPTH:
        yield path, f"is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, Mapping):
        yield path, None
        for key, item in value.items():
            name = f"{path}.{key}" if path else str(key)
            fault = text_problem(key, 200)
            if fault:
                yield name, f"has a name that {fault}"
            yield from _walk(item, name, depth + 1)
    elif isinstance(value, list):
        yield path, None
        for place, item in enumerate(value):
            yield from _walk(item, f"{path}[{place}]", depth + 1)
    elif isinstance(value, str):
        yield path, text_problem(value)
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"is {value}, which is not a finite number"
    else:
        yield path, None


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
    return problems + _harmonic_problems(row)


def _harmonic_problems(row: Mapping[str, Any]) -> list[str]:
    """What tables are sorted by: nothing without a gain in style, and at most what the background kept allows."""
    value, gain, distance = row.get("rses_h"), row.get("rsm_gain"), row.get("lpips_bg")
    if value is None or gain is None or distance is None:
        return []
    most = harmonic_score(1.0, preservation(distance)) if gain > 0 else 0.0
    if value > most + ROUNDING:
        return [f"rses_h is {value:g}, but rsm_gain {gain:g} and lpips_bg {distance:g} allow {most:g} at most"]
    return []
