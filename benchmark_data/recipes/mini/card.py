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
    rows: list[Row] = []
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
