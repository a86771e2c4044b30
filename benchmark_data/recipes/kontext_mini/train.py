"""Train a stage: ``python -m benchmark_data.recipes.kontext_mini.train STAGE --data DIR --work DIR``.

The stages are latents (of an encoder that needs no training), crops (the flow model on windows of the token grid), flow
(on whole pictures), and decoder, which can run beside the others. Every stage goes on from its checkpoint in the work
folder, so a run that was cut off is continued by the same command. On several processes:
``torchrun --nproc-per-node 2 -m`` for ``python -m``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import nn

from benchmark_data.recipes.kontext_mini.beginning import begin_flow, begin_vae
from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint, load_weights
from benchmark_data.recipes.kontext_mini.flow_stage import FlowSettings, train_flow
from benchmark_data.recipes.kontext_mini.latents import LatentGroups, encode_all
from benchmark_data.recipes.kontext_mini.networks import build_vae
from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings, train_vae
from benchmark_data.recipes.kontext_mini.workers import join_workers

__all__ = ["main", "trained_vae"]

STAGES = ("latents", "crops", "flow", "decoder")
FLOW = {
    "window": None, "steps": 900, "learning_rate": 0.01, "rest_learning_rate": 7e-4, "naming_weight": 1.0,
    "decisive_share": 0.5,
}  # fmt: skip
"""Whole pictures cost five times as much as crops; they start from what crops taught."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stage that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.train", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, required=True, help="folder that the data command filled")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the recipe's")
    parser.add_argument("--begin", type=Path, help="model folder, or weights kept of this stage, to start from")
    parser.add_argument("--compile", action="store_true", help="compile the flow model: faster after a minute")
    parser.add_argument("--bfloat16", action="store_true", help="multiply matrices, or convolve, in bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.stage != "latents":
        join_workers()
    options.work.mkdir(parents=True, exist_ok=True)
    changes: dict[str, Any] = {"steps": options.steps} if options.steps else {}
    changes |= {name: True for name, on in (("compiled", options.compile), ("bfloat16", options.bfloat16)) if on}
    run(options.stage, options.data, options.work, changes, options.begin)


def run(stage: str, data: Path, work: Path, changes: dict[str, Any], begin: Path | None = None) -> None:
    """Run one stage."""
    log = work / f"{stage}.jsonl"
    if stage == "latents":
        encode_all(data, work / "latents", begin_vae(build_vae(), data))
    elif stage == "crops":
        start = begin and partial(begin_flow, folder=begin)
        train_flow(LatentGroups(data, work / "latents"), work / "crops.pt", FlowSettings(**changes), log, start)
    elif stage == "flow":
        settings = FlowSettings(**{**FLOW, **changes})
        start = partial(load_weights, path=begin) if begin else partial(_fill, checkpoint=work / "crops.pt")
        train_flow(LatentGroups(data, work / "latents"), work / "flow.pt", settings, log, start)
    else:
        train_vae(data, work / "decoder.pt", VaeSettings(**changes), log, partial(begin_vae, data=data, folder=begin))


def trained_vae(checkpoint: Path) -> AutoencoderKL:
    """Return the averaged autoencoder of a checkpoint."""
    vae = build_vae()
    _fill(vae, checkpoint)
    return vae.eval()


def _fill(model: nn.Module, checkpoint: Path) -> None:
    if not load_checkpoint(checkpoint, {"average": model}):
        raise SystemExit(f"{checkpoint} is missing: train that stage first.")


if __name__ == "__main__":
    main()
