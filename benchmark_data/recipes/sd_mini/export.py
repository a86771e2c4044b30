"""Write a trained model as a pipeline: ``python -m benchmark_data.recipes.sd_mini.export KIND --work DIR``.

sd-mini holds the autoencoder that instruct-pix2pix-mini's ``use.json`` names; the inpainting model has its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers

from benchmark_data.recipes.kontext_mini.export import write_model
from benchmark_data.recipes.kontext_mini.latents import latent_scale
from benchmark_data.recipes.sd_mini.networks import DEEP_FOLDER, KINDS, TextAndUnet, build_scheduler
from benchmark_data.recipes.sd_mini.train import trained, trained_vae

PIPELINES = {
    "sd": "StableDiffusionPipeline",
    "instruct-pix2pix": "StableDiffusionInstructPix2PixPipeline",
    "sd-inpaint": "StableDiffusionInpaintPipeline",
}
FOLDERS = {kind: DEEP_FOLDER.parent / f"{kind}-mini" for kind in PIPELINES}
USE: dict[str, dict[str, Any]] = {
    "sd": {"steps": 10, "guidance": 3.0, "strength": 0.45},
    "instruct-pix2pix": {"steps": 10, "guidance": 3.0, "image_guidance": 1.5},
    "sd-inpaint": {"steps": 10, "guidance": 4.0},
}
"""How each model wants to be used; ``strength`` is SDEdit's."""


def assemble(parts: TextAndUnet, vae: diffusers.AutoencoderKL) -> Any:
    """Put the parts into the pipeline of their kind."""
    return getattr(diffusers, PIPELINES[parts.kind])(
        vae=vae, text_encoder=parts.text, tokenizer=parts.tokenizer, unet=parts.unet, scheduler=build_scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def export(kind: str, work: Path, out: Path) -> None:
    """Save weights in float16."""
    use = {"side": 128, "multiple": 8, **USE[kind]}
    without: tuple[str, ...] = ()
    if kind == "sd-inpaint":
        vae = trained_vae(work)
        vae.register_to_config(scaling_factor=latent_scale(work / "shallow-latents")[1])
    else:
        vae = diffusers.AutoencoderKL.from_pretrained(DEEP_FOLDER, subfolder="vae")
    if kind == "instruct-pix2pix":
        use["vae"], without = DEEP_FOLDER.name, ("vae",)
    write_model(assemble(trained(kind, work), vae), out, {"use.json": use}, without)


def main(arguments: Sequence[str] | None = None) -> None:
    """Export what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.export", description=__doc__)
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("--work", type=Path, required=True, help="folder of the training's checkpoints")
    parser.add_argument("--out", type=Path, help="model folder to write")
    options = parser.parse_args(arguments)
    export(options.kind, options.work, options.out or FOLDERS[options.kind])


if __name__ == "__main__":
    main()
