"""The recipe of the Stable Diffusion minis: captions, holes, batches, all stages on a handful of scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini import data as data_module
from benchmark_data.recipes.kontext_mini.data import FIRST_SEED, Groups, build
from benchmark_data.recipes.sd_mini import objects as objects_module
from benchmark_data.recipes.sd_mini.batches import Latents, draw, hole
from benchmark_data.recipes.sd_mini.captions import caption, vocabulary
from benchmark_data.recipes.sd_mini.networks import DEEP_FOLDER, KINDS, TextAndUnet, begin_shallow, build_shallow_vae
from benchmark_data.recipes.sd_mini.objects import annotate, read_objects
from benchmark_data.recipes.sd_mini.recogniser import lone_scenes, recognise, train_recogniser
from benchmark_data.scenes import BACKDROPS, CLASSES, COLOURS, make_scene
from rses.errors import InputError


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
    other = TextAndUnet("instruct-pix2pix")
    other.begin_from(first)
    with torch.no_grad():
        same = other(noisy, times, texts, torch.randn(2, 16, 16, 16))
        torch.testing.assert_close(same, first(noisy, times, texts))
    other = TextAndUnet("sd-inpaint")
    other.begin_from(first)
    torch.testing.assert_close(other.encode(texts), first.encode(texts))


def test_the_shallow_autoencoder_begins_as_the_outer_levels_of_the_deep_one():
    model = build_shallow_vae()
    begin_shallow(model, DEEP_FOLDER)
    deep = AutoencoderKL.from_pretrained(DEEP_FOLDER, subfolder="vae").float()
    torch.manual_seed(0)
    pixels, inner = torch.randn(1, 3, 32, 32), torch.randn(1, 32, 32, 32)
    with torch.no_grad():
        for mine, theirs in (
            (model.encoder.down_blocks[0](model.encoder.conv_in(pixels)),
             deep.encoder.down_blocks[0](deep.encoder.conv_in(pixels))),
            (model.decoder.up_blocks[2](inner), deep.decoder.up_blocks[3](inner)),
        ):  # fmt: skip
            torch.testing.assert_close(mine, theirs)
    assert model.encode(pixels).latent_dist.mean.shape == (1, 4, 8, 8)


def test_the_recogniser_learns_from_scenes_of_one_object():
    scenes = lone_scenes(7, 8)
    assert [scene.target.name for scene in scenes] == list(CLASSES)[:8]
    assert all(len(scene.objects) == 1 for scene in scenes)
    images = [scene.image for scene in scenes]
    model = train_recogniser(8, epochs=40, batch_size=8, first_seed=7)
    assert recognise(model, images) == [scene.target.name for scene in scenes]
    assert recognise(model, images[::-1]) == [scene.target.name for scene in scenes[::-1]]


def test_only_text_to_image_draws_scenes_of_one_object(tmp_path, capsys):
    from benchmark_data.recipes.sd_mini import train

    with pytest.raises(SystemExit) as stop:
        train.main(["sd-inpaint", "--data", str(tmp_path), "--work", str(tmp_path), "--alone", "0.5"])
    assert stop.value.code == 2
    assert "only stage sd" in capsys.readouterr().err


@pytest.mark.slow
def test_all_stages_run_resume_and_export(tmp_path, monkeypatch):
    from benchmark_data.recipes.sd_mini import curves, train
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
    train.run("latents", data, work, {})
    train.run("shallow", data, work, {"steps": 1, "batch_size": 1})
    train.run("shallow-latents", data, work, {})
    train.run("shallow-masked", data, work, {})
    plain = Latents(data, work / "latents")
    shallow = Latents(data, work / "shallow-latents", work / "shallow-masked")
    assert len(plain) == len(shallow) == len(Groups(data)) == 3
    assert not torch.equal(shallow.whole([0], [0]), shallow.masked([0], [0]))
    plain.single = []
    with pytest.raises(InputError, match="make more scenes"):
        draw(plain, "sd", 0, 8, alone=1.0)
    plain.single = [1]
    alone = draw(plain, "sd", 0, 8, alone=1.0)
    known = plain.whole([1, 1, 1], [0, 1, 2]) * plain.scale
    assert all(any(torch.equal(row, view) for view in known) for row in alone.target)
    share = torch.from_numpy(objects[1].masks.any(0)).float().mean()
    torch.testing.assert_close(alone.objects.mean((1, 2, 3)), share.expand(8))
    for kind, facts in KINDS.items():
        latents = shallow if kind == "sd-inpaint" else plain
        batch = draw(latents, kind, 0, 4)
        assert batch.target.shape == (4, facts.channels, facts.side, facts.side)
        assert (0 if batch.beside is None else batch.beside.shape[1]) == facts.beside
        for steps in (1, 2):
            changes = {"steps": steps, "batch_size": 2, "checkpoint_every": 1, "focus": 1.0}
            train.run(kind, data, work, changes | ({"alone": 0.5} if kind == "sd" else {}))
        export(kind, work, tmp_path / f"{kind}-mini")
        assert (tmp_path / f"{kind}-mini" / "vae").exists() == (kind != "instruct-pix2pix")
        for stage in ("shallow", kind):
            (work / f"{stage}.jsonl").write_text('{"step": 50, "loss": 2.0, "psnr": 9.0}\n')
        curves.main([kind, "--work", str(work), "--out", str(tmp_path / f"{kind}-mini")])
        logs = json.loads((tmp_path / f"{kind}-mini" / "training.json").read_text())
        assert logs[kind] == [{"step": 50, "loss": 2.0, "psnr": 9.0}]
        index = json.loads((tmp_path / f"{kind}-mini" / "model_index.json").read_text())
        assert index["_class_name"] == PIPELINES[kind]
    files = set(tmp_path.glob("*-mini/**/*.safetensors")) - set((tmp_path / "sd-mini" / "vae").iterdir())
    assert sum(path.stat().st_size for path in files) < 40e6


@pytest.mark.slow
def test_the_adapters_run_on_what_is_exported(tmp_path):
    from baselines.instruct_pix2pix import InstructPix2Pix
    from baselines.prompt_to_prompt import PromptToPrompt
    from baselines.sd2_inpainting import Sd2Inpainting
    from benchmark_data.recipes.kontext_mini.checkpoints import save_checkpoint
    from benchmark_data.recipes.sd_mini.export import export
    from rses.methods import EditSample

    rng = np.random.default_rng(0)
    mask = np.zeros((96, 128), bool)
    mask[20:60, 30:80] = True
    image = rng.integers(0, 255, (96, 128, 3), np.uint8)
    sample = EditSample("a", image, "cat", "pixel art", "make the cat in pixel art style", 0, mask)
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "shallow.pt", 1, {"average": build_shallow_vae()})
    (tmp_path / "shallow-latents").mkdir()
    (tmp_path / "shallow-latents" / "scale.json").write_text("[0.0, 0.7]")
    adapters = {"sd": PromptToPrompt, "instruct-pix2pix": InstructPix2Pix, "sd-inpaint": Sd2Inpainting}
    for kind, adapter in adapters.items():
        torch.manual_seed(0)
        save_checkpoint(tmp_path / f"{kind}.pt", 1, {"average": TextAndUnet(kind)})
        export(kind, tmp_path, tmp_path / f"{kind}-mini")
        method = adapter(str(tmp_path / f"{kind}-mini"), steps=2)
        method.load("cpu", "float32")
        assert method.edit([sample])[0].image.shape == image.shape
