"""What training and editing with RegionRoute read: experts, checkpoints, configurations, pairs, logs."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.images import encoded, photo, region
from tests.fuzz.targets.suites import read_files
from tests.fuzz.targets.tables import lines

TINY = {
    "in_channels": 64, "num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2,
    "joint_attention_dim": 32, "pooled_projection_dim": 16, "guidance_embeds": True, "axes_dims_rope": (4, 6, 6),
}  # fmt: skip


@functools.cache
def _transformer() -> Any:
    import torch
    from diffusers import FluxTransformer2DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FluxTransformer2DModel(**TINY).eval()


def _experts() -> list[Files]:
    import torch
    from safetensors.torch import save

    from regionroute.lora_format import ADAPTER, LoraFile, LoraSettings, lora_layers, lora_shapes, write_lora

    layers = lora_layers(_transformer(), LoraSettings())
    shapes = lora_shapes(layers, 2)
    tensors = {key: torch.ones(shape) for key, shape in shapes.items()}
    stated = {"transformer.r": 2, "transformer.lora_alpha": 4}
    with tempfile.TemporaryDirectory() as place:
        named = {key.removeprefix("transformer."): value for key, value in tensors.items()}
        path = Path(place) / "own.safetensors"
        write_lora(path, LoraFile(LoraSettings(rank=2), named, {"base": "x"}), "pixel art")
        own = path.read_bytes()
    files = [save(tensors), save({k: t.half() for k, t in tensors.items()}, {ADAPTER: json.dumps(stated)}), own]
    return [{"expert.safetensors": data} for data in files]


def _read_expert(folder: Path) -> None:
    from regionroute.lora_format import read_lora

    read_lora(folder / "expert.safetensors", _transformer())


@functools.cache
def _config() -> Any:
    from regionroute.training.config import parse_config

    return parse_config({"data": {"style": "pixel-art"}, "run": {"out": "out"}})


def _checkpoint() -> Files:
    import torch

    from regionroute.training.checkpoint import save_checkpoint

    weight = torch.nn.Parameter(torch.ones(2, 3))
    optimiser = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimiser.step()
    with tempfile.TemporaryDirectory() as place:
        save_checkpoint(Path(place), 7, {"a.weight": weight}, optimiser.state_dict(), _config())
        return read_files(Path(place))


def _read_checkpoint(folder: Path) -> None:
    import torch

    from regionroute.training.checkpoint import latest_checkpoint, load_optimiser

    found = latest_checkpoint(folder, _config())
    assert found is not None
    load_optimiser(torch.optim.AdamW([torch.nn.Parameter(torch.ones(2, 3))]), found, folder)


def _configs() -> list[Files]:
    folder = Path(__file__).resolve().parents[3] / "regionroute" / "configs"
    return [{"own.toml": path.read_bytes()} for path in sorted(folder.glob("*.toml"))]


def _read_config(folder: Path) -> None:
    from regionroute.training.config import load_config

    load_config(folder / "own.toml")


def _train_words(folder: Path) -> Sequence[str]:
    return ("train", "--config", str(folder / "own.toml"), "--out", str(folder / "out"), "--pairs",
            str(folder / "nothing"), "--style", "pixel art")  # fmt: skip


def _pairs() -> list[Files]:
    pictures: dict[str, bytes] = {}
    rows, records = [], []
    for name in ("a", "b"):
        pictures |= {f"{kind}/{name}.png": encoded(photo()) for kind in ("images", "targets")}
        pictures |= {f"masks/{name}.png": encoded(region()), f"masks/mask_{name}_cat.png": encoded(region())}
        prompt = "make the cat in pixel art style, keep other area unchanged"
        rows.append({"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png",
                     "target_file_name": f"targets/{name}.png", "object": "cat", "style": "pixel art",
                     "prompt": prompt})  # fmt: skip
        records.append({"prompt": prompt, "image_path": f"targets/{name}.png", "original_path": f"images/{name}.png",
                        "mask_dir": "masks", "image_name": name, "objects": {"cat": "pixel-art"}})  # fmt: skip
    return [
        {**pictures, "metadata.jsonl": lines(rows)},
        {**pictures, "manifest.json": json.dumps(records).encode()},
    ]


def _read_pairs(folder: Path) -> None:
    from regionroute.data import read_pairs

    manifest = folder / "manifest.json"
    read_pairs(manifest if manifest.is_file() else folder)


def _facts() -> list[Files]:
    facts = {"buckets": [[64, 64], [96, 64]], "text_length": 24, "guidance": 1.0, "steps": 2}
    return [{"regionroute.json": json.dumps(facts).encode()}]


def _read_facts(folder: Path) -> None:
    from regionroute.base import base_facts

    facts = base_facts(str(folder))
    assert isinstance(facts.steps, int), facts


def _log() -> list[Files]:
    return [{"train.jsonl": lines([{"step": step, "loss": 0.5} for step in range(1, 6)])}]


def _read_log(folder: Path) -> None:
    from regionroute.training.journal import Journal
    from rses.files.text import parse_json

    out = folder / "out"
    out.mkdir()
    (out / "train.jsonl").write_bytes((folder / "train.jsonl").read_bytes())
    with Journal(out, 3, tensorboard=False) as journal:
        journal.write(4, {"loss": 0.25})
    steps = [parse_json(line)["step"] for line in (out / "train.jsonl").read_text("utf-8").split("\n") if line]
    assert steps[-1] == 4, steps


def targets() -> list[Target]:
    """All that training and editing read."""
    return [
        Target("lora", _experts, _read_expert, (".safetensors",)),
        Target("checkpoint", lambda: [_checkpoint()], _read_checkpoint, (".json", ".safetensors")),
        Target("training config", _configs, _read_config, (".toml",), _train_words, "regionroute"),
        Target("training pairs", _pairs, _read_pairs, (".json", ".jsonl")),
        Target("base facts", _facts, _read_facts, (".json",)),
        Target("training log", _log, _read_log, (".jsonl",)),
    ]
