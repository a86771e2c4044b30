"""The recipe of kontext-mini: data, tokenizers, optimiser, all stages on a handful of scenes."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch

from baselines.classical import stylize
from benchmark_data.recipes.kontext_mini import data as data_module
from benchmark_data.recipes.kontext_mini import vae_stage
from benchmark_data.recipes.kontext_mini.beginning import begin_decoder, begin_encoder
from benchmark_data.recipes.kontext_mini.checkpoints import load_weights, save_weights
from benchmark_data.recipes.kontext_mini.data import STYLES, VIEWS, Groups, build, make_group
from benchmark_data.recipes.kontext_mini.lower import multiply_in_bfloat16
from benchmark_data.recipes.kontext_mini.muon import Muon, orthogonalise
from benchmark_data.recipes.kontext_mini.naming import naming_loss
from benchmark_data.recipes.kontext_mini.networks import TextAndFlow, build_vae
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt, words
from benchmark_data.recipes.kontext_mini.vae_stage import VaeSettings
from benchmark_data.recipes.kontext_mini.windows import Window, boxes_inside, change_boxes, draw_window
from benchmark_data.scenes import COLOURS, make_scene
from benchmark_data.scenes.catalogue import CLASSES
from regionroute.flux import pack
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
        named = style_prompt(rng, style, "grey cat")
        assert find_style(named).style == style
        assert "grey cat" in named
        for prompt in (asked, named, recolour_prompt(rng, "grey cat", "red")):
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


def test_windows_have_the_true_places_of_their_tokens():
    whole, window = Window(0, 0, 16), Window(3, 5, 4)
    latents = np.random.default_rng(0).standard_normal((2, 16, 32, 32)).astype(np.float32)
    tokens = pack(torch.from_numpy(latents)).unflatten(1, (16, 16))
    inside = pack(torch.from_numpy(window.cut(latents)))
    assert torch.equal(inside, tokens[:, 3:7, 5:9].flatten(1, 2))
    ids = whole.ids().unflatten(0, (2, 16, 16))
    assert torch.equal(window.ids(), ids[:, 3:7, 5:9].flatten(0, 2))
    rng = np.random.default_rng(0)
    drawn = {draw_window(rng, 8, 16) for _ in range(2000)}
    assert {(w.top, w.left) for w in drawn} == {(row, column) for row in range(9) for column in range(9)}
    assert draw_window(rng, 16, 16) == whole


def test_boxes_hold_what_changed_and_count_as_inside_by_their_area():
    changed = np.zeros((3, 16, 16), bool)
    changed[0, 2:5, 7], changed[0, 4, 7:12] = True, True
    changed[1] = True
    boxes = change_boxes(changed)
    assert boxes.tolist() == [[2, 7, 5, 12], [0, 0, 16, 16], [0, 0, 0, 0]]
    assert boxes_inside(boxes, Window(0, 0, 16), 1.0).tolist() == [True, True, False]
    # Columns 7 to 9 of 7 to 11 are inside.
    assert boxes_inside(boxes, Window(0, 2, 8), 0.6).tolist() == [True, False, False]
    assert boxes_inside(boxes, Window(0, 2, 8), 0.61).tolist() == [False, False, False]


def test_the_encoder_starts_as_principal_components():
    torch.manual_seed(0)
    model = build_vae()
    pictures = torch.from_numpy(np.stack([make_scene(seed, 128).image for seed in range(4)]))
    pictures = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    begin_encoder(model, pictures)
    with torch.no_grad():
        latents = model.encode(pictures).latent_dist.mode()
    patches = torch.nn.functional.pixel_unshuffle(pictures, 4).permute(0, 2, 3, 1).flatten(0, 2).double()
    found = latents.permute(0, 2, 3, 1).flatten(0, 2).double()
    assert found.std() == pytest.approx(1.0, abs=0.02)
    assert found.mean(0).abs().max() < 0.02
    # What 16 components lose of the patches, by the singular values.
    centred = patches - patches.mean(0)
    lost = torch.linalg.svdvals(centred)[16:].square().sum() / centred.square().sum()
    told = found @ torch.linalg.lstsq(found, centred).solution
    assert (centred - told).square().sum() / centred.square().sum() == pytest.approx(lost.item(), rel=0.02)
    correlation = torch.corrcoef(found.T) - torch.eye(16)
    assert correlation.abs().max() < 0.01


def test_a_decoder_learns_the_same_in_bfloat16():
    torch.manual_seed(0)
    model, images = build_vae(), torch.rand(1, 3, 16, 16) * 2 - 1
    losses = []
    for lower in (False, True):
        loss, _ = vae_stage._loss(model, images, 0, VaeSettings(bfloat16=lower))
        model.zero_grad()
        loss.backward()
        losses.append(torch.cat([loss.detach()[None], model.decoder.conv_in.weight.grad.flatten()]))
    assert not torch.equal(*losses)
    assert torch.nn.functional.cosine_similarity(*losses, dim=0) > 0.99


def test_a_decoder_of_other_latents_is_taken_over(tmp_path):
    torch.manual_seed(0)
    other, model = build_vae(), build_vae()
    pictures = torch.rand(4, 3, 64, 64) * 2 - 1
    for vae in (other, model):
        begin_encoder(vae, pictures)
    # The same components, mixed: what the first kernel reads can be regressed without a remainder.
    mixed = torch.linalg.qr(torch.randn(16, 16)).Q
    with torch.no_grad():
        model.encoder.conv_out.weight[:16] = torch.einsum("ab,bcij->acij", mixed, model.encoder.conv_out.weight[:16])
    begin_decoder(model, other, pictures)
    with torch.no_grad():
        one, two = (vae.decode(vae.encode(pictures).latent_dist.mode()).sample for vae in (other, model))
    assert one.std() > 0.01
    assert torch.allclose(one, two, atol=1e-2 * one.std().item())


def test_without_a_pooled_vector_the_words_alone_decide():
    torch.manual_seed(0)
    model = TextAndFlow()
    torch.nn.init.normal_(model.transformer.proj_out.weight, std=0.1)
    for block in model.transformer.transformer_blocks:
        torch.nn.init.normal_(block.norm1.linear.weight, std=0.1)
    noisy, context = torch.randn(2, 1, 16, 64)
    rest = {"sigma": torch.tensor([0.5]), "guidance": torch.tensor([1.0]), "window": Window(2, 2, 4)}
    prompts = ["make the image in line art style"]
    states, _ = model.encode(prompts)
    pooled = model.encode([""])[1]
    expected = model.transformer(
        hidden_states=torch.cat([noisy, context], 1), encoder_hidden_states=states, pooled_projections=pooled,
        timestep=rest["sigma"], guidance=rest["guidance"], txt_ids=torch.zeros(24, 3), img_ids=Window(2, 2, 4).ids(),
    ).sample[:, :16]  # fmt: skip
    assert torch.allclose(model(noisy, context, prompts, silent=[True], **rest), expected, atol=1e-5)
    assert not torch.allclose(model(noisy, context, prompts, silent=[False], **rest), expected, atol=1e-3)


def test_readers_hear_the_blocks_inside_and_a_copy_hears_itself():
    torch.manual_seed(0)
    model = TextAndFlow()
    model.readers.heads[0].weight.data.zero_()
    model.readers.heads[0].bias.data.fill_(2.5)
    noisy, context = torch.randn(2, 1, 16, 64)
    rest = {"sigma": torch.tensor([0.5]), "guidance": torch.tensor([1.0]), "window": Window(2, 2, 4)}
    copied = copy.deepcopy(model)
    for each in (model, copied):
        each(noisy, context, ["make the cat red"], silent=[False], **rest)
    logits, again = model.readers.read(), copied.readers.read()
    assert logits.shape == (5, 1, 2, 16)
    assert torch.equal(logits, again)
    assert torch.equal(logits[0], torch.full((1, 2, 16), 2.5))
    assert len(logits[1].unique()) > 16
    assert any(parameter.grad is None for parameter in model.parameters())
    naming_loss(logits, torch.eye(1, 16, dtype=torch.bool), torch.tensor([True]))[0].backward()
    last, outside = model.transformer.single_transformer_blocks[-1], model.transformer.single_transformer_blocks[-2]
    assert last.attn.to_q.weight.grad is None
    assert outside.attn.to_q.weight.grad.abs().max() > 0
    assert model.t5.shared.weight.grad.abs().max() > 0


def test_the_naming_loss_counts_only_rows_that_name_something():
    named = torch.tensor([[True, False, False], [False, True, False]])
    logits = torch.zeros(2, 2, 2, 3)
    logits[-1, 1] = torch.tensor([5.0, 5.0, -5.0])
    loss, found = naming_loss(logits, named, torch.tensor([True, False]))
    # One token of three is the object's and weighs four times as much: (4 + 1 + 1) / 3 x ln 2.
    assert loss.item() == pytest.approx(2 * np.log(2))
    assert found == 0.0
    assert naming_loss(logits, named, torch.tensor([False, True]))[1] == 0.5
    assert naming_loss(logits, named, torch.tensor([False, False]))[0].item() == 0


def test_products_in_bfloat16_leave_weights_and_gradients_in_float32():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.Linear(32, 4))
    inputs = torch.randn(8, 32)
    exact = model(inputs)
    multiply_in_bfloat16(model, lambda name, _: name == "0.weight")
    rounded = model(inputs)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs().max() < 0.05
    rounded.sum().backward()
    assert model[0].weight.grad.dtype == torch.float32


@pytest.mark.slow
def test_all_stages_run_resume_and_export(tmp_path, monkeypatch):
    from benchmark_data.recipes.kontext_mini import train
    from benchmark_data.recipes.kontext_mini.curves import read_logs
    from benchmark_data.recipes.kontext_mini.export import export
    from benchmark_data.recipes.kontext_mini.flow_stage import FlowSettings, draw_batch, train_flow
    from benchmark_data.recipes.kontext_mini.latents import CHANGED, LatentGroups
    from regionroute.base import base_facts, load_base
    from regionroute.pipeline import RegionRoutePipeline

    monkeypatch.setattr(data_module, "SHARD", 3)
    build(tmp_path / "data", 1, 1)
    groups = Groups(tmp_path / "data")
    assert len(groups) == 3
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "on").mkdir()
    (tmp_path / "on" / "latents").symlink_to(work / "latents")
    small = {"batch_size": 2, "checkpoint_every": 1}
    train.run("latents", tmp_path / "data", work, {})
    train.run("decoder", tmp_path / "data", work, {**small, "steps": 1})
    train.run("decoder", tmp_path / "data", work, {**small, "steps": 2})
    save_weights(work / "decoder.pt", tmp_path / "decoder.safetensors")
    latents = LatentGroups(tmp_path / "data", work / "latents")
    tokens = latents.tokens(np.arange(3), np.zeros(3, int))
    assert tokens.shape == (3, 256, 64)
    assert 0.3 < tokens.std() < 3
    settings = FlowSettings(there_share=1.0, recolour_share=1.0, **small)
    for number in range(4):
        batch = draw_batch(latents, number, 6, settings)
        assert batch.target.shape == batch.context.shape == (6, 64, 64)
        assert batch.named.shape == (6, 64)
        assert batch.naming.all()
        assert not batch.restyled.any()
        if boxes_inside(latents.boxes, batch.window, 0.6).any():
            # Every other row is the one whose object was asked to be there.
            assert ((batch.target - batch.context).square().mean(-1) > CHANGED).any(1)[::2].all()
    train_flow(latents, work / "crops.pt", FlowSettings(steps=1, **small), work / "crops.jsonl")
    train_flow(latents, work / "crops.pt", FlowSettings(steps=2, **small), work / "crops.jsonl")
    train.run("flow", tmp_path / "data", work, {**small, "steps": 1})
    save_weights(work / "flow.pt", tmp_path / "kept.safetensors")
    kept = TextAndFlow()
    load_weights(kept, tmp_path / "kept.safetensors")
    wanted = torch.load(work / "flow.pt", weights_only=True)["average"]
    assert all(torch.equal(value.half(), wanted[name].half()) for name, value in kept.named_parameters())
    train.run("flow", tmp_path / "data", tmp_path / "on", {**small, "steps": 1}, tmp_path / "kept.safetensors")
    assert read_logs(work) == {}
    export(work, tmp_path / "model")
    pipe, facts = load_base(str(tmp_path / "model")), base_facts(str(tmp_path / "model"))
    assert type(pipe).__name__ == "FluxKontextPipeline"
    assert facts.buckets == ((128, 128),)
    assert 5e6 < sum(p.numel() for p in pipe.transformer.parameters()) < 1e7
    assert sum(path.stat().st_size for path in (tmp_path / "model").rglob("*.safetensors")) < 25e6
    assert json.loads((tmp_path / "model" / "vae" / "config.json").read_text())["latent_channels"] == 16
    assert pipe.vae_scale_factor == 4
    image = Groups(tmp_path / "data")[0].images[0]
    edit = RegionRoutePipeline(pipe, facts).edit(
        [image], ["make the image in line art style"], styles=[None], steps=1, attention=True
    )[0]
    assert edit.image.shape == image.shape
    assert edit.attention.shape == (16, 16)
