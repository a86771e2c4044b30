"""The table of the model card, written from ``evaluation.json`` so that the two cannot differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark_data.recipes.model_card import Row, render_rows
from rses.report.marked import replace_marked

__all__ = ["renew_card", "render_table"]


def render_table(result: dict[str, Any]) -> str:
    """Render an evaluation as Markdown."""
    plain = "{:g}".format
    return render_rows(
        _rows(result), "Weights in MB (at most)", 25, result["megabytes"], target=plain, value=plain, megabyte=plain
    )


def renew_card(path: Path, result: dict[str, Any]) -> None:
    """Replace the table of a model card."""
    path.write_text(replace_marked(path, "table", render_table(result)), encoding="utf-8")


def _rows(result: dict[str, Any]) -> list[Row]:
    trip, recolour, styles = result["round_trip_psnr"], result["recolouring"], result["styles"]
    rows: list[Row] = [("Autoencoder round trip, plain scenes, dB", 30, trip["plain"])]
    rows += [(f"Autoencoder round trip, {style}, dB", 30, trip[style]) for style in styles["accuracy_by_style"]]
    return [
        *rows,
        ("Recolouring: PSNR of the background, dB", 25, recolour["background_psnr"]),
        ("Recolouring: same, worst tenth begins at, dB", 0, recolour["background_psnr_p10"]),
        ("Recolouring: right colour on the object", 0.9, recolour["right_colour"]),
        ("Global style: accuracy under rses-mini", 0.95, styles["accuracy"]),
        ("Global style: PSNR to the classical drawing, dB", 0, styles["psnr_to_stylised"]),
        ("Regional style: background nearer to the global style", 0, styles["regional_restyles_background"]),
    ]
