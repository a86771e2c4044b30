"""Train and write ``rses-mini``: ``python -m benchmark_data.recipes.mini.train --out DIR``; resumable.

Makes the data (about 12 minutes on 2 cores), trains the image/text encoder, then the perceptual trunk, and writes
``model.safetensors`` and ``config.json`` into DIR. Started again, it continues where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmark_data.recipes.mini.data import build
from benchmark_data.recipes.mini.export import fold_norms, write_model
from benchmark_data.recipes.mini.style_stage import StyleSettings, train_style
from benchmark_data.recipes.mini.trunk_stage import TrunkSettings, train_trunk
from rses.backbones.mini_network import MiniConfig

__all__ = ["main", "train"]


def train(options: argparse.Namespace) -> str:
    """Run all stages; return the digest of the weights file."""
    torch.set_num_threads(options.threads)
    data = options.data or options.out / "data"
    if not options.no_build:
        build(data, options.shards, options.processes)
    config = MiniConfig()
    style_settings = dataclasses.replace(StyleSettings(), steps=options.steps)
    trunk_settings = dataclasses.replace(TrunkSettings(), steps=options.trunk_steps)
    work = options.checkpoints or options.out / "checkpoints"
    style = train_style(data, work / "style.pt", config, style_settings, options.workers)
    trunk = train_trunk(data, work / "trunk.pt", config, trunk_settings, options.workers)
    config = dataclasses.replace(config, logit_scale=round(style.scale.item(), 4))
    return write_model(options.out, fold_norms(style.image, config), style.text, trunk, config)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark_data.recipes.mini.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--data", type=Path, help="folder for the training data (default: OUT/data)")
    parser.add_argument("--checkpoints", type=Path, help="folder for checkpoints (default: OUT/checkpoints)")
    parser.add_argument("--shards", type=int, default=24, help="shards of training data")
    parser.add_argument("--steps", type=int, default=StyleSettings.steps, help="batches for the style encoder")
    parser.add_argument("--trunk-steps", type=int, default=TrunkSettings.steps, help="batches for the trunk")
    parser.add_argument("--processes", type=int, default=2, help="processes that make data")
    parser.add_argument("--threads", type=int, default=2, help="threads that train")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches")
    parser.add_argument("--no-build", action="store_true", help="use the data that is there")
    print("wrote weights with sha256", train(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
