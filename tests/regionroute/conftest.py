"""Inputs shaped like those of the Kontext pipeline, and training pairs, for the tiny model of the conftest above."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

CHANNELS, TEXT, POOLED = 64, 32, 16
"""Of the tiny transformer in the conftest above."""


def make_inputs(batch: int = 2, text: int = 8, grid: tuple[int, int] = (4, 4), seed: int = 0) -> dict[str, object]:
    """Keyword arguments of a forward pass: target tokens, then as many context tokens, as in Kontext."""
    generator = torch.Generator().manual_seed(seed)
    height, width = grid
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    target_ids = torch.stack([torch.zeros(height, width), rows.float(), columns.float()], dim=-1).reshape(-1, 3)
    context_ids = target_ids.clone()
    # The pipeline tells the context from the target by the first coordinate alone.
    context_ids[:, 0] = 1
    image = 2 * height * width
    return {
        "hidden_states": torch.randn(batch, image, CHANNELS, generator=generator),
        "encoder_hidden_states": torch.randn(batch, text, TEXT, generator=generator),
        "pooled_projections": torch.randn(batch, POOLED, generator=generator),
        "timestep": torch.rand(batch, generator=generator),
        "guidance": torch.full((batch,), 2.5),
        "img_ids": torch.cat([target_ids, context_ids]),
        "txt_ids": torch.zeros(text, 3),
        "return_dict": False,
    }


@pytest.fixture
def flux_inputs() -> Callable[..., dict[str, object]]:
    """``flux_inputs(batch=2, text=8, grid=(4, 4), seed=0)``: keyword arguments for ``transformer.forward``."""
    return make_inputs


@pytest.fixture(scope="session")
def tiny_experts(tiny_kontext: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with random experts of the tiny base in "pixel art" and "line art"; copy it to change it."""
    from regionroute.base import load_base
    from regionroute.experts import LoraSettings, add_expert, save_expert

    folder = tmp_path_factory.mktemp("experts")
    for seed, style in enumerate(("pixel art", "line art")):
        transformer = load_base(str(tiny_kontext)).transformer
        torch.manual_seed(seed)
        for parameter in add_expert(transformer, style, LoraSettings()):
            torch.nn.init.normal_(parameter, std=0.5)
        save_expert(transformer, style, folder / f"{style.replace(' ', '-')}.safetensors")
    return folder


@pytest.fixture(scope="session")
def tiny_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with six training pairs of 64 x 64 in "pixel art" and two in "line art"."""
    from regionroute.data.builder import build_pairs
    from rses.images.tensors import write_png
    from rses.suites import write_manifest

    folder = tmp_path_factory.mktemp("pairs")
    suite = folder / "suite"
    rng = np.random.default_rng(0)
    rows = []
    for number in range(8):
        name = f"s{number}"
        mask = np.zeros((64, 64, 3), np.uint8)
        mask[8 + 2 * number : 40 + 2 * number, 16:48] = 255
        write_png(suite / "images" / f"{name}.png", rng.integers(0, 255, (64, 64, 3), np.uint8))
        write_png(suite / "masks" / f"{name}.png", mask)
        style = "pixel art" if number < 6 else "line art"
        rows.append(
            {"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png", "object": "cat",
             "style": style, "prompt": f"make the cat in {style} style, keep other area unchanged",
             "dataset": "test", "tags": []}
        )  # fmt: skip
    (suite / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (suite / "README.md").write_text("Noise.")
    write_manifest(suite, "tiny", "1", "CC0-1.0")
    build_pairs(suite, folder / "pairs", style=None, limit=None)
    return folder / "pairs"
