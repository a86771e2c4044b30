"""Keep a training's logs beside the weights: ``python -m benchmark_data.recipes.sd_mini.curves KIND --work DIR``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmark_data.recipes.kontext_mini.curves import read_log
from benchmark_data.recipes.panels import step_panels
from benchmark_data.recipes.sd_mini.export import FOLDERS

__all__ = ["main"]

AUTOENCODER = ("shallow", "psnr", "Autoencoder: PSNR of whole pictures, dB")
PANELS = {
    "sd": (("sd-noise", "loss", "First round: weighted error of the noise"), ("sd", "loss", "Weighted error of v")),
    "instruct-pix2pix": (("instruct-pix2pix", "loss", "Weighted error of v"),),
    "sd-inpaint": (AUTOENCODER, ("sd-inpaint", "loss", "Weighted error of v")),
}
"""(stage, value, title) of every panel by kind; a stage without a log is left out."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write ``training.json`` and ``images/training.png``."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.curves", description=__doc__)
    parser.add_argument("kind", choices=tuple(PANELS))
    parser.add_argument("--work", type=Path, required=True, help="folder of the training's logs")
    parser.add_argument("--out", type=Path, help="model folder")
    options = parser.parse_args(arguments)
    out = options.out or FOLDERS[options.kind]
    panels = [panel for panel in PANELS[options.kind] if (options.work / f"{panel[0]}.jsonl").exists()]
    logs = {stage: read_log(options.work / f"{stage}.jsonl") for stage, *_ in panels}
    out.mkdir(parents=True, exist_ok=True)
    (out / "training.json").write_text(json.dumps(logs, separators=(",", ":")) + "\n")
    with step_panels([title for *_, title in panels], out / "images" / "training.png", width=5) as axes:
        for axis, (stage, value, _) in zip(axes, panels, strict=True):
            axis.plot([line["step"] for line in logs[stage]], [line[value] for line in logs[stage]], color="#2a6f97")


if __name__ == "__main__":
    main()
