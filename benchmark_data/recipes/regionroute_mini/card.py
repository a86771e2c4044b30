"""The card of the experts, its table filled from the runs' summaries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors

METRICS = (
    ("rsm", "RSM"), ("rsm_gain", "gain"), ("style_accuracy", "style acc."), ("lpips_bg", "LPIPS_bg"),
    ("mse_bg", "MSE_bg"), ("psnr_bg", "PSNR_bg"), ("leakage", "leakage"),
)  # fmt: skip
CARD = """# regionroute-mini: RegionRoute's experts for kontext-mini

Four LoRA experts (pixel art, cyberpunk, expressionism, line art) on the embedded [kontext-mini](../kontext-mini), in
the file format of the released RegionRoute experts. For tests, demos and the reproduction: they know procedural scenes
of 128 x 128 only.

    regionroute edit --image scene.png --prompt "make the cat in pixel art style, keep other area unchanged"

Each was trained by `regionroute train` with the packaged configuration `mini` (`regionroute/configs/mini.toml`) on
150 pairs of pseudo-ground truth: scenes with seeds from 50 000 000, restyled by `baselines.classical` inside the
object's mask. `python -m benchmark_data.recipes.regionroute_mini --work DIR` makes the pairs, trains, and writes this
card; `training.json` holds every tenth step of the logs. These took {steps} steps of 8 pairs each
(`--set optimiser.steps={steps}`), seed 0. Licence: Apache-2.0.

![Training curves, every tenth step of 8 pairs](images/training.png)

## Measured on the suite `mini` under `rses-mini`
{table}

Editing by the base model alone, what each part of the training adds, and what `--true-cfg 1.5` does (more style, less
background kept): docs/reproduction.md.

Source, where the style words look, edit; two samples per row:

![Edits](images/edits.png)
"""


def render_table(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """Render means with 95 % intervals, one row per method."""
    lines = ["| method | " + " | ".join(title for _, title in METRICS) + " |", "| --- |" + " ---: |" * len(METRICS)]
    for name, summary in summaries.items():
        cells = [_cell(summary["metrics"].get(metric) or {}) for metric, _ in METRICS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_card(folder: Path, summaries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``README.md``."""
    steps = sorted({_steps(path) for path in folder.glob("*.safetensors")})
    text = CARD.format(table=render_table(summaries), steps=" or ".join(steps))
    (folder / "README.md").write_text(text, encoding="utf-8")


def _steps(path: Path) -> str:
    with safetensors.safe_open(path, "pt") as file:
        return str((file.metadata() or {}).get("steps", "?"))


def _cell(entry: Mapping[str, Any]) -> str:
    if entry.get("mean") is None:
        return ""
    if entry.get("low") is None:
        return f"{entry['mean']:.4f}"
    return f"{entry['mean']:.4f} [{entry['low']:.4f}, {entry['high']:.4f}]"
