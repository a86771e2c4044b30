"""Statistics of training views by an encoder whose convolutions stand still, so that a head can be trained in minutes.

One file per shard of data, made as soon as the shard is whole: ``python -m benchmark_data.recipes.mini.features``.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmark_data.recipes.mini.data import SHARD, Groups
from benchmark_data.recipes.mini.start import warm_start
from benchmark_data.recipes.mini.views import group_views
from rses.backbones.mini_network import ImageEncoder

__all__ = ["extract", "extract_all", "fingerprint", "save_whole"]


def fingerprint(encoder: ImageEncoder, size: int) -> str:
    """Size of the views and short digest of the convolutions, so that other features are not mixed in."""
    parts = [t.numpy().tobytes() for n, t in sorted(encoder.state_dict().items()) if "head" not in n]
    return f"{size}-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"


@torch.no_grad()
def extract(encoder: ImageEncoder, shard: Path, target: Path, size: int, rounds: int) -> None:
    """Write the statistics of ``rounds`` views of every picture of a shard: arrays (R * 40, V, K) and labels."""
    groups = Groups(shard.parent, [shard])
    number = int(shard.name.split("-")[1])
    rows, labels = [], []
    for turn in range(rounds):
        for position in range(SHARD):
            rng = np.random.default_rng([number, position, turn, 5])
            group = groups[position]
            views = torch.from_numpy(np.ascontiguousarray(group_views(rng, group, size)))
            images = views.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
            rows.append(encoder.statistics(images).half())
            labels.append(torch.from_numpy(group.labels.copy()))
    save_whole({"statistics": torch.stack(rows), "labels": torch.stack(labels)}, target)


def save_whole(content: object, target: Path) -> None:
    """Save under another name first, so that a file that is there is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    torch.save(content, partial)
    partial.replace(target)


def extract_all(
    image: ImageEncoder, data: Path, features: Path, size: int, rounds: int, part: int = 0, parts: int = 1
) -> None:
    """Extract the features of all shards that are whole and not done yet, or of every ``parts``-th of them."""
    encoder = image.eval().to(memory_format=torch.channels_last)
    for shard in sorted(data.glob("shard-*"))[part::parts]:
        target = features / f"{shard.name}.pt"
        if (shard / "labels.npy").exists() and not target.exists():
            extract(encoder, shard, target, size, rounds)
            print(target.name, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.mini.features", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for the features")
    parser.add_argument("--first-edition", type=Path, help="folder with its weights (default: the packaged ones)")
    parser.add_argument("--rounds", type=int, default=2, help="views of each picture")
    parser.add_argument("--part", type=int, default=0, help="which part of the shards, from 0")
    parser.add_argument("--parts", type=int, default=1, help="processes that share the shards")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    image, _, config = warm_start(options.first_edition)
    features = options.out / fingerprint(image, config.image_size)
    extract_all(image, options.data, features, config.image_size, options.rounds, options.part, options.parts)


if __name__ == "__main__":
    main()
