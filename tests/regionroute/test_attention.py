"""Style attention: outputs as stock, maps and gradients as a naive softmax, in every setting that training uses."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from regionroute.attention import StyleAttention, attend
from rses.errors import InputError, RsesError
from tests.helpers.refusals import refused

TEXT, IMAGE = 8, 16
LAYERS = ["double.0", "double.1", "single.0", "single.1"]
POSITIONS = [[2, 3], [5]]


def worst(value, reference):
    """Greatest difference relative to the reference's greatest value."""
    return float((value - reference).detach().abs().max() / reference.detach().abs().max())


def qkv(seed=0, batch=2, length=40, heads=3, width=16, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [
        (1.5 * torch.randn(batch, length, heads, width, generator=generator)).to(dtype).requires_grad_()
        for _ in range(3)
    ]


def one_hot(positions, length, width=8, dtype=torch.float32):
    channels = torch.zeros(len(positions), length, 1, width, dtype=dtype)
    for sample, row in enumerate(positions):
        for channel, position in enumerate(row):
            channels[sample, position, 0, channel] = 1
    return channels


def naive(query, key, value):
    """Output (B, L, H, d) and weights (B, H, L, L), the full matrix."""
    scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    return torch.einsum("bhqk,bkhd->bqhd", weights, value), weights


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_outputs_maps_and_gradients_equal_naive_softmax(dtype, tolerance):
    query, key, value = qkv(dtype=dtype)
    output, means = attend(query, key, value, one_hot(POSITIONS, 40, dtype=dtype))
    maps = [means[sample, ..., : len(row)] for sample, row in enumerate(POSITIONS)]
    expected_output, weights = naive(query, key, value)
    expected = [weights[sample][..., row].transpose(0, 1) for sample, row in enumerate(POSITIONS)]
    assert worst(output, expected_output) < tolerance
    assert all(worst(m, e) < tolerance for m, e in zip(maps, expected, strict=True))

    generator = torch.Generator().manual_seed(1)
    weigh = [torch.randn(x.shape, generator=generator).to(dtype) for x in (output, *maps)]

    def gradients(output, maps):
        loss = sum((x * w).sum() for x, w in zip((output, *(20 * m for m in maps)), weigh, strict=True))
        return torch.autograd.grad(loss, (query, key, value))

    for gradient, reference in zip(gradients(output, maps), gradients(expected_output, expected), strict=True):
        assert worst(gradient, reference) < tolerance


def test_no_query_by_key_matrix_is_made():
    tokens = 3000
    query, key, value = qkv(batch=1, length=tokens, heads=1, width=8)

    def largest(function):
        with torch.profiler.profile(profile_memory=True) as profile:
            output, maps = function()
            (output.square().mean() + maps[..., 0].mean()).backward()
        return max(abs(event.self_cpu_memory_usage) for event in profile.events())

    matrix = tokens * tokens * 4
    assert largest(lambda: attend(query, key, value, one_hot([[7]], tokens))) < matrix / 10
    assert largest(lambda: naive(query, key, value)) >= matrix


@pytest.fixture
def attention(tiny_transformer):
    return StyleAttention(tiny_transformer)


class WrittenOut(torch.overrides.TorchFunctionMode):
    """The stock model with its fused attention calls replaced by a softmax written out; keeps the weights."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is not F.scaled_dot_product_attention:
            return function(*args, **(kwargs or {}))
        output, weights = naive(*(kwargs[name].transpose(1, 2) for name in ("query", "key", "value")))
        self.weights.append(weights)
        return output.transpose(1, 2)

    def maps(self):
        """(layers, B, H, N, T) for POSITIONS, zero where the second sample has no second token."""
        rows = torch.stack(self.weights)[:, :, :, TEXT : TEXT + IMAGE]
        first, second = (rows[:, sample][..., row] for sample, row in enumerate(POSITIONS))
        return torch.stack([first, F.pad(second, (0, 1))], dim=1)


def test_outside_record_bit_equal_and_inside_equal_to_rounding(attention, tiny_transformer, make_tiny, flux_inputs):
    inputs = flux_inputs()
    with torch.no_grad():
        stock = make_tiny()(**inputs)[0]
        assert torch.equal(tiny_transformer(**inputs)[0], stock)
        with attention.record(POSITIONS, TEXT, IMAGE):
            assert worst(tiny_transformer(**inputs)[0], stock) < 1e-5
        assert torch.equal(tiny_transformer(**inputs)[0], stock)


def test_maps_are_softmax_over_all_keys_of_the_target_queries(attention, tiny_transformer, make_tiny, flux_inputs):
    inputs = flux_inputs()
    with torch.no_grad(), attention.record(POSITIONS, TEXT, IMAGE) as maps:
        tiny_transformer(**inputs)
    with torch.no_grad(), WrittenOut() as reference:
        make_tiny()(**inputs)
    assert list(maps.by_layer) == LAYERS
    assert maps.valid.tolist() == [[True, True], [True, False]]
    assert maps.stacked().shape == (4, 2, 2, IMAGE, 2)
    assert worst(maps.stacked(), reference.maps()) < 1e-5
    # Not near uniform over keys, or the comparison would say little.
    assert maps.stacked()[:, 0].std() > 0.3 / (TEXT + 2 * IMAGE)


def test_batch_of_two_equals_two_single_runs(attention, tiny_transformer, flux_inputs):
    inputs = flux_inputs()
    with torch.no_grad(), attention.record(POSITIONS, TEXT, IMAGE) as both:
        tiny_transformer(**inputs)
    for sample, row in enumerate(POSITIONS):
        single = {
            name: value[sample : sample + 1] if torch.is_tensor(value) and not name.endswith("ids") else value
            for name, value in inputs.items()
        }
        with torch.no_grad(), attention.record([row], TEXT, IMAGE) as alone:
            tiny_transformer(**single)
        assert worst(both.stacked()[:, sample, ..., : len(row)], alone.stacked()[:, 0]) < 1e-5


def mixed_loss(output, maps):
    weight = torch.linspace(-1, 1, IMAGE)[:, None]
    return output.square().mean() + 100 * (maps * weight).sum(dim=-2).square().mean()


def gradients(transformer):
    return {name: p.grad.clone() for name, p in transformer.named_parameters() if p.grad is not None}


def train_step(transformer, inputs, attention):
    """Gradients of a loss that mixes output and maps."""
    transformer.zero_grad()
    with attention.record(POSITIONS, TEXT, IMAGE) as maps:
        output = transformer(**inputs)[0]
        mixed_loss(output, maps.stacked()).backward()
    return gradients(transformer)


def test_gradient_checkpointing_changes_nothing(attention, tiny_transformer, flux_inputs):
    inputs = flux_inputs()
    plain = train_step(tiny_transformer, inputs, attention)
    tiny_transformer.enable_gradient_checkpointing()
    checkpointed = train_step(tiny_transformer, inputs, attention)
    assert plain.keys() == checkpointed.keys()
    for name, gradient in plain.items():
        assert torch.allclose(checkpointed[name], gradient, rtol=1e-5, atol=1e-9), name


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_of_the_whole_model_are_those_of_naive_softmax(
    attention, tiny_transformer, make_tiny, flux_inputs, checkpointing
):
    inputs, reference = flux_inputs(), make_tiny()
    if checkpointing:
        tiny_transformer.enable_gradient_checkpointing()
    found = train_step(tiny_transformer, inputs, attention)
    with WrittenOut() as written:
        output = reference(**inputs)[0]
    mixed_loss(output, written.maps()).backward()
    expected = gradients(reference)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-5, atol=1e-5 * float(expected[name].abs().max())), name


def test_closing_before_backward_under_checkpointing_is_loud(attention, tiny_transformer, flux_inputs):
    tiny_transformer.enable_gradient_checkpointing()
    with attention.record(POSITIONS, TEXT, IMAGE) as maps:
        tiny_transformer(**flux_inputs())
    with pytest.raises(torch.utils.checkpoint.CheckpointError):
        maps.stacked().square().sum().backward()


def test_stored_maps_keep_nothing_else_alive(attention, tiny_transformer, flux_inputs):
    with attention.record(POSITIONS, TEXT, IMAGE) as maps:
        tiny_transformer(**flux_inputs())
    for layer in maps.by_layer.values():
        assert layer.untyped_storage().nbytes() == layer.nbytes


def test_only_the_first_call_is_stored_until_cleared(attention, tiny_transformer, flux_inputs):
    with torch.no_grad(), attention.record(POSITIONS, TEXT, IMAGE) as maps:
        stored = []
        for seed in (0, 1):
            tiny_transformer(**flux_inputs(seed=seed))
            stored.append(maps.stacked())
        maps.clear()
        tiny_transformer(**flux_inputs(seed=1))
    assert torch.equal(stored[0], stored[1])
    assert not torch.equal(maps.stacked(), stored[0])


def test_layer_subset_records_those_and_touches_no_other(tiny_transformer, flux_inputs):
    before = dict(tiny_transformer.attn_processors)
    subset = StyleAttention(tiny_transformer, ["single.1", "double.0"])
    changed = {name for name, processor in tiny_transformer.attn_processors.items() if processor is not before[name]}
    assert changed == {"transformer_blocks.0.attn.processor", "single_transformer_blocks.1.attn.processor"}
    with torch.no_grad(), subset.record(POSITIONS, TEXT, IMAGE) as maps:
        tiny_transformer(**flux_inputs())
    assert list(maps.by_layer) == ["double.0", "single.1"]


def test_remove_restores_the_stock_processors(tiny_transformer, make_tiny, flux_inputs):
    before = dict(tiny_transformer.attn_processors)
    attention = StyleAttention(tiny_transformer)
    tiny_transformer.set_attention_backend("native")
    attention.remove()
    assert all(processor is before[name] for name, processor in tiny_transformer.attn_processors.items())
    # What diffusers set meanwhile is not lost.
    assert all(processor._attention_backend == "native" for processor in before.values())
    attention.remove()
    StyleAttention(tiny_transformer)


def test_fused_projections_give_the_same(attention, tiny_transformer, flux_inputs):
    inputs = flux_inputs()
    with torch.no_grad():
        with attention.record(POSITIONS, TEXT, IMAGE) as maps:
            output = tiny_transformer(**inputs)[0]
        for module in tiny_transformer.modules():
            if hasattr(module, "fuse_projections"):
                module.fuse_projections()
        with attention.record(POSITIONS, TEXT, IMAGE) as fused:
            assert worst(tiny_transformer(**inputs)[0], output) < 1e-5
    assert worst(fused.stacked(), maps.stacked()) < 1e-5


@pytest.mark.parametrize("autocast", [False, True])
def test_bfloat16(attention, tiny_transformer, flux_inputs, autocast):
    inputs = flux_inputs()
    with torch.no_grad(), attention.record(POSITIONS, TEXT, IMAGE) as reference:
        tiny_transformer(**inputs)
    if not autocast:
        tiny_transformer.bfloat16()
        inputs = {n: v.bfloat16() if torch.is_tensor(v) and not n.endswith("ids") else v for n, v in inputs.items()}
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        stock = tiny_transformer(**inputs)[0]
        with attention.record(POSITIONS, TEXT, IMAGE) as maps:
            output = tiny_transformer(**inputs)[0]
    assert output.dtype == stock.dtype
    assert worst(output.float(), stock.float()) < 0.02
    assert worst(maps.stacked().float(), reference.stacked()) < 0.1


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["double.0", "singel.1"], 'Did you mean "single.1"'),
        ([], "at least one layer"),
        ("double.0", "at least one layer"),
    ],
)
def test_unknown_layers_install_nothing(tiny_transformer, layers, message):
    with pytest.raises(InputError, match=message):
        StyleAttention(tiny_transformer, layers)
    assert {type(p).__name__ for p in tiny_transformer.attn_processors.values()} == {"FluxAttnProcessor"}


def test_another_processor_and_another_model_are_refused(tiny_transformer):
    StyleAttention(tiny_transformer, ["double.1"])
    with refused(InputError, "wrong-type"):
        StyleAttention(tiny_transformer)
    with refused(InputError, "wrong-type"):
        StyleAttention(SimpleNamespace())


@pytest.mark.parametrize(
    ("positions", "text", "image", "code"),
    [
        ([], TEXT, IMAGE, "empty"),
        ([[1], []], TEXT, IMAGE, "empty"),
        ([[1], [8]], TEXT, IMAGE, "out-of-range"),
        ([[-1], [2]], TEXT, IMAGE, "out-of-range"),
        ([[1], [2]], TEXT, 0, "out-of-range"),
        # These are seen by the forward pass only.
        ([[1]], TEXT, IMAGE, "mismatch"),
        ([[1], [2]], TEXT + 1, IMAGE, "mismatch"),
        ([[1], [2]], TEXT, 200, "wrong-length"),
    ],
)
def test_recordings_that_do_not_fit(attention, tiny_transformer, flux_inputs, positions, text, image, code):
    with refused(InputError, code), attention.record(positions, text, image):
        tiny_transformer(**flux_inputs())
    # The recording was closed all the same.
    with attention.record(POSITIONS, TEXT, IMAGE):
        pass


def test_nested_and_empty_recordings(attention):
    with attention.record(POSITIONS, TEXT, IMAGE) as maps:
        with refused(RsesError, "wrong-order"), attention.record(POSITIONS, TEXT, IMAGE):
            pass
        with refused(RsesError, "wrong-order"):
            maps.stacked()
