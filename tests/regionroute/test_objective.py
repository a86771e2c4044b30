"""The objective of a training step."""

from __future__ import annotations

import contextlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionroute.attention import StyleAttention
from regionroute.training.config import AttentionConfig, FlowConfig
from regionroute.training.encoding import PairBatch
from regionroute.training.objective import draw_noise, flow_loss, step_losses

SHAPE = (16, 64)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True), st.integers(0, 99))
def test_noise_depends_on_seed_step_and_id_alone(ids, step):
    noise, sigma = draw_noise(ids, step, 3, (2, 4), FlowConfig())
    for row, name in enumerate(ids):
        alone, level = draw_noise([name], step, 3, (2, 4), FlowConfig())
        assert torch.equal(noise[row], alone[0])
        assert torch.equal(sigma[row], level[0])


def test_densities_of_noise_levels():
    ids = [str(number) for number in range(3000)]
    uniform = draw_noise(ids, 0, 0, (1, 1), FlowConfig())[1]
    assert abs(uniform.mean() - 0.5) < 0.02
    assert abs(uniform.std() - 12**-0.5) < 0.02
    shifted = draw_noise(ids, 0, 0, (1, 1), FlowConfig(shift=3.0))[1]
    torch.testing.assert_close(shifted, 3 * uniform / (1 + 2 * uniform))
    normal = draw_noise(ids, 0, 0, (1, 1), FlowConfig(density="logit_normal"))[1]
    assert abs(torch.logit(normal).std() - 1) < 0.05
    assert set(draw_noise(ids, 0, 0, (1, 1), FlowConfig(density="start", shift=3.0))[1].tolist()) == {1.0}


def test_flow_loss_is_the_mean_squared_error_of_the_velocity():
    generator = torch.Generator().manual_seed(0)
    velocity, noise, target = (torch.randn(2, *SHAPE, generator=generator) for _ in range(3))
    mask = torch.rand(2, 16, generator=generator)
    expected = ((velocity - (noise - target)) ** 2).mean((1, 2))
    torch.testing.assert_close(flow_loss(velocity, noise, target, mask), expected)
    # An error that is the same everywhere counts the same, however tokens are weighted.
    even = noise - target + 0.5
    torch.testing.assert_close(flow_loss(even, noise, target, mask, 4.0), torch.full((2,), 0.25))
    inside = noise - target + 0.5 * mask[..., None].ceil() * (mask[..., None] > 0.5)
    assert (flow_loss(inside, noise, target, mask, 4.0) > flow_loss(inside, noise, target, mask)).all()


def test_the_velocity_aimed_at_is_not_rounded_to_the_models_precision():
    generator = torch.Generator().manual_seed(0)
    noise, target = (torch.randn(1, *SHAPE, generator=generator).bfloat16() for _ in range(2))
    exact = noise.double() - target.double()
    assert flow_loss(exact.float(), noise, target, torch.ones(1, 16)) == 0


def batch():
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(2, 16)
    mask[0, :4] = mask[1, 8:] = 1
    return PairBatch(
        ["a", "b"], torch.randn(2, *SHAPE, generator=generator), torch.randn(2, *SHAPE, generator=generator), mask,
        torch.randn(2, 8, 32, generator=generator), torch.randn(2, 16, generator=generator), [(2, 3), (5,)],
    )  # fmt: skip


def losses(transformer, attention, supervision, sigma=(0.2, 0.9), flow=FlowConfig()):  # noqa: B008
    noise, _ = draw_noise(["a", "b"], 0, 0, SHAPE, FlowConfig())
    with contextlib.ExitStack() as stack:
        return step_losses(
            transformer, attention, batch(), noise, torch.tensor(sigma), grid=(4, 4), flow=flow,
            supervision=supervision, stack=stack,
        )  # fmt: skip


def test_supervision_counts_only_at_its_noise_levels(tiny_transformer):
    attention = StyleAttention(tiny_transformer)
    gated = losses(tiny_transformer, attention, AttentionConfig(gate=(0.5, 1.0)))
    assert gated.focus[0] == gated.cover[0] == 0
    assert gated.focus[1] > 0
    assert gated.cover[1] > 0
    torch.testing.assert_close(gated.total, gated.flow + 0.1 * gated.focus + 0.2 * gated.cover)


def test_off_still_measures_and_none_does_not(tiny_transformer):
    attention = StyleAttention(tiny_transformer)
    off = losses(tiny_transformer, attention, AttentionConfig(mode="off"))
    assert torch.equal(off.total, off.flow)
    assert ((off.mass > 0) & (off.mass < 1)).all()
    attention.remove()
    assert losses(tiny_transformer, None, AttentionConfig()).mass.isnan().all()


@pytest.mark.parametrize("layers", [["double.0"], ["single.1", "double.1"]])
def test_a_subset_of_layers_gives_other_losses(tiny_transformer, layers):
    some = StyleAttention(tiny_transformer, layers)
    subset = losses(tiny_transformer, some, AttentionConfig())
    some.remove()
    every = losses(tiny_transformer, StyleAttention(tiny_transformer), AttentionConfig())
    torch.testing.assert_close(subset.flow, every.flow, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(subset.focus, every.focus)


def test_the_flow_loss_counts_as_much_as_is_asked(tiny_transformer):
    attention = StyleAttention(tiny_transformer)
    for weight in (0.0, 2.0):
        found = losses(tiny_transformer, attention, AttentionConfig(), flow=FlowConfig(weight=weight))
        expected = weight * found.flow + 0.1 * found.focus + 0.2 * found.cover
        torch.testing.assert_close(found.total, expected)
        assert (found.flow > 0).all()
