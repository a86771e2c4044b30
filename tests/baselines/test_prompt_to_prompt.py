"""Prompt-to-prompt: alignment, control and inversion, each against what must hold exactly."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from baselines.prompt_to_prompt.alignment import replace_map
from baselines.prompt_to_prompt.control import Control, controlled
from baselines.prompt_to_prompt.inversion import invert, null_text, to_noise
from baselines.prompt_to_prompt.method import PromptToPrompt, own_tokens
from baselines.sizes import to_bytes
from baselines.templates import CaptionPair
from rses.errors import RsesError
from tests.helpers.refusals import refused

SAME = CaptionPair("a photo of a cat", "a photo of a cat", "")
PAIR = CaptionPair("a photo of a cat", "a photo of a pixel art style cat", "pixel art style")


@pytest.fixture
def build(tiny):
    def make(**options):
        method = PromptToPrompt(str(tiny("StableDiffusionPipeline")), steps=4, **options)
        method.load("cpu", "float32")
        return method

    return make


def edit(method, pictures, pairs):
    """Return sources as the model gives them back, and edits."""
    return tuple(decoded(method, latents) for latents in method.edit_latents(pictures, pairs))


def decoded(method, latents):
    return [to_bytes(pixels, pixels.shape[1::-1]) for pixels in method._decode(latents)]


@pytest.fixture
def picture(samples):
    return Image.fromarray(samples[0].image[:32, :32])


def test_replace_stretches_exchanged_words_over_each_other():
    assert replace_map([1, 5, 9, 9], [1, 6, 9, 9])[1].tolist() == [1, 1, 1, 1]
    # 1 [5] 3 end and 1 [6 7] 3 end: both new tokens take the map of the old one, the rest keeps its own.
    assert replace_map([1, 5, 3, 9, 9, 9], [1, 6, 7, 3, 9, 9])[0].tolist() == [0, 1, 1, 2, 3, 4]
    assert replace_map([1, 6, 7, 3, 9, 9], [1, 5, 3, 9, 9, 9])[0].tolist() == [0, 1, 3, 4, 5, 5]
    assert replace_map([1, 5, 3, 5, 9, 9], [1, 6, 3, 7, 9, 9])[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert replace_map([1, 5, 9, 9], [1, 5, 9, 9])[0].tolist() == [0, 1, 2, 3]
    for source, target in [([1, 5, 9, 9, 9], [1, 5, 6, 9, 9]), ([1, 5, 6, 9, 9], [1, 5, 9, 9, 9])]:
        with pytest.raises(ValueError, match="exchanged, not added"):
            replace_map(source, target)


@pytest.mark.slow
def test_every_setting_of_the_bench_makes_its_own_edit(build, samples):
    """Through ``edit``, with the captions that a suite's samples get."""
    settings = [{}, {"edit": "replace"}, {"reweight": 4.0}, {"cross_share": 0.0}, {"self_share": 0.0}]
    images = [build(**changes).edit(samples[:1])[0].image for changes in settings]
    for number, image in enumerate(images):
        assert not any(np.array_equal(image, other) for other in images[:number]), settings[number]


def test_noise_and_v_lead_the_scheduler_to_the_same_place():
    from diffusers import DDIMScheduler

    v, latent = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    for timestep in (1, 400, 981):
        ends = []
        for kind in ("epsilon", "v_prediction"):
            scheduler = DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, prediction_type=kind)
            scheduler.set_timesteps(50)
            noise = to_noise(v, latent, scheduler.alphas_cumprod[timestep], "v_prediction")
            ends.append(scheduler.step(noise if kind == "epsilon" else v, timestep, latent).prev_sample)
        torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-4)


@pytest.fixture
def predicting(tiny, tmp_path):
    def make(kind):
        folder = tmp_path / kind
        shutil.copytree(tiny("StableDiffusionPipeline"), folder)
        path = folder / "scheduler" / "scheduler_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "prediction_type": kind}))
        method = PromptToPrompt(str(folder), steps=4, inversion="ddim", guidance=1.0)
        method.load("cpu", "float32")
        return method

    return make


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@torch.no_grad()
def test_the_way_back_is_the_schedulers_own_for_noise_and_for_v(predicting, picture, kind):
    from diffusers import DDIMScheduler

    method = predicting(kind)
    scheduler = DDIMScheduler.from_config(method.pipe.scheduler.config, prediction_type=kind)
    scheduler.set_timesteps(4)
    method.pipe.scheduler.set_timesteps(4)
    text = method._encode([SAME.source])
    latent = invert(method._latents([picture]), text, method._noise, method.pipe.scheduler)[-1]
    for timestep in scheduler.timesteps.tolist():
        predicted = method.pipe.unet(latent, timestep, encoder_hidden_states=text).sample
        latent = scheduler.step(predicted, timestep, latent).prev_sample
    expected = decoded(method, latent)[0].astype(int)
    assert np.abs(edit(method, [picture], [PAIR])[0][0] - expected).max() <= 1


@pytest.mark.slow
def test_a_model_that_predicts_something_else_is_refused(predicting):
    with refused(RsesError, "unsupported"):
        predicting("sample")


@pytest.mark.slow
def test_identity_control_changes_nothing_at_all(build, picture):
    # Direct inversion corrects the source's path alone, so there the two part.
    method = build(inversion="ddim", self_share=1.0, cross_share=1.0)
    (source,), (target,) = edit(method, [picture], [SAME])
    assert np.array_equal(source, target)


@pytest.mark.slow
def test_direct_inversion_gives_the_source_back_exactly_and_ddim_does_not(build, picture):
    method = build()
    round_trip = decoded(method, method._latents([picture]))[0]
    assert np.array_equal(edit(method, [picture], [PAIR])[0][0], round_trip)
    assert not np.array_equal(edit(build(inversion="ddim"), [picture], [PAIR])[0][0], round_trip)


