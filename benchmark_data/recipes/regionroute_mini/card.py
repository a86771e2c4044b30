"""The tables of the experts' card, made from the runs' summaries and the fitted gate; its text is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regionroute.fitting import Fit
from rses.report.marked import replace_marked

METRICS = (
    ("rsm", "RSM"), ("rsm_gain", "gain"), ("style_accuracy", "style acc."), ("lpips_bg", "LPIPS_bg"),
    ("mse_bg", "MSE_bg"), ("leakage", "leakage"), ("rses_p", "RSES-P"),
)  # fmt: skip


def render_table(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """Render means with 95 % intervals, one row per method."""
    lines = ["| method | " + " | ".join(title for _, title in METRICS) + " |", "| --- |" + " ---: |" * len(METRICS)]
    for name, summary in summaries.items():
        cells = [_cell(summary["metrics"].get(metric) or {}) for metric, _ in METRICS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def require_card(folder: Path) -> None:
    """Refuse a folder whose ``README.md`` has no places for the table and the gate."""
    for name in ("table", "gate"):
        replace_marked(folder / "README.md", name, "")


def renew_card(folder: Path, summaries: Mapping[str, Mapping[str, Any]], fit: Fit) -> None:
    """Replace the table and the gate in ``README.md``."""
    card, gate = folder / "README.md", fit.gate
    steps = "step" if gate.steps == 1 else f"{gate.steps} steps"
    card.write_text(replace_marked(card, "table", render_table(summaries)), encoding="utf-8")
    said = (
        f"Slope {gate.slope:g}, bias {gate.bias:g}, attention of the first {steps}; "
        f"mean IoU **{fit.iou:.3f}** on {fit.pairs} pairs kept aside."
    )
    card.write_text(replace_marked(card, "gate", said), encoding="utf-8")


def _cell(entry: Mapping[str, Any]) -> str:
    if entry.get("mean") is None:
        return ""
    if entry.get("low") is None:
        return f"{entry['mean']:.4f}"
    return f"{entry['mean']:.4f} [{entry['low']:.4f}, {entry['high']:.4f}]"
