"""Training must call the transformer as the pipeline calls it at inference; the pipeline itself is the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.flux import BUCKETS
from regionroute.base import load_base
from regionroute.flux import choose_bucket, decode_latents, encode_pixels, pack, predict_velocity, to_pixels, unpack
from rses.errors import InputError
from tests.helpers.refusals import refused

PROMPT = "make the cat in pixel art style"
WIDTH, HEIGHT = 96, 64  # not square, so that rows and columns cannot be mixed up
GRID = (HEIGHT // 16, WIDTH // 16)


@pytest.fixture(scope="module")
def pipe(tiny_kontext):
    return load_base(str(tiny_kontext))


def calls_of(transformer, function):
    """Keyword arguments and answers of every call of the transformer inside ``function``."""
    calls = []

    def keep(_module, args, kwargs, answer):
        assert not args
        calls.append(({name: value for name, value in kwargs.items() if torch.is_tensor(value)}, answer[0]))

    handle = transformer.register_forward_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad():
            function()
    finally:
        handle.remove()
    return calls


def test_a_training_call_is_an_inference_call(pipe):
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    pixels = to_pixels(image, (WIDTH, HEIGHT))[None]
    inference = calls_of(
        pipe.transformer,
        lambda: pipe(
            image=pixels / 2 + 0.5, prompt=PROMPT, height=HEIGHT, width=WIDTH, max_area=HEIGHT * WIDTH,
            num_inference_steps=2, guidance_scale=2.5, generator=torch.Generator().manual_seed(0), output_type="np",
            max_sequence_length=24, _auto_resize=False,
        ),
    )  # fmt: skip
    assert len(inference) == 2
    context = pack(encode_pixels(pipe.vae, pixels))
    text, pooled, _ = pipe.encode_prompt(prompt=PROMPT, prompt_2=None, max_sequence_length=24)
    for (expected, answer), sigma in zip(inference, pipe.scheduler.sigmas, strict=False):
        noisy = expected["hidden_states"][:, : GRID[0] * GRID[1]]
        sigma = sigma.reshape(1)
        velocities = []
        training = calls_of(
            pipe.transformer,
            lambda noisy=noisy, sigma=sigma, velocities=velocities: velocities.append(
                predict_velocity(
                    pipe.transformer, noisy, context, sigma, grid=GRID, text=text, pooled=pooled, guidance=2.5
                )
            ),
        )
        found = training[0][0]
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(
                found[name], value, atol=1e-5, rtol=1e-5, msg=lambda text, name=name: name + text
            )
        torch.testing.assert_close(velocities[0], answer[:, : noisy.shape[1]], atol=1e-4, rtol=1e-4)


def test_packing_is_the_pipelines():
    from diffusers import FluxKontextPipeline

    latents = torch.randn(2, 16, 8, 12, generator=torch.Generator().manual_seed(0))
    tokens = FluxKontextPipeline._pack_latents(latents, 2, 16, 8, 12)
    assert torch.equal(pack(latents), tokens)
    assert torch.equal(unpack(tokens, 8, 12), latents)


def test_the_context_is_told_from_the_target_by_its_first_position(pipe):
    """The released training gave both the same positions: the answer must tell the difference."""
    tokens = torch.randn(2, 1, GRID[0] * GRID[1], 64, generator=torch.Generator().manual_seed(1))
    text, pooled = torch.zeros(1, 24, 32), torch.zeros(1, 16)
    call, answer = calls_of(
        pipe.transformer,
        lambda: predict_velocity(
            pipe.transformer, tokens[0], tokens[1], torch.tensor([0.5]), grid=GRID, text=text, pooled=pooled,
            guidance=1.0,
        ),
    )[0]  # fmt: skip
    target, context = call["img_ids"].chunk(2)
    assert (target[:, 0] == 0).all()
    assert (context[:, 0] == 1).all()
    assert torch.equal(target[:, 1:], context[:, 1:])
    shared = {**call, "img_ids": torch.cat([target, target])}
    with torch.no_grad():
        assert not torch.allclose(pipe.transformer(**shared, return_dict=False)[0], answer, atol=1e-4)


def test_latents_are_decoded_as_the_pipeline_does(pipe):
    latents = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(2))
    raw = latents / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
    with torch.no_grad():
        expected = pipe.image_processor.postprocess(pipe.vae.decode(raw).sample, output_type="pt")
    torch.testing.assert_close((decode_latents(pipe.vae, latents) / 2 + 0.5).clamp(0, 1), expected)


def test_kontext_buckets_are_fixed_points_of_the_pipeline():
    for width, height in BUCKETS:
        assert choose_bucket((width, height), BUCKETS) == (width, height)
        # What the pipeline makes of the call's arguments when max_area is width * height.
        area, ratio = width * height, width / height
        assert round((area * ratio) ** 0.5) // 16 * 16 == width
        assert round((area / ratio) ** 0.5) // 16 * 16 == height


@settings(max_examples=40, deadline=None)
@given(st.integers(64, 3000), st.integers(64, 3000))
def test_the_bucket_mirrors_with_the_picture(width, height):
    if max(width, height) > 8 * min(width, height):
        return
    chosen = choose_bucket((width, height), BUCKETS)
    flipped = choose_bucket((height, width), BUCKETS)
    # Two buckets may be equally near; then both are right.
    assert abs(np.log(chosen[0] / chosen[1]) + np.log(flipped[0] / flipped[1])) < 0.15


def test_a_strip_is_refused():
    with refused(InputError, "wrong-size"):
        choose_bucket((900, 100), BUCKETS)
