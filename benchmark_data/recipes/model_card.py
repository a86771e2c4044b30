"""The table of a model card: what was asked for, what was measured, reached or missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Row = tuple[str, float, float]
"""Title, target (0 where there is none), measured value; more is better."""


def render_rows(
    rows: Sequence[Row], size: str, most: float, megabytes: float, *,
    target: Callable[[float], str], value: Callable[[float], str], megabyte: Callable[[float], str],
) -> str:  # fmt: skip
    """Render rows, and last the size that must not be exceeded, as Markdown.

    Args:
        rows: What was measured.
        size: Title of the last row.
        most: Megabytes allowed.
        megabytes: Megabytes measured.
        target: Writes a target.
        value: Writes a measured value.
        megabyte: Writes the measured size.
    """
    lines = ["| What | Target | Measured | |", "| --- | ---: | ---: | --- |"]
    for title, wanted, measured in rows:
        verdict = "" if wanted == 0 else _verdict(measured >= wanted)
        lines.append(f"| {title} | {'' if wanted == 0 else target(wanted)} | {value(measured)} | {verdict} |")
    lines.append(f"| {size} | {most:g} | {megabyte(megabytes)} | {_verdict(megabytes <= most)} |")
    return "\n".join(lines)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"
