"""The recipe of the Stable Diffusion minis: captions, holes, batches, all stages on a handful of scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from benchmark_data.recipes.kontext_mini import data as data_module
from benchmark_data.recipes.kontext_mini.data import FIRST_SEED, Groups, build
from benchmark_data.recipes.sd_mini import objects as objects_module
from benchmark_data.recipes.sd_mini.batches import Latents, draw, hole
from benchmark_data.recipes.sd_mini.captions import caption, vocabulary
from benchmark_data.recipes.sd_mini.networks import CHANNELS, KINDS, TextAndUnet
from benchmark_data.recipes.sd_mini.objects import annotate, read_objects
from benchmark_data.recipes.sd_mini.stage import UnetSettings, train_unet
from benchmark_data.scenes import BACKDROPS, CLASSES, COLOURS, make_scene


def test_captions_are_made_of_known_words_and_name_the_style():
    rng, known = np.random.default_rng(0), set(vocabulary())
    for _ in range(200):
        style = [None, "pixel art", "line art", "cyberpunk", "expressionism"][int(rng.integers(5))]
        things = [(str(rng.choice(list(CLASSES))), str(rng.choice(list(COLOURS)))) for _ in range(2)]
        text = caption(rng, things, str(rng.choice(list(BACKDROPS))), style)
        assert set(text.split()) <= known
        assert style is None or style in text
        assert any(name in text for name, _ in things)


def test_wider_models_begin_as_the_text_to_image_model():
    torch.manual_seed(0)
    first = TextAndUnet("sd")
    noisy, times, texts = torch.randn(2, 16, 16, 16), torch.tensor([5, 900]), ["a cat", "a dog in line art style"]
    for kind in ("instruct-pix2pix", "sd-inpaint"):
        other = TextAndUnet(kind)
        other.begin_from(first)
        with torch.no_grad():
            same = other(noisy, times, texts, torch.randn(2, KINDS[kind], 16, 16))
            torch.testing.assert_close(same, first(noisy, times, texts))


@pytest.mark.slow
def test_all_stages_run_resume_and_export(tmp_path, monkeypatch):
    from benchmark_data.recipes.kontext_mini.latents import encode_all
    from benchmark_data.recipes.kontext_mini.networks import build_vae
    from benchmark_data.recipes.sd_mini import train
    from benchmark_data.recipes.sd_mini.export import PIPELINES, export

    for module in (data_module, objects_module):
        monkeypatch.setattr(module, "SHARD", 3)
    data, work = tmp_path / "data", tmp_path / "work"
    build(data, 1, 1)
    annotate(data, 1)
    objects = read_objects(data)
    scene = make_scene(FIRST_SEED, 128)
    assert objects[0].things == tuple((thing.name, thing.colour) for thing in scene.objects)
    assert np.array_equal(objects[0].masks[0], scene.objects[0].mask > 0.5)
    assert (hole(objects[0].masks, 0) | ~objects[0].masks.any(0)).mean() > 0.5
    encode_all(data, work / "latents", build_vae().eval())
    train.run("masked", data, work, {})
    latents = Latents(data, work)
    assert len(latents) == len(Groups(data)) == 3
    for kind, beside in KINDS.items():
        batch = draw(latents, kind, 0, 4)
        assert batch.target.shape == (4, CHANNELS, 16, 16)
        assert (0 if batch.beside is None else batch.beside.shape[1]) == beside
        small = {"batch_size": 2, "checkpoint_every": 1}
        begin = None if kind == "sd" else lambda model: model.begin_from(train.trained("sd", work))
        for steps in (1, 2):
            train_unet(kind, latents, work / f"{kind}.pt", UnetSettings(steps=steps, **small), work / "log", begin)
        export(kind, work, tmp_path / f"{kind}-mini")
        assert not (tmp_path / f"{kind}-mini" / "vae").exists()
        index = json.loads((tmp_path / f"{kind}-mini" / "model_index.json").read_text())
        assert index["_class_name"] == PIPELINES[kind]
    files = list(tmp_path.glob("*-mini/**/*.safetensors"))
    assert sum(path.stat().st_size for path in files) < 40e6


@pytest.mark.slow
def test_the_adapters_run_on_what_is_exported(tmp_path):
    from baselines.instruct_pix2pix import InstructPix2Pix
    from baselines.prompt_to_prompt import PromptToPrompt
    from benchmark_data.recipes.kontext_mini.checkpoints import save_checkpoint
    from benchmark_data.recipes.sd_mini.export import export
    from rses.methods import EditSample

    rng = np.random.default_rng(0)
    mask = np.zeros((96, 128), bool)
    mask[20:60, 30:80] = True
    image = rng.integers(0, 255, (96, 128, 3), np.uint8)
    sample = EditSample("a", image, "cat", "pixel art", "make the cat in pixel art style", 0, mask)
    # Not sd-inpaint: its pipeline takes UNets of 4 or 9 channels alone, so that model needs an autoencoder with 4.
    adapters = {"sd": PromptToPrompt, "instruct-pix2pix": InstructPix2Pix}
    for kind, adapter in adapters.items():
        torch.manual_seed(0)
        save_checkpoint(tmp_path / f"{kind}.pt", 1, {"average": TextAndUnet(kind)})
        export(kind, tmp_path, tmp_path / f"{kind}-mini")
        method = adapter(str(tmp_path / f"{kind}-mini"), steps=2)
        method.load("cpu", "float32")
        assert method.edit([sample])[0].image.shape == image.shape
