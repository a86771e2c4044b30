"""Write the trained parts as a pipeline: ``python -m benchmark_data.recipes.kontext_mini.export --work DIR``."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxKontextPipeline

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint
from benchmark_data.recipes.kontext_mini.latents import latent_scale
from benchmark_data.recipes.kontext_mini.networks import TEXT_LENGTH, TextAndFlow
from benchmark_data.recipes.kontext_mini.train import trained_vae

__all__ = ["MODEL_FOLDER", "export", "write_model"]

MODEL_FOLDER = Path(__file__).resolve().parents[2] / "models" / "kontext-mini"
SHIFT = 2.0
USE = {"buckets": [[128, 128]], "text_length": TEXT_LENGTH, "guidance": 2.5, "steps": 12}
"""What ``regionroute.json`` tells users of the model."""
KEPT = ("README.md", "evaluation.json", "training.json", "images")


def export(work: Path, out: Path) -> None:
    """Save weights in float16; the pipeline computes in whatever precision it is loaded in.

    While there are no weights of whole pictures, those of crops are taken: enough to see how training goes.
    """
    parts, flow = TextAndFlow(), work / "flow.pt"
    if not load_checkpoint(flow if flow.exists() else work / "crops.pt", {"average": parts}):
        raise SystemExit(f"{work} holds neither flow.pt nor crops.pt: train stage crops first.")
    pipe = assemble(parts.eval(), trained_vae(work / "decoder.pt"), *latent_scale(work / "latents"))
    write_model(pipe, out, {"regionroute.json": USE})


def write_model(pipe: Any, out: Path, files: Mapping[str, Any], without: Sequence[str] = ()) -> None:
    """Replace a model folder; its card, logs and pictures stay.

    Args:
        pipe: Written in float16.
        out: The folder.
        files: JSON files beside the weights, by name.
        without: Parts of the pipeline that are left out.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        draft = Path(folder) / "new"
        pipe.to(torch.float16).save_pretrained(draft)
        for part in without:
            shutil.rmtree(draft / part)
        for name, content in files.items():
            (draft / name).write_text(json.dumps(content, indent=2) + "\n")
        for name in KEPT:
            if (out / name).is_dir():
                shutil.copytree(out / name, draft / name)
            elif (out / name).exists():
                shutil.copyfile(out / name, draft / name)
        # Temporary folders are private.
        draft.chmod(0o755)
        if out.exists():
            out.replace(Path(folder) / "before")
        draft.replace(out)


def assemble(parts: TextAndFlow, vae: AutoencoderKL, shift: float, scale: float) -> FluxKontextPipeline:
    """Put the parts into a pipeline."""
    vae.register_to_config(shift_factor=shift, scaling_factor=scale)
    return FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT, use_dynamic_shifting=False),
        vae=vae,
        text_encoder=parts.clip,
        tokenizer=parts.clip_tokenizer,
        text_encoder_2=parts.t5,
        tokenizer_2=parts.t5_tokenizer,
        transformer=parts.transformer,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Export what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.export", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the training's checkpoints")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER, help="model folder to write")
    options = parser.parse_args(arguments)
    export(options.work, options.out)


if __name__ == "__main__":
    main()
