"""Rows of one batch through different experts: equal to single runs, gradients apart, hooks always gone."""

from __future__ import annotations

import pytest
import torch

from regionroute.experts import LoraSettings, add_expert, expert_name
from regionroute.routing import routed
from rses.errors import InputError
from tests.helpers.refusals import refused

STYLES = ("pixel art", "line art", "cyberpunk")


@pytest.fixture
def experts(tiny_transformer):
    """Three experts of different ranks and streams."""
    settings = (LoraSettings(), LoraSettings(rank=2, streams="double"), LoraSettings(rank=3, streams="single"))
    for seed, (style, setting) in enumerate(zip(STYLES, settings, strict=True)):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in add_expert(tiny_transformer, style, setting):
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return tiny_transformer


def hooks(transformer):
    return sum(len(module._forward_pre_hooks) for module in transformer.modules())


def alone(transformer, inputs, style):
    with torch.no_grad():
        if style is None:
            transformer.disable_lora()
            output = transformer(**inputs)[0]
            transformer.enable_lora()
            return output
        transformer.set_adapters(expert_name(style))
        return transformer(**inputs)[0]


def test_each_row_equals_a_run_with_its_expert_alone(experts, flux_inputs):
    rows = ["line art", None, "pixel art", "cyberpunk", "line art"]
    inputs = flux_inputs(batch=len(rows))
    with torch.no_grad(), routed(experts, rows):
        mixed = experts(**inputs)[0]
    singles = [alone(experts, inputs, style) for style in rows]
    for row, single in enumerate(singles):
        assert (mixed[row] - single[row]).abs().max() <= 1e-6
    assert (singles[0] - singles[2]).abs().max() > 1e-3


def test_the_active_expert_does_not_matter_and_stays(experts, flux_inputs):
    inputs = flux_inputs(batch=2)
    outputs = []
    for active in ("pixel-art", "cyberpunk"):
        experts.set_adapters(active)
        with torch.no_grad(), routed(experts, ["line art", None]):
            outputs.append(experts(**inputs)[0])
        assert experts.active_adapters() == [active]
    assert torch.equal(*outputs)


def gradients(transformer):
    return {
        name: parameter.grad.clone()
        for name, parameter in transformer.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }


def rows_loss(transformer, inputs, rows):
    output = transformer(**inputs)[0]
    return sum((output[row] * (row + 1)).square().mean() for row in rows)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_reach_each_rows_own_expert_only(experts, flux_inputs, checkpointing):
    inputs = flux_inputs(batch=3)
    experts.train()
    expected = {}
    for row, style in ((0, "pixel art"), (2, "line art")):
        experts.set_adapters(expert_name(style))
        rows_loss(experts, inputs, [row]).backward()
        expected.update(gradients(experts))
        experts.zero_grad()
    assert any("double" not in name and "pixel-art" in name for name in expected)

    experts.set_adapters([expert_name(style) for style in STYLES])
    if checkpointing:
        experts.enable_gradient_checkpointing()
    with routed(experts, ["pixel art", None, "line art"]):
        rows_loss(experts, inputs, [0, 1, 2]).backward()
    found = gradients(experts)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-6), name
    assert hooks(experts) == 0


def test_hooks_are_removed_whatever_happens(experts, flux_inputs):
    with routed(experts, ["pixel art"]):
        assert hooks(experts) == 1 + 14
    assert hooks(experts) == 0
    with refused(InputError, "mismatch"), routed(experts, [None] * 3):
        experts(**flux_inputs(batch=2))
    assert hooks(experts) == 0
    experts(**flux_inputs(batch=2))


def test_contexts_nest(experts, flux_inputs):
    inputs = flux_inputs(batch=1)
    with torch.no_grad(), routed(experts, ["pixel art"]):
        with routed(experts, ["line art"]):
            inner = experts(**inputs)[0]
        outer = experts(**inputs)[0]
    assert (inner - alone(experts, inputs, "line art")).abs().max() <= 1e-6
    assert (outer - alone(experts, inputs, "pixel art")).abs().max() <= 1e-6


def test_unknown_styles_are_named_with_the_loaded_ones(experts):
    with pytest.raises(InputError) as error, routed(experts, ["pixel art", "pixle art", "watercolour"]):
        pass
    assert len(error.value.problems) == 2
    assert 'no expert "pixle-art"; loaded: pixel-art, line-art, cyberpunk. Did you mean "pixel-art"?' in str(
        error.value
    )
    with refused(InputError, "wrong-type"), routed(experts, "pixel art"):
        pass
    assert hooks(experts) == 0


def test_without_experts_only_the_base_can_be_asked_for(tiny_transformer, flux_inputs):
    inputs = flux_inputs()
    with torch.no_grad(), routed(tiny_transformer, [None, None]):
        output = tiny_transformer(**inputs)[0]
    with torch.no_grad():
        assert torch.equal(output, tiny_transformer(**inputs)[0])
    with refused(InputError, "unknown-name"), routed(tiny_transformer, ["pixel art"]):
        pass


def test_fused_experts_cannot_be_routed(experts):
    experts.set_adapters("pixel-art")
    experts.fuse_lora()
    with refused(InputError, "unsupported"), routed(experts, ["line art"]):
        pass
    assert hooks(experts) == 0
