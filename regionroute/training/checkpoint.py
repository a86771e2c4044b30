"""Checkpoints: expert, optimiser and step in one folder, safetensors and JSON only, renamed into place when whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from regionroute.training.config import TrainConfig
from rses.errors import InputError
from rses.textfiles import parse_json

__all__ = ["FORMAT", "Checkpoint", "latest_checkpoint", "save_checkpoint"]

FORMAT = 1
_FREE = ("run",)
"""Tables that may differ between the run that wrote a checkpoint and the one that goes on from it."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from.

    Attributes:
        step: Optimiser steps done.
        weights: LoRA tensors by parameter name.
        optimiser: State dictionary of the optimiser.
    """

    step: int
    weights: dict[str, torch.Tensor]
    optimiser: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, weights: dict[str, torch.Tensor], optimiser: dict[str, Any], config: TrainConfig,
    keep: int = 2,
) -> Path:  # fmt: skip
    """Write ``folder/step-000123`` and delete all but the newest ``keep``.

    Args:
        folder: Where checkpoints live.
        step: Optimiser steps done.
        weights: LoRA tensors by parameter name.
        optimiser: ``optimizer.state_dict()``.
        config: The run's configuration, checked when the run goes on.
        keep: How many checkpoints stay.
    """
    target = folder / f"step-{step:06d}"
    draft = folder / f".{target.name}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    tensors, plain = _split(optimiser)
    safetensors.torch.save_file(
        {k: v.detach().cpu().contiguous() for k, v in weights.items()}, draft / "lora.safetensors"
    )
    safetensors.torch.save_file(tensors, draft / "optimiser.safetensors")
    state = {"format": FORMAT, "step": step, "optimiser": plain, "config": config.to_dict()}
    (draft / "state.json").write_text(json.dumps(state), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.replace(target)
    for old in sorted(folder.glob("step-*"))[:-keep]:
        shutil.rmtree(old)
    return target


def latest_checkpoint(folder: Path, config: TrainConfig) -> Checkpoint | None:
    """Read the newest checkpoint, or return None where there is none.

    Raises:
        InputError: It was written by another version, with other settings, or is damaged.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        return None
    path = found[-1]
    try:
        state = parse_json((path / "state.json").read_bytes())
        if state["format"] != FORMAT:
            raise InputError(
                f"The checkpoint {path} has format {state['format']}, this version reads {FORMAT}. "
                "Finish the run with the version that began it, or start again with --fresh."
            )
        _check_settings(path, state["config"], config)
        weights = safetensors.torch.load_file(path / "lora.safetensors")
        optimiser = _join(safetensors.torch.load_file(path / "optimiser.safetensors"), state["optimiser"])
        return Checkpoint(int(state["step"]), weights, optimiser)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        raise InputError(
            f"The checkpoint {path} is damaged ({error}). Delete that folder to go on from the one before it, "
            "or start again with --fresh."
        ) from error


def _check_settings(path: Path, written: dict[str, Any], config: TrainConfig) -> None:
    asked = json.loads(json.dumps(config.to_dict()))
    # A falling learning rate depends on where it is to end: a longer run would have fallen more slowly from the start.
    free = {("optimiser", "steps")} if config.optimiser.schedule == "constant" else set()
    differences = [
        f"[{table}] {key}: was {written.get(table, {}).get(key)!r}, is {value!r}"
        for table, values in asked.items()
        if table not in _FREE
        for key, value in values.items()
        if written.get(table, {}).get(key) != value and (table, key) not in free
    ]
    if asked["run"]["seed"] != written["run"]["seed"]:
        differences.append(f"[run] seed: was {written['run']['seed']}, is {asked['run']['seed']}")
    if differences:
        raise InputError(
            differences, f"The checkpoint {path} was written with other settings; use another out folder or --fresh:"
        )


def _split(state: dict[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Part an optimiser's state into tensors and JSON; bitsandbytes nests its tensors one level deeper than torch."""
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, dict[str, Any]] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            nested = value if isinstance(value, dict) else {"": value}
            for inner, item in nested.items():
                if isinstance(item, torch.Tensor):
                    # A copy: safetensors refuses tensors that share storage, as quantisation maps do.
                    tensors[f"{index}.{name}.{inner}".removesuffix(".")] = item.detach().cpu().clone().contiguous()
                elif inner:
                    values.setdefault(str(index), {}).setdefault(name, {})[inner] = item
                else:
                    values.setdefault(str(index), {})[name] = item
    return tensors, {"values": values, "param_groups": state["param_groups"]}


def _join(tensors: dict[str, torch.Tensor], plain: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {int(index): dict(entries) for index, entries in plain["values"].items()}
    for path, value in tensors.items():
        index, *outer, key = path.split(".")
        entries = state.setdefault(int(index), {})
        for name in outer:
            entries = entries.setdefault(name, {})
        entries[key] = value
    return {"state": state, "param_groups": plain["param_groups"]}
