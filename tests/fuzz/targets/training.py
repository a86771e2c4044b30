"""What training and editing with RegionRoute read: experts, checkpoints, configurations, pairs, logs."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from regionroute.base import base_facts
from regionroute.data import read_pairs
from regionroute.lora_format import ADAPTER, LoraFile, LoraSettings, lora_layers, lora_shapes, read_lora, write_lora
from regionroute.training.checkpoint import latest_checkpoint, load_optimiser, save_checkpoint
from regionroute.training.config import load_config, parse_config
from regionroute.training.journal import Journal
from rses.files.text import parse_json
from tests.conftest import build_tiny
from tests.fuzz.sandbox import Files, Target
from tests.helpers.small import PROMPT, encoded, lines, photo, read_files, region, write_files

CONFIGS = Path(__file__).resolve().parents[3] / "regionroute" / "configs"


@functools.cache
def transformer() -> Any:
    return build_tiny(num_layers=1, num_single_layers=1)


def experts() -> list[Files]:
    layers = lora_layers(transformer(), LoraSettings())
    tensors = {key: torch.ones(shape) for key, shape in lora_shapes(layers, 2).items()}
    stated = {"transformer.r": 2, "transformer.lora_alpha": 4}
    with tempfile.TemporaryDirectory() as place:
        named = {key.removeprefix("transformer."): value for key, value in tensors.items()}
        path = Path(place) / "own.safetensors"
        write_lora(path, LoraFile(LoraSettings(rank=2), named, {"base": "x"}), "pixel art")
        own = path.read_bytes()
    half = save({key: tensor.half() for key, tensor in tensors.items()}, {ADAPTER: json.dumps(stated)})
    return [{"expert.safetensors": data} for data in (save(tensors), half, own)]


@functools.cache
def config() -> Any:
    return parse_config({"data": {"style": "pixel-art"}, "run": {"out": "out"}})


def checkpoint() -> list[Files]:
    weight = torch.nn.Parameter(torch.ones(2, 3))
    optimiser = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimiser.step()
    with tempfile.TemporaryDirectory() as place:
        save_checkpoint(Path(place), 7, {"a.weight": weight}, optimiser.state_dict(), config())
        return [read_files(Path(place))]


def read_checkpoint(folder: Path) -> None:
    found = latest_checkpoint(folder, config())
    assert found is not None
    load_optimiser(torch.optim.AdamW([torch.nn.Parameter(torch.ones(2, 3))]), found, folder)


def pairs() -> list[Files]:
    files: dict[str, bytes] = {}
    rows, records = [], []
    for name in ("a", "b"):
        files |= {f"{kind}/{name}.png": encoded(photo()) for kind in ("images", "targets")}
        files |= {f"masks/{mask}.png": encoded(region()) for mask in (name, f"mask_{name}_cat")}
        rows.append({"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png",
                     "target_file_name": f"targets/{name}.png", "object": "cat", "style": "pixel art",
                     "prompt": PROMPT})  # fmt: skip
        records.append({"prompt": PROMPT, "image_path": f"targets/{name}.png", "original_path": f"images/{name}.png",
                        "mask_dir": "masks", "image_name": name, "objects": {"cat": "pixel-art"}})  # fmt: skip
    return [{**files, "metadata.jsonl": lines(rows)}, {**files, "manifest.json": json.dumps(records).encode()}]


def read_either(folder: Path) -> None:
    manifest = folder / "manifest.json"
    read_pairs(manifest if manifest.is_file() else folder)


def facts() -> list[Files]:
    facts = {"buckets": [[64, 64], [96, 64]], "text_length": 24, "guidance": 1.0, "steps": 2}
    return [{"regionroute.json": json.dumps(facts).encode()}]


def read_facts(folder: Path) -> None:
    assert isinstance(base_facts(str(folder)).steps, int)


def read_log(folder: Path) -> None:
    out = write_files(folder / "out", read_files(folder))
    with Journal(out, 3, tensorboard=False) as journal:
        journal.write(4, {"loss": 0.25})
    steps = [parse_json(line)["step"] for line in (out / "train.jsonl").read_text("utf-8").split("\n") if line]
    assert steps[-1] == 4, steps


TRAIN = "regionroute train --config @/own.toml --out @/out --pairs @/nothing --style 'pixel art'"
TARGETS = [
    Target("lora", experts, lambda folder: read_lora(folder / "expert.safetensors", transformer()),
           (".safetensors",)),
    Target("checkpoint", checkpoint, read_checkpoint, (".json", ".safetensors")),
    Target("training config",
           lambda: [{"own.toml": (CONFIGS / f"{name}.toml").read_bytes()} for name in ("mini", "finder", "paper")],
           lambda folder: load_config(folder / "own.toml"), (".toml",), TRAIN),
    Target("training pairs", pairs, read_either, (".json", ".jsonl")),
    Target("base facts", facts, read_facts, (".json",)),
    Target("training log", lambda: [{"train.jsonl": lines([{"step": step, "loss": 0.5} for step in range(1, 6)])}],
           read_log, (".jsonl",)),
]  # fmt: skip
