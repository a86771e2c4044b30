"""Train a stage: ``python -m benchmark_data.recipes.kontext_mini.train vae|decoder|latents|flow --data DIR --work DIR``.

Every stage goes on from its checkpoint in the work folder, so a run that was cut off is continued by the same command.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings, train_vae

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stage that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.train", description=__doc__)
    parser.add_argument("stage", choices=["vae"])
    parser.add_argument("--data", type=Path, required=True, help="folder that the data command filled")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the recipe's")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.stage == "vae":
        settings = VaeSettings(**({"steps": options.steps} if options.steps else {}))
        train_vae(options.data, options.work / "vae.pt", settings, options.work / "vae.jsonl")


if __name__ == "__main__":
    main()
