"""Train a stage: ``python -m benchmark_data.recipes.sd_mini.train STAGE --data DIR --work DIR``.

The stages are masked (encode pictures with holes), sd, instruct-pix2pix and sd-inpaint; the last two start from sd, as
their models did from Stable Diffusion. Latents and the autoencoder are kontext-mini's, made by its recipe in the same
folders. Every stage goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint
from benchmark_data.recipes.kontext_mini.export import MODEL_FOLDER
from benchmark_data.recipes.sd_mini.batches import Latents, encode_masked
from benchmark_data.recipes.sd_mini.networks import KINDS, TextAndUnet
from benchmark_data.recipes.sd_mini.stage import UnetSettings, train_unet

__all__ = ["main", "run", "trained"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stage that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.train", description=__doc__)
    parser.add_argument("stage", choices=("masked", *KINDS))
    parser.add_argument("--data", type=Path, required=True, help="folder that the data commands filled")
    parser.add_argument("--work", type=Path, required=True, help="folder of kontext-mini's latents; gets checkpoints")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the recipe's")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    run(options.stage, options.data, options.work, {"steps": options.steps} if options.steps else {})


def run(stage: str, data: Path, work: Path, changes: dict[str, Any]) -> None:
    """Run one stage."""
    if stage == "masked":
        encode_masked(data, work / "masked", AutoencoderKL.from_pretrained(MODEL_FOLDER, subfolder="vae").float())
        return

    def begin(model: TextAndUnet) -> None:
        model.begin_from(trained("sd", work))

    train_unet(
        stage, Latents(data, work), work / f"{stage}.pt", UnetSettings(**changes), work / f"{stage}.jsonl",
        None if stage == "sd" else begin,
    )  # fmt: skip


def trained(kind: str, work: Path) -> TextAndUnet:
    """Return the averaged networks of a checkpoint."""
    model = TextAndUnet(kind)
    load_checkpoint(work / f"{kind}.pt", {"average": model})
    return model.eval()


if __name__ == "__main__":
    main()
