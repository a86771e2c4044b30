"""The table of the model card, written from ``evaluation.json`` so that the two cannot differ."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmark_data.recipes.model_card import Row, render_rows
from rses.report.marked import replace_marked

__all__ = ["render_table", "renew_card", "targets_missed"]


def render_table(result: dict[str, Any]) -> str:
    """Render an evaluation as Markdown."""
    return render_rows(
        _rows(result), "Size in MB (at most)", 12, result["megabytes"],
        target="{:.2f}".format, value="{:.3f}".format, megabyte="{:.2f}".format,
    )  # fmt: skip


def targets_missed(result: dict[str, Any]) -> list[str]:
    """Return the titles of the rows below their target."""
    return [title for title, target, value in _rows(result) if value < target]


def renew_card(path: Path, result: dict[str, Any]) -> None:
    """Replace the table of a model card, and the digest."""
    text = replace_marked(path, "table", render_table(result))
    text = re.sub(r"(SHA-256 of [^\n]*: `)\w*`", rf"\g<1>{result['sha256']}`", text)
    path.write_text(text, encoding="utf-8")


def _rows(result: dict[str, Any]) -> list[Row]:
    # The first edition was not measured on these.
    rows = _unseen_rows(result["unseen"]) if "unseen" in result else []
    for where, wanted in (("scenes", 0.9), ("photos", 0.75)):
        for region in ("masked", "crop"):
            part = result[where][region]
            title = f"{where}, `{region}` view ({part['pairs']} edits)"
            rows.append((f"Style top-1 of 20, {title}", wanted, part["top1"]))
            rows.append((f"RSM(edit) > RSM(source), {title}", 0.95, part["gain"]))
            rows.append((f'Untouched picture nearest to "a photo", {where}, `{region}`', 0.0, part["source_is_photo"]))
    texts = result["texts"]
    rows.append((f"Held-out phrasings named rightly ({texts['texts']} texts, 21 classes)", 0.0, texts["accuracy"]))
    for name, part in result["ladders"].items():
        title = f"Distance rises strictly with {name} ({len(part['levels'])} steps, {part['photos']} photos)"
        rows.append(
            (title if part["trained"] else f"{title}; not in training", 0.95 if part["trained"] else 0.0, part["share"])
        )
    return rows


def _unseen_rows(unseen: dict[str, Any]) -> list[Row]:
    """Rows on what training never saw; ``within`` rows are shares, so that more is better in all of them."""
    fixed, renderers, nuisances = unseen["fixed_test"], unseen["renderers"], unseen["nuisances"]
    count = sum(row["edits"] for row in fixed["edits"].values())
    drawn = sum(row["edits"] for row in renderers["edits"].values())
    return [
        (f"Fixed test: right text rises ({count} edits)", 0.95, fixed["mean"]["gain"]),
        (f"Fixed test: right style nearest of ten ({count} edits)", 0.75, fixed["mean"]["nearest"]),
        (f"Fixed test: leakage of the global filter positive ({count} edits)", 0.95, fixed["mean"]["leakage"]),
        (f"Held-out renderers: right text rises ({drawn} edits)", 0.95, renderers["mean"]["gain"]),
        (f"Held-out renderers: right style nearest of 20 ({drawn} edits)", 0.0, renderers["mean"]["nearest"]),
        (
            f"Held-out renderers: leakage of the global filter positive ({drawn} edits)",
            0.95,
            renderers["mean"]["leakage"],
        ),
        (
            f"Share of {len(nuisances['nuisances'])} nuisances whose mean gain is within .01 (largest "
            f"{nuisances['largest']:.4f}, of one style {nuisances['largest_of_a_style']:.4f})",
            1.0,
            sum(abs(row["mean_gain"]) <= 0.01 for row in nuisances["nuisances"].values()) / len(nuisances["nuisances"]),
        ),
    ]
