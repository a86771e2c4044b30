"""The embedded Stable Diffusion minis: true classes, their size, their cards, and that they do their job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from baselines.diffusion import mini_folder
from benchmark_data.recipes.sd_mini.evaluate import render_card_table
from rses.bench import Shard, merge_runs, run_bench
from rses.images.decode import read_image
from rses.methods import get_method
from rses.scoring.scorer import RSES

CLASSES = {
    "sd-mini": "StableDiffusionPipeline",
    "instruct-pix2pix-mini": "StableDiffusionInstructPix2PixPipeline",
    "sd-inpaint-mini": "StableDiffusionInpaintPipeline",
}
METHODS = ("instruct-pix2pix", "prompt-to-prompt", "sdedit", "sd2-inpainting")


def test_together_they_are_at_most_40_megabytes_beside_the_autoencoder_that_two_share():
    shared = mini_folder("sd-mini") / "vae"
    files = [path for name in CLASSES for path in mini_folder(name).rglob("*.safetensors") if path.parent != shared]
    assert len(files) == 7
    assert sum(path.stat().st_size for path in files) <= 40e6
    assert sum(path.stat().st_size for path in shared.glob("*.safetensors")) <= 13e6
    strange = [path for name in CLASSES for path in mini_folder(name).rglob("*") if path.suffix in (".bin", ".pt")]
    assert not strange


@pytest.mark.parametrize("name", CLASSES)
def test_cards_show_how_the_weights_were_made_and_what_was_measured(name):
    folder = mini_folder(name)
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == CLASSES[name]
    card = (folder / "README.md").read_text("utf-8")
    for word in ("seed 0", "python -m benchmark_data.recipes.sd_mini", "training.json", "## Measured", "## Limits"):
        assert word in card, word
    pictures = sorted(path.name for path in (folder / "images").iterdir())
    assert "training.png" in pictures
    assert all(f"images/{picture}" in card for picture in pictures)
    assert json.loads((folder / "training.json").read_text())
    table = card.partition("<!-- table: begin -->")[2].partition("<!-- table: end -->")[0]
    assert table.strip() == render_card_table(json.loads((folder / "evaluation.json").read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_batches_and_shards_change_no_image_by_more_than_a_grey_level(tmp_path, name):
    scorer = RSES("rses-mini", device="cpu")
    method = get_method(name)
    assert method.card.name == f"{name}-mini"
    run_bench(method, "mini", tmp_path / "whole", scorer=scorer, limit=2, batch_size=2)
    run_bench(method, "mini", tmp_path / "single", scorer=scorer, limit=2, batch_size=1)
    parts = [tmp_path / "one", tmp_path / "two"]
    for number, part in enumerate(parts, 1):
        run_bench(method, "mini", part, scorer=scorer, limit=2, batch_size=2, shard=Shard(number, 2))
    merge_runs(parts, tmp_path / "merged")
    first = edits(tmp_path / "whole")
    assert len(first) == 2
    for other in ("single", "merged"):
        for image_id, image in edits(tmp_path / other).items():
            assert np.abs(image.astype(int) - first[image_id]).max() <= 1, (other, image_id)


def edits(folder: Path):
    return {path.stem: read_image(path) for path in sorted((folder / "images").glob("*.png"))}
