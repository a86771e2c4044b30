"""How numbers and the headings of their columns are written, everywhere."""

from __future__ import annotations

import math

from rses.table import METRICS, MetricInfo

__all__ = ["UNDEFINED", "heading", "number", "value_text"]

UNDEFINED = "-"


def number(value: float, digits: int) -> str:
    """Format a number; an exact zero is "0", and a nonzero number never rounds to zero.

    Example:
        >>> number(0.12345, 4), number(0.0, 4), number(0.0000031, 5), number(float("inf"), 2)
        ('0.1235', '0', '3.1e-06', 'inf')
    """
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else UNDEFINED
    if value == 0:
        return "0"
    text = f"{value:.{digits}f}"
    return f"{value:.1e}" if float(text) == 0 else text


def value_text(value: float | bool | None, info: MetricInfo) -> str:
    """Format the value of one sample; "-" where it is undefined.

    Example:
        >>> value_text(True, METRICS["style_correct"]), value_text(None, METRICS["rsm"])
        ('yes', '-')
    """
    if value is None:
        return UNDEFINED
    return ("yes" if value else "no") if isinstance(value, bool) else number(value, info.digits)


def heading(info: MetricInfo | str) -> str:
    """Return a column heading: title, mark of our own metrics, direction.

    Args:
        info: The metric, or its name.

    Example:
        >>> heading("rsm_gain"), heading("lpips_bg"), heading("leakage")
        ('RSM gain° ↑', 'LPIPS_bg ↓', 'leakage° →0')
    """
    info = METRICS[info] if isinstance(info, str) else info
    arrow = "→0" if info.nearest_zero else "↑" if info.higher_is_better else "↓"
    return f"{info.title}{'°' if info.ours else ''} {arrow}"
