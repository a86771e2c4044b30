"""Train a stage: ``python -m benchmark_data.recipes.kontext_mini.train STAGE --data DIR --work DIR``.

The stages are vae (on patches), whole (the autoencoder again, on whole pictures, where group norms see other
statistics), latents, flow, and decoder, which goes on with the second half of the autoencoder alone. Every stage goes
on from its checkpoint in the work folder, so a run that was cut off is continued by the same command.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.beginning import begin_flow, begin_vae
from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint
from benchmark_data.recipes.kontext_mini.data import SIZE
from benchmark_data.recipes.kontext_mini.flow_stage import FlowSettings, train_flow
from benchmark_data.recipes.kontext_mini.latents import LatentGroups, encode_all
from benchmark_data.recipes.kontext_mini.networks import build_vae
from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings, train_vae

__all__ = ["main", "trained_vae"]

STAGES = ("vae", "whole", "latents", "flow", "decoder")
WHOLE = {"crop": SIZE, "batch_size": 6}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stage that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.train", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, required=True, help="folder that the data command filled")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the recipe's")
    parser.add_argument("--begin", type=Path, help="model folder whose weights vae and flow start from")
    parser.add_argument("--compile", action="store_true", help="compile the flow model: faster after a minute")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    changes: dict[str, Any] = {"steps": options.steps} if options.steps else {}
    if options.compile:
        changes["compiled"] = True
    run(options.stage, options.data, options.work, changes, options.begin)


def run(stage: str, data: Path, work: Path, changes: dict[str, Any], begin: Path | None = None) -> None:
    """Run one stage."""
    log = work / f"{stage}.jsonl"
    if stage == "vae":
        train_vae(data, work / "vae.pt", VaeSettings(**changes), log, begin and partial(begin_vae, folder=begin))
    elif stage == "whole":
        settings = VaeSettings(**{"steps": 700, "learning_rate": 0.01, "rest_learning_rate": 5e-4, **WHOLE, **changes})
        train_vae(data, work / "whole.pt", settings, log, partial(_fill, checkpoint=work / "vae.pt"))
    elif stage == "latents":
        encode_all(data, work / "latents", trained_vae(work / "whole.pt"))
    elif stage == "flow":
        latents = LatentGroups(data, work / "latents")
        start = begin and partial(begin_flow, folder=begin)
        train_flow(latents, work / "flow.pt", FlowSettings(**changes), log, start)
    else:
        settings = VaeSettings(**{"decoder_only": True, **WHOLE, **changes})
        train_vae(data, work / "decoder.pt", settings, log, partial(_fill, checkpoint=work / "whole.pt"))


def trained_vae(checkpoint: Path) -> AutoencoderKL:
    """Return the averaged autoencoder of a checkpoint."""
    vae = build_vae()
    _fill(vae, checkpoint)
    return vae.eval()


def _fill(vae: AutoencoderKL, checkpoint: Path) -> None:
    load_checkpoint(checkpoint, {"average": vae})


if __name__ == "__main__":
    main()
