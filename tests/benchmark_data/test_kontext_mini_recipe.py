"""The recipe of kontext-mini: data, tokenizers, optimiser, all stages on a handful of scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from baselines.classical import stylize
from benchmark_data.recipes.kontext_mini import data as data_module
from benchmark_data.recipes.kontext_mini.beginning import widen
from benchmark_data.recipes.kontext_mini.data import STYLES, VIEWS, Groups, build, make_group
from benchmark_data.recipes.kontext_mini.held_out import recolour_questions, style_questions
from benchmark_data.recipes.kontext_mini.muon import Muon, orthogonalise
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt, words
from benchmark_data.scenes import COLOURS, make_scene
from benchmark_data.scenes.catalogue import CLASSES
from regionroute.styles import find_style


def test_a_group_holds_regional_edits_and_global_styles_only():
    group = make_group(20_000_007)
    scene = make_scene(20_000_007, 128)
    assert group.images.shape == (VIEWS, 128, 128, 3)
    for number, fact in enumerate(group.recolourings, start=1):
        changed = (group.images[number].astype(int) != group.images[0]).any(-1)
        thing = next(t for t in scene.objects if t.label == fact.before)
        assert changed.any()
        # Edges are smooth, so the change may reach one pixel beyond the mask's half-covered pixels.
        grown = np.pad(thing.mask > 0, 2)
        reach = np.zeros_like(changed)
        for dy in range(5):
            for dx in range(5):
                reach |= grown[dy : dy + 128, dx : dx + 128]
        assert not (changed & ~reach).any()
        assert fact.old != fact.new
    for style, image in zip(STYLES, group.images[3:], strict=True):
        assert np.array_equal(image, stylize(group.images[0], style, seed=0))


def test_prompts_are_made_of_known_words_and_never_ask_for_a_regional_style():
    rng = np.random.default_rng(0)
    known = set(words(CLASSES, COLOURS))
    for _ in range(200):
        style = STYLES[int(rng.integers(4))]
        asked = style_prompt(rng, style)
        assert find_style(asked).style == style
        assert not any(name in asked.split() for name in CLASSES)
        for prompt in (asked, recolour_prompt(rng, "grey cat", "red")):
            assert set(prompt.replace(",", " ").replace("-", " ").split()) <= known


def test_muon_finds_the_way_down_and_its_steps_are_orthogonal():
    torch.manual_seed(0)
    matrix = torch.randn(24, 64)
    values = torch.linalg.svdvals(orthogonalise(matrix))
    assert values.min() > 0.6
    assert values.max() < 1.3
    weight, wanted = torch.nn.Parameter(torch.zeros(8, 16)), torch.randn(8, 16)
    optimiser = Muon([weight], lr=0.3)
    errors = []
    for step in range(60):
        optimiser.param_groups[0]["lr"] = 0.3 * (1 - step / 60)
        loss = (weight - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(loss.item())
    assert errors[-1] < 0.05 * errors[0]


def test_questions_hold_out_scenes():
    question = next(recolour_questions(1))
    assert set(question.renderings) == set(COLOURS)
    assert question.colour in question.prompt
    assert question.mask.dtype == bool
    changed = (question.renderings[question.colour] != question.source).any(-1)
    assert changed[question.mask].mean() > 0.2
    styles = [question.style for question in style_questions(4)]
    assert styles == list(STYLES)


def test_a_widened_autoencoder_does_what_the_narrow_one_did_until_it_learns():
    torch.manual_seed(0)
    narrow, wide, other = (_autoencoder(widths) for widths in ((8, 16), (8, 32), (8, 24)))
    for parameter in narrow.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    widen(narrow, wide)
    pixels = torch.randn(2, 3, 16, 16)
    before, after = narrow(pixels).sample, wide(pixels).sample
    assert before.std() > 0.1
    assert torch.allclose(before, after, atol=1e-5)
    after.square().mean().backward()
    gradient = wide.decoder.mid_block.resnets[0].conv2.weight.grad
    first, second = gradient.unflatten(1, (4, 2, -1)).unbind(2)
    assert torch.allclose(first, second, atol=1e-6)  # Equal inputs, equal gradients ...
    above, below = gradient.unflatten(0, (4, 2, -1)).unbind(1)
    assert not torch.allclose(above, below, atol=1e-6)  # ... but what is made of their outputs differs.
    with pytest.raises(ValueError, match="cannot become"):
        widen(narrow, other)


def _autoencoder(widths: tuple[int, ...]) -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=widths, latent_channels=4, norm_num_groups=4, mid_block_add_attention=False,
    )  # fmt: skip


@pytest.mark.slow
def test_all_stages_run_resume_and_export(tmp_path, monkeypatch):
    from benchmark_data.recipes.kontext_mini import train
    from benchmark_data.recipes.kontext_mini.curves import read_logs
    from benchmark_data.recipes.kontext_mini.export import export
    from benchmark_data.recipes.kontext_mini.flow_stage import FlowSettings, train_flow
    from benchmark_data.recipes.kontext_mini.latents import LatentGroups
    from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings, train_vae
    from regionroute.base import base_facts, load_base

    monkeypatch.setattr(data_module, "SHARD", 3)
    build(tmp_path / "data", 1, 1)
    groups = Groups(tmp_path / "data")
    assert len(groups) == 3
    work = tmp_path / "work"
    work.mkdir()
    small = {"batch_size": 2, "checkpoint_every": 1}
    train_vae(tmp_path / "data", work / "vae.pt", VaeSettings(steps=1, **small), work / "vae.jsonl")
    train_vae(tmp_path / "data", work / "vae.pt", VaeSettings(steps=2, **small), work / "vae.jsonl")
    train.run("whole", tmp_path / "data", work, {**small, "steps": 1})
    train.run("latents", tmp_path / "data", work, {})
    latents = LatentGroups(tmp_path / "data", work / "latents")
    tokens = latents.tokens(np.arange(3), np.zeros(3, int))
    assert tokens.shape == (3, 64, 64)
    assert 0.3 < tokens.std() < 3
    train_flow(latents, work / "flow.pt", FlowSettings(steps=1, **small), work / "flow.jsonl")
    train_flow(latents, work / "flow.pt", FlowSettings(steps=2, **small), work / "flow.jsonl")
    assert read_logs(work) == {}
    export(work, tmp_path / "model")
    pipe, facts = load_base(str(tmp_path / "model")), base_facts(str(tmp_path / "model"))
    assert type(pipe).__name__ == "FluxKontextPipeline"
    assert facts.buckets == ((128, 128),)
    assert 5e6 < sum(p.numel() for p in pipe.transformer.parameters()) < 1e7
    assert sum(path.stat().st_size for path in (tmp_path / "model").rglob("*.safetensors")) < 25e6
    assert json.loads((tmp_path / "model" / "vae" / "config.json").read_text())["latent_channels"] == 16
