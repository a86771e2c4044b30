"""Keep the training's logs beside the weights: ``python -m benchmark_data.recipes.kontext_mini.curves --work DIR``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark_data.recipes.kontext_mini.export import MODEL_FOLDER
from benchmark_data.recipes.panels import step_panels

__all__ = ["append_logs", "main", "plot", "read_logs", "write_logs"]

Panel = tuple[str, str, str]
"""Stage, value in its log, title."""
PANELS: tuple[Panel, ...] = (
    ("crops", "loss", "Flow model on crops: weighted velocity error"),
    ("flow", "loss", "Flow model on whole pictures: the same"),
    ("flow", "found", "Whole pictures: overlap of what the last reader takes for the object"),
    ("decoder", "psnr", "Decoder: PSNR, dB"),
)


def read_logs(work: Path, panels: Sequence[Panel] = PANELS) -> dict[str, list[dict[str, Any]]]:
    """Return the last line of every step of every stage that has a log."""
    logs = {}
    for stage, _, _ in panels:
        path = work / f"{stage}.jsonl"
        if path.exists():
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            logs[stage] = list({line["step"]: line for line in lines}.values())
    return logs


def append_logs(before: dict[str, list[dict[str, Any]]], logs: dict[str, list[dict[str, Any]]]) -> None:
    """Put logs of a run behind those of the run whose weights it started from; steps count on."""
    for stage, lines in logs.items():
        last = before[stage][-1]["step"] if before.get(stage) else 0
        before.setdefault(stage, []).extend({**line, "step": last + line["step"]} for line in lines)


def plot(logs: dict[str, list[dict[str, Any]]], path: Path, panels: Sequence[Panel] = PANELS) -> None:
    """Draw one panel a stage that has a log."""
    drawn = [panel for panel in panels if panel[0] in logs]
    with step_panels([title for *_, title in drawn], path, width=5) as axes:
        for axis, (stage, value, _) in zip(axes, drawn, strict=True):
            axis.plot([line["step"] for line in logs[stage]], [line[value] for line in logs[stage]], color="#2a6f97")


def write_logs(logs: dict[str, list[dict[str, Any]]], folder: Path, panels: Sequence[Panel] = PANELS) -> None:
    """Write ``training.json`` and ``images/training.png`` into a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "training.json").write_text(json.dumps(logs, separators=(",", ":")) + "\n")
    plot(logs, folder / "images" / "training.png", panels)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write ``training.json`` and ``images/training.png``."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.curves", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the training's logs")
    parser.add_argument("--begin", type=Path, help="training.json of the run whose weights this one started from")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER)
    options = parser.parse_args(arguments)
    logs = json.loads(options.begin.read_text()) if options.begin else {}
    append_logs(logs, read_logs(options.work))
    write_logs(logs, options.out)


if __name__ == "__main__":
    main()
