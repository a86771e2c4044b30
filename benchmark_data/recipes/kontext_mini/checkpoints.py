"""Checkpoints of the recipe: everything a stage needs to go on, in one file, replaced atomically.

Averaged weights alone, in float16, are small enough to be kept in a repository while training is not finished:
``python -m benchmark_data.recipes.kontext_mini.checkpoints --from WORK/flow.pt --out FILE.safetensors`` writes them,
and ``train flow --begin FILE.safetensors`` goes on from them, with fresh optimisers.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from rses.files.atomic import write_atomic

__all__ = ["load_checkpoint", "load_weights", "main", "save_checkpoint", "save_weights"]


def save_checkpoint(path: Path, step: int, parts: Mapping[str, Any]) -> None:
    """Write the state of all parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path, parts: Mapping[str, Any]) -> int:
    """Fill all parts from a checkpoint, if there is one; return the number of steps done."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def save_weights(checkpoint: Path, out: Path) -> None:
    """Write the averaged weights of a checkpoint in float16."""
    average = torch.load(checkpoint, weights_only=True)["average"]
    # Layers that share weights are written each with its own, and kernels of channels_last in the usual order.
    weights = {
        name: value.half().clone(memory_format=torch.contiguous_format)
        for name, value in average.items()
        if value.is_floating_point()
    }
    write_atomic(out, save(weights))


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill a model with weights that :func:`save_weights` wrote; buffers that are no weights stay."""
    missing, unknown = model.load_state_dict(load_file(path), strict=False)
    weights = {name for name, _ in model.named_parameters()}
    if unknown or weights & set(missing):
        raise SystemExit(f"{path} holds other weights: {sorted(unknown)[:3]} unknown, {sorted(missing)[:3]} missing.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Keep weights as the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark_data.recipes.kontext_mini.checkpoints", description=__doc__
    )
    parser.add_argument("--from", dest="checkpoint", type=Path, required=True, help="checkpoint of a stage")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    options = parser.parse_args(arguments)
    save_weights(options.checkpoint, options.out)


if __name__ == "__main__":
    main()
