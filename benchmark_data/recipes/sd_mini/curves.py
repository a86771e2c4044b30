"""Keep a training's logs beside the weights: ``python -m benchmark_data.recipes.sd_mini.curves KIND --work DIR``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmark_data.recipes.kontext_mini.curves import read_logs, write_logs
from benchmark_data.recipes.sd_mini.export import FOLDERS

AUTOENCODER = ("shallow", "psnr", "Autoencoder: PSNR of whole pictures, dB")
PANELS = {
    "sd": (
        ("sd-noise", "loss", "First round: weighted error of the noise"),
        ("sd-first", "loss", "Second round: weighted error of v"),
        ("sd-second", "loss", "Third round: weighted error of v"),
        ("sd-third", "loss", "Fourth round: the same; from step 1750, objects weigh more"),
        ("sd", "loss", "Fifth round: objects weigh more"),
    ),
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
    panels = PANELS[options.kind]
    write_logs(read_logs(options.work, panels), options.out or FOLDERS[options.kind], panels)


if __name__ == "__main__":
    main()
