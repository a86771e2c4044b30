"""Train and write ``rses-mini``: ``python -m benchmark_data.recipes.mini.train --out DIR``; resumable.

Collects photographs, makes the data, trains the head of the image encoder on statistics of convolutions that stand
still, then all of the encoder on pictures, and writes ``model.safetensors`` and ``config.json`` into DIR. The
perceptual trunk is that of the first edition. Started again, it continues where it was.
Needs OpenCV (``pip install opencv-python-headless``), scikit-image, ImageMagick and apt.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmark_data.recipes.mini.data import build
from benchmark_data.recipes.mini.export import write_model
from benchmark_data.recipes.mini.features import extract_all, fingerprint
from benchmark_data.recipes.mini.head_stage import HeadSettings, Statistics, train_head
from benchmark_data.recipes.mini.losses import LossWeights
from benchmark_data.recipes.mini.photographs import collect, photographs
from benchmark_data.recipes.mini.quiet import extract_quiet
from benchmark_data.recipes.mini.start import warm_start
from benchmark_data.recipes.mini.style_stage import DualEncoder, StyleSettings, train_style
from rses.backbones.mini import load_mini_perceptual
from rses.backbones.mini_network import ImageEncoder, MiniConfig, TextEncoder

__all__ = ["main", "train"]


def train(options: argparse.Namespace) -> str:
    """Run all stages; return the digest of the weights file."""
    torch.set_num_threads(options.threads)
    data, pictures = options.out / "data", options.out / "photographs"
    if not photographs(pictures):
        collect(pictures)
        photographs.cache_clear()
    if options.shards:
        build(data, range(options.shards), options.processes, pictures)
    image, text, config = warm_start(options.first_edition)
    scale = _head(image, text, config, options)
    model = DualEncoder(image, text, scale)
    if options.steps:
        settings = dataclasses.replace(StyleSettings(), steps=options.steps)
        train_style(data, options.out / "checkpoints" / "style.pt", model, settings, config.image_size)
    config = dataclasses.replace(config, logit_scale=round(model.scale.item(), 4))
    trunk = load_mini_perceptual(options.first_edition)._trunk
    return write_model(options.out / "model", model.image, model.text, trunk, config)


def _head(image: ImageEncoder, text: TextEncoder, config: MiniConfig, options: argparse.Namespace) -> float:
    """Train the head, or read it from the checkpoint; return the factor of the logits."""
    checkpoint = options.out / "checkpoints" / "head.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        image.load_state_dict(state["image"])
        text.load_state_dict(state["text"])
        return float(state["scale"])
    features = options.out / "features" / fingerprint(image, config.image_size)
    extract_all(image, options.out / "data", features, config.image_size, options.rounds)
    extract_quiet(image, config.image_size, config.mean, options.out / "photographs", features, range(options.quiet))
    settings = dataclasses.replace(HeadSettings(), steps=options.head_steps)
    scale = train_head(image, text, config.logit_scale, Statistics.read(features), settings, LossWeights())
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"image": image.state_dict(), "text": text.state_dict(), "scale": scale}, checkpoint)
    return scale


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark_data.recipes.mini.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures, data, checkpoints and model")
    parser.add_argument("--first-edition", type=Path, help="folder with its weights (default: the packaged ones)")
    parser.add_argument("--shards", type=int, default=25, help="shards of training data; 0 uses those there are")
    parser.add_argument("--rounds", type=int, default=2, help="views of each picture for the head")
    parser.add_argument("--quiet", type=int, default=20, help="shards of regions under each kind of nuisance")
    parser.add_argument("--head-steps", type=int, default=HeadSettings.steps, help="batches for the head")
    parser.add_argument("--steps", type=int, default=StyleSettings.steps, help="batches for all of the encoder")
    parser.add_argument("--processes", type=int, default=2, help="processes that make data")
    parser.add_argument("--threads", type=int, default=1, help="threads that train")
    print("wrote weights with sha256", train(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
