"""Curves of the experts' training: ``python -m benchmark_data.recipes.regionroute_mini.curves`` draws them anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["plot"]

PANELS = (
    ("flow", "Flow matching"), ("focus", "Focus"), ("cover", "Cover"), ("mass", "Attention mass inside the mask"),
)  # fmt: skip


def plot(logs: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Draw one panel a value and one line a style.

    Args:
        logs: Lines of ``train.jsonl`` by style.
        path: The picture (PNG).
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(4 * len(PANELS), 3.2))
    for axis, (value, title) in zip(axes, PANELS, strict=True):
        for style, lines in logs.items():
            axis.plot([line["step"] for line in lines], [line[value] for line in lines], label=style, linewidth=1)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Draw the curves of the embedded experts."""
    from regionroute.pipeline import embedded_experts

    folder = embedded_experts()
    plot(json.loads((folder / "training.json").read_text("utf-8")), folder / "images" / "training.png")


if __name__ == "__main__":
    main()
