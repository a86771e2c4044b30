"""Train a stage: ``python -m benchmark_data.recipes.sd_mini.train STAGE --data DIR --work DIR``.

latents (of sd-mini's autoencoder), sd, then instruct-pix2pix, which starts from it as its model did from Stable
Diffusion. For inpainting: shallow (an autoencoder of 4 channels, from sd-mini's), shallow-latents and
shallow-masked (encode pictures without and with holes), sd-inpaint. Every stage goes on from its checkpoint.
UNets also train on several processes at once, with ``torchrun --nproc-per-node 2 -m`` for ``python -m``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint
from benchmark_data.recipes.kontext_mini.latents import encode_all
from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings, train_vae
from benchmark_data.recipes.kontext_mini.workers import join_workers
from benchmark_data.recipes.sd_mini.batches import Latents, dig
from benchmark_data.recipes.sd_mini.networks import DEEP_FOLDER, KINDS, TextAndUnet, begin_shallow, build_shallow_vae
from benchmark_data.recipes.sd_mini.objects import read_objects
from benchmark_data.recipes.sd_mini.stage import UnetSettings, train_unet

STAGES = ("latents", "shallow", "shallow-latents", "shallow-masked")
ENCODED_PARTS = 8
"""Parts of 250 scenes that inpainting learns from: each is encoded twice by an autoencoder that nothing else needs."""
SHALLOW = {"decoder_only": False, "rest_learning_rate": 5e-4}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stage that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.train", description=__doc__)
    parser.add_argument("stage", choices=(*STAGES, *KINDS))
    parser.add_argument("--data", type=Path, required=True, help="folder that the data commands filled")
    parser.add_argument("--work", type=Path, required=True, help="gets latents and checkpoints")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the recipe's")
    parser.add_argument("--begin", type=Path, help="checkpoint of sd that a UNet starts from, if not the one in --work")
    parser.add_argument(
        "--centred", action="store_true", help="draw noise levels at which objects take shape more often"
    )
    parser.add_argument("--alone", type=float, default=0.0, help="share of sd's rows that show one object, plain")
    parser.add_argument("--focus", type=float, default=0.0, help="how much more errors where objects are weigh")
    parser.add_argument("--compile", dest="compiled", action="store_true", help="compile a UNet: faster after a minute")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    if options.alone and options.stage != "sd":
        parser.error("--alone draws captioned pictures, as only stage sd learns from them.")
    torch.set_num_threads(options.threads)
    changes: dict[str, Any] = {"steps": options.steps} if options.steps else {}
    if options.stage in KINDS:
        join_workers()
        changes |= {name: getattr(options, name) for name in ("centred", "alone", "focus", "compiled")}
    run(options.stage, options.data, options.work, changes, options.begin)


def run(stage: str, data: Path, work: Path, changes: dict[str, Any], first: Path | None = None) -> None:
    """Run one stage."""
    if stage == "latents":
        encode_all(data, work / stage, AutoencoderKL.from_pretrained(DEEP_FOLDER, subfolder="vae").float().eval())
    elif stage == "shallow":
        settings = VaeSettings(**{**SHALLOW, **changes})
        begin = partial(begin_shallow, folder=DEEP_FOLDER)
        train_vae(data, work / "shallow.pt", settings, work / "shallow.jsonl", begin, build_shallow_vae)
    elif stage == "shallow-latents":
        encode_all(data, work / stage, trained_vae(work), ENCODED_PARTS)
    elif stage == "shallow-masked":
        encode_all(data, work / stage, trained_vae(work), ENCODED_PARTS, partial(dig, read_objects(data)))
    else:
        _train(stage, data, work, UnetSettings(**changes), first)


def _train(kind: str, data: Path, work: Path, settings: UnetSettings, first: Path | None) -> None:
    if kind == "sd-inpaint":
        latents = Latents(data, work / "shallow-latents", work / "shallow-masked")
    else:
        latents = Latents(data, work / "latents")

    start = first or (None if kind == "sd" else work / "sd.pt")

    def begin(model: TextAndUnet) -> None:
        if start is not None:
            model.begin_from(_average("sd", start))

    train_unet(kind, latents, work / f"{kind}.pt", settings, work / f"{kind}.jsonl", begin)


def trained(kind: str, work: Path) -> TextAndUnet:
    """Return the averaged networks of a stage's checkpoint."""
    return _average(kind, work / f"{kind}.pt")


def _average(kind: str, checkpoint: Path) -> TextAndUnet:
    model = TextAndUnet(kind)
    if not load_checkpoint(checkpoint, {"average": model}):
        raise SystemExit(f"{checkpoint} is missing: train that stage first.")
    return model.eval()


def trained_vae(work: Path) -> AutoencoderKL:
    """Return the averaged autoencoder of the inpainting model."""
    vae = build_shallow_vae()
    load_checkpoint(work / "shallow.pt", {"average": vae})
    return vae.eval()


if __name__ == "__main__":
    main()