@pytest.mark.slow
def test_null_text_comes_closer_to_the_source_than_ddim(build, picture):
    method = build()
    clean = method._latents([picture])

    def error(inversion):
        source = build(inversion=inversion)
        back = Image.fromarray(edit(source, [picture], [PAIR])[0][0])
        return (source._latents([back]) - clean).square().mean().item()

    assert error("null-text") < error("ddim")


@pytest.mark.slow
def test_more_control_keeps_the_target_nearer_to_the_source(build, picture):
    def distance(share):
        method = build(inversion="ddim", cross_share=share, self_share=share)
        (source,), (target,) = edit(method, [picture], [PAIR])
        return np.abs(source.astype(int) - target).mean()

    assert distance(1.0) < distance(0.0)


def test_reweighting_scales_the_attention_of_the_added_words_alone():
    maps = torch.rand(4, 2, 6, 5).softmax(-1)
    weights = torch.tensor([[1.0, 1.0, 3.0, 1.0, 1.0]])
    control = Control(torch.arange(5)[None], torch.ones(1, 5), weights, cross_share=0.0)
    changed = control.change(maps, is_cross=True)
    assert torch.equal(changed[:3], maps[:3])
    torch.testing.assert_close(changed[3], maps[3] * weights[0])


def test_every_picture_of_a_batch_takes_over_its_own_sources_maps():
    maps = torch.rand(5, 2, 6, 4).softmax(-1)
    index, shared = torch.tensor([[0, 1, 2, 3], [3, 2, 0, 0]]), torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 1]])
    changed = Control(index, shared, torch.ones(2, 4)).change(maps, is_cross=True)
    assert torch.equal(changed[:3], maps[:3])
    assert torch.equal(changed[3], maps[1])
    assert torch.equal(
        changed[4], torch.stack([maps[2, ..., 3], maps[2, ..., 2], maps[4, ..., 2], maps[2, ..., 0]], -1)
    )


@pytest.mark.parametrize(
    ("side", "weight", "centre"), [(8, 0.05, 4), (64, 1e-4, 400)], ids=["large gradients", "small gradients"]
)
def test_null_text_in_half_precision_finds_what_it_finds_in_single(side, weight, centre):
    """Where half precision would take Adam's epsilon, or the gradients, for zero, or a scaled one for infinite."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler()
    scheduler.set_timesteps(4)
    rng = torch.Generator().manual_seed(0)
    latent, text = torch.randn(1, 4, side, side, generator=rng), centre + torch.randn(1, 5, 4, generator=rng)

    def noise(latents, timestep, states):
        return 0.1 * latents + weight * states.mean((1, 2))[:, None, None, None].expand_as(latents)

    found = {}
    for dtype in (torch.float32, torch.float16):
        path = invert(latent.to(dtype), text.to(dtype), noise, scheduler)
        found[dtype] = null_text(path, text.to(dtype), torch.zeros_like(text).to(dtype), noise, scheduler, guidance=7.5)
    assert found[torch.float32][-1].abs().min() > 0.1
    for single, half in zip(*found.values(), strict=True):
        assert half.dtype == torch.float16
        torch.testing.assert_close(half.float(), single, rtol=0.05, atol=0.01)


def test_words_end_where_the_text_does():
    assert own_tokens([49406, 5, 6, 49407, 49407], 49407) == [5, 6]  # Stable Diffusion 1: padded with the end token
    assert own_tokens([49406, 5, 6, 49407, 0, 0], 49407) == [5, 6]  # Stable Diffusion 2: padded with "!"
    assert own_tokens([49406, 49407], 49407) == []


@pytest.mark.parametrize("pad", ["<|endoftext|>", "a"], ids=["Stable Diffusion 1", "Stable Diffusion 2"])
def test_the_added_words_are_reweighted_whatever_pads(build, pad):
    method = build(reweight=3.0)
    method.pipe.tokenizer.pad_token = pad
    weights = method._control([PAIR]).weights[0]
    tokens = method._tokens(PAIR.target)
    added = method._tokens(PAIR.added)[1:4]
    assert tokens[5:8] == added
    assert weights[5:8].tolist() == [3.0] * 3
    assert int((weights != 1).sum()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("inversion", ["direct", "ddim", "null-text"])
def test_a_batch_gives_every_picture_the_edit_that_it_gets_alone(build, picture, samples, inversion):
    method = build(inversion=inversion)
    pictures, pairs = [picture, Image.fromarray(samples[1].image[-32:, -32:])], [PAIR, SAME]
    together = edit(method, pictures, pairs)[1]
    for image, source, pair in zip(together, pictures, pairs, strict=True):
        alone = edit(method, [source], [pair])[1][0]
        assert np.abs(image.astype(int) - alone).max() <= 1


def test_the_processor_without_control_is_the_stock_attention(build):
    unet = build().pipe.unet
    latents, states = torch.randn(4, 4, 16, 16), torch.randn(4, 77, 16)
    with torch.no_grad():
        stock = unet(latents, 10, encoder_hidden_states=states).sample
        # Shares of zero leave every map alone; weights of two just above one go through the open maps.
        nearly_one = torch.ones(1, 77)
        nearly_one[0, 0] = 1 + 1e-7
        control = Control(torch.arange(77)[None], torch.ones(1, 77), nearly_one, cross_share=0.0, self_share=0.0)
        with controlled(unet, control):
            ours = unet(latents, 10, encoder_hidden_states=states).sample
        after = unet(latents, 10, encoder_hidden_states=states).sample
    torch.testing.assert_close(ours, stock, atol=1e-5, rtol=1e-4)
    assert torch.equal(after, stock)
