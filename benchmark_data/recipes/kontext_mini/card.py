"""The table of the model card, written from ``evaluation.json`` so that the two cannot differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["renew_card", "render_table", "targets_missed"]

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
Row = tuple[str, float, float]


def render_table(result: dict[str, Any]) -> str:
    """Render an evaluation as Markdown: what was asked for, what was measured, reached or missed."""
    lines = ["| What | Target | Measured | |", "| --- | ---: | ---: | --- |"]
    for title, target, value in _rows(result):
        verdict = "" if target == 0 else "reached" if value >= target else "**missed**"
        lines.append(f"| {title} | {target or ''} | {value:g} | {verdict} |")
    size = result["megabytes"]
    lines.append(f"| Weights in MB (at most) | 25 | {size:g} | {'reached' if size <= 25 else '**missed**'} |")
    return "\n".join(lines)


def targets_missed(result: dict[str, Any]) -> list[str]:
    """Return the titles of the rows below their target."""
    return [title for title, target, value in _rows(result) if value < target]


def renew_card(path: Path, result: dict[str, Any]) -> None:
    """Replace the table between the two markers of a model card."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{render_table(result)}\n{END}{after}", encoding="utf-8")


def _rows(result: dict[str, Any]) -> list[Row]:
    trip, recolour, styles = result["round_trip_psnr"], result["recolouring"], result["styles"]
    rows: list[Row] = [("Autoencoder round trip, plain scenes, dB", 30, trip["plain"])]
    rows += [(f"Autoencoder round trip, {style}, dB", 30, trip[style]) for style in styles["accuracy_by_style"]]
    return [
        *rows,
        ("Recolouring: PSNR of the background, dB", 25, recolour["background_psnr"]),
        ("Recolouring: same, worst tenth begins at, dB", 0, recolour["background_psnr_p10"]),
        ("Recolouring: right colour on the object", 0.9, recolour["right_colour"]),
        ("Global style: accuracy under rses-mini", 0.9, styles["accuracy"]),
        ("Global style: PSNR to the classical drawing, dB", 0, styles["psnr_to_stylised"]),
        (
            "Regional style: background nearer to the global style",
            0,
            styles["regional_restyles_background"],
        ),
    ]
