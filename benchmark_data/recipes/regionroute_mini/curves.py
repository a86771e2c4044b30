"""Curves of the experts' training: ``python -m benchmark_data.recipes.regionroute_mini.curves`` draws them anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark_data.recipes.panels import step_panels

PANELS = (
    ("flow", "Flow matching"), ("focus", "Focus"), ("cover", "Cover"), ("mass", "Attention mass inside the mask"),
)  # fmt: skip


def plot(logs: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Draw one panel per value and one line per style.

    Args:
        logs: Lines of ``train.jsonl`` by style.
        path: The picture (PNG).
    """
    with step_panels([title for _, title in PANELS], path, width=4) as axes:
        for axis, (value, _) in zip(axes, PANELS, strict=True):
            for style, lines in logs.items():
                axis.plot([line["step"] for line in lines], [line[value] for line in lines], label=style, linewidth=1)
        axes[0].legend(fontsize=8)


def main() -> None:
    """Draw the curves of the embedded experts."""
    from regionroute.pipeline import embedded_experts

    folder = embedded_experts()
    plot(json.loads((folder / "training.json").read_text("utf-8")), folder / "images" / "training.png")


if __name__ == "__main__":
    main()
