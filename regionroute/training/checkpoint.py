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
from rses.errors import InputError, Place
from rses.files.text import parse_json

FORMAT = 1
_FREE = ("run",)
"""Tables that may differ between the run that wrote a checkpoint and the one that goes on from it."""
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError)
"""What reading a damaged checkpoint raises."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from: LoRA tensors by parameter name, and the optimiser's state dictionary."""

    step: int
    weights: dict[str, torch.Tensor]
    optimiser: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, weights: dict[str, torch.Tensor], optimiser: dict[str, Any], config: TrainConfig,
    keep: int = 2,
) -> Path:  # fmt: skip
    """Write ``folder/step-000123`` and delete all but the newest ``keep``."""
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
    remove_old(folder, keep)
    return target


def remove_old(folder: Path, keep: int = 2) -> None:
    """Delete all but the newest checkpoints, and what a process that was killed left of one."""
    for old in [*_checkpoints(folder)[:-keep], *folder.glob(".step-*.tmp")]:
        shutil.rmtree(old)


def latest_checkpoint(folder: Path, config: TrainConfig) -> Checkpoint | None:
    """Read the newest checkpoint, or return None where there is none.

    Raises:
        InputError: It was written by another version, with other settings, or is damaged.
    """
    found = _checkpoints(folder)
    if not found:
        return None
    path = found[-1]
    try:
        state = parse_json((path / "state.json").read_bytes(), allow_nan=True)
        if state["format"] != FORMAT:
            raise InputError(
                f"The checkpoint {path} has format {state['format']}, this version reads {FORMAT}. "
                "Finish the run with the version that began it, or start again with --fresh.",
                code="other-version",
                place=Place(str(path)),
            )
        _check_settings(path, state["config"], config)
        weights = safetensors.torch.load_file(path / "lora.safetensors")
        optimiser = _join(safetensors.torch.load_file(path / "optimiser.safetensors"), state["optimiser"])
        if type(state["step"]) is not int or f"step-{state['step']:06d}" != path.name:
            raise ValueError(f"it says that it is of step {state['step']!r}")
        return Checkpoint(state["step"], weights, optimiser)
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def load_optimiser(optimiser: torch.optim.Optimizer, found: Checkpoint, folder: Path) -> None:
    """Bring an optimiser to the state of a checkpoint in a folder.

    Raises:
        InputError: The state is not one of this optimiser: it is damaged.
    """
    own = json.loads(json.dumps(optimiser.state_dict()["param_groups"]))
    try:
        written = found.optimiser["param_groups"]
        for group, asked in zip(written, own, strict=True):
            for key in sorted(group.keys() & asked.keys() - {"lr"}):
                if group[key] != asked[key]:
                    raise ValueError(f"its {key} is {str(group[key])[:40]}, expected {str(asked[key])[:40]}")
        optimiser.load_state_dict(found.optimiser)
        for parameter, entries in optimiser.state.items():
            for name in ("exp_avg", "exp_avg_sq"):
                if name in entries and entries[name].shape != getattr(parameter, "shape", None):
                    raise ValueError(f"{name} of a weight has another shape than the weight")
    except (*_DAMAGE, IndexError, RuntimeError) as error:
        raise _damaged(folder / f"step-{found.step:06d}", error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"The checkpoint {path} is damaged ({error}). Delete that folder to go on from the one before it, "
        "or start again with --fresh.",
        code="damaged",
        place=Place(str(path)),
    )


def _checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a run, oldest first; steps of seven digits come after those of six."""
    return sorted(folder.glob("step-*"), key=lambda path: (len(path.name), path.name))


def _check_settings(path: Path, written: dict[str, Any], config: TrainConfig) -> None:
    asked = json.loads(json.dumps(config.to_dict()))
    # A falling learning rate depends on where it is to end: a longer run would have fallen more slowly from the start.
    free = {("optimiser", "steps")} if config.optimiser.schedule == "constant" else set()
    # A key that is younger than the checkpoint had no effect then, as its default has none.
    before = {table: {**values, **written.get(table, {})} for table, values in TrainConfig().to_dict().items()}
    before = json.loads(json.dumps(before))
    differences = [
        f"[{table}] {key}: was {before[table][key]!r}, is {value!r}"
        for table, values in asked.items()
        if table not in _FREE
        for key, value in values.items()
        if before[table][key] != value and (table, key) not in free
    ]
    if asked["run"]["seed"] != written["run"]["seed"]:
        differences.append(f"[run] seed: was {written['run']['seed']}, is {asked['run']['seed']}")
    if differences:
        raise InputError(
            differences,
            f"The checkpoint {path} was written with other settings; use another out folder or --fresh:",
            code="other-run",
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
