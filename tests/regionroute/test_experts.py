"""Experts on the frozen transformer: adding, training, saving, loading, and what a failed load leaves behind."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from regionroute.experts import LoraSettings, add_expert, expert_name, load_expert, loaded_experts, save_expert
from rses.errors import InputError, WeightsError
from tests.helpers.refusals import refused


def run(transformer, inputs):
    with torch.no_grad():
        return transformer(**inputs)[0]


def fill(transformer, style, settings=None, seed=1):
    """Add an expert whose update is not zero."""
    parameters = add_expert(transformer, style, settings or LoraSettings())
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return parameters


def snapshot(transformer):
    return {
        "experts": loaded_experts(transformer),
        "active": list(transformer.active_adapters()) if loaded_experts(transformer) else [],
        "state": {name: value.clone() for name, value in transformer.state_dict().items()},
        "trainable": {name for name, parameter in transformer.named_parameters() if parameter.requires_grad},
    }


def assert_same(before, after):
    assert after["experts"] == before["experts"]
    assert after["active"] == before["active"]
    assert after["trainable"] == before["trainable"]
    assert after["state"].keys() == before["state"].keys()
    assert all(torch.equal(value, before["state"][name]) for name, value in after["state"].items())


@pytest.mark.parametrize("style", ["pixel art", "Pixel-Art", " pixel_art ", "PIXEL  ART", " - "])
def test_name(style):
    if style.strip(" -"):
        assert expert_name(style) == "pixel-art"
        return
    with refused(InputError, "empty"):
        expert_name(style)


@pytest.mark.parametrize(("streams", "layers"), [("both", 14), ("double", 8), ("single", 6)])
def test_a_new_expert_changes_nothing_and_alone_is_trainable(tiny_transformer, flux_inputs, streams, layers):
    inputs = flux_inputs()
    before = run(tiny_transformer, inputs)
    parameters = add_expert(tiny_transformer, "pixel art", LoraSettings(rank=3, streams=streams))
    assert torch.equal(run(tiny_transformer, inputs), before)
    assert len(parameters) == 2 * layers
    trainable = {id(p) for p in tiny_transformer.parameters() if p.requires_grad}
    assert trainable == {id(p) for p in parameters}
    assert sorted({tuple(p.shape) for p in parameters}) == [(3, 32), (32, 3)]
    assert tiny_transformer.peft_config["pixel-art"].lora_alpha == 3


def test_one_step_moves_the_expert_and_nothing_else(tiny_transformer, flux_inputs):
    parameters = fill(tiny_transformer, "pixel art")
    frozen = {name: p.clone() for name, p in tiny_transformer.named_parameters() if not p.requires_grad}
    old = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.SGD(parameters, lr=1.0)
    tiny_transformer(**flux_inputs())[0].square().mean().backward()
    optimiser.step()
    assert not any(torch.equal(a, b) for a, b in zip(old, parameters, strict=True))
    assert all(torch.equal(p, frozen[name]) for name, p in tiny_transformer.named_parameters() if name in frozen)


def test_parameters_are_float32_on_a_half_precision_base(make_tiny, flux_inputs):
    transformer = torch.nn.Module.to(make_tiny(), torch.bfloat16)
    parameters = fill(transformer, "pixel art")
    assert {p.dtype for p in parameters} == {torch.float32}
    inputs = {k: v.bfloat16() if torch.is_tensor(v) and k != "guidance" else v for k, v in flux_inputs().items()}
    transformer(**inputs)[0].float().square().mean().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in parameters)


def test_several_experts_are_independent(tiny_transformer, flux_inputs):
    inputs = flux_inputs()
    base = run(tiny_transformer, inputs)
    outputs = {}
    for seed, style in enumerate(("pixel art", "line art"), 1):
        fill(tiny_transformer, style, seed=seed)
        outputs[style] = run(tiny_transformer, inputs)
    assert loaded_experts(tiny_transformer) == ["pixel-art", "line-art"]
    for style, output in outputs.items():
        tiny_transformer.set_adapters(expert_name(style))
        assert torch.equal(run(tiny_transformer, inputs), output)
        assert not torch.allclose(output, base)
    tiny_transformer.disable_lora()
    assert torch.equal(run(tiny_transformer, inputs), base)


@pytest.mark.parametrize(("streams", "dtype"), [("both", "float32"), ("double", "bfloat16"), ("single", "float32")])
def test_saved_and_loaded_experts_give_the_same_output(make_tiny, flux_inputs, tmp_path, streams, dtype):
    inputs, path = flux_inputs(), tmp_path / "new" / "pixel-art.safetensors"
    settings = LoraSettings(rank=5, streams=streams)
    trained = make_tiny()
    fill(trained, "cyberpunk", seed=2)
    fill(trained, "pixel art", settings)
    save_expert(trained, "pixel art", path, {"base": "kontext-mini"})
    loaded = torch.nn.Module.to(make_tiny(), getattr(torch, dtype))
    assert load_expert(loaded, "pixel art", path) == settings
    assert {p.dtype for p in loaded.parameters()} == {getattr(torch, dtype)}
    assert not any(p.requires_grad for n, p in loaded.named_parameters() if "lora_" in n)
    save_expert(loaded, "pixel art", tmp_path / "again.safetensors", {"base": "kontext-mini"})
    if dtype == "float32":
        assert torch.equal(run(loaded, inputs), run(trained, inputs))
        assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert {tensor.dtype for tensor in load_file(tmp_path / "again.safetensors").values()} == {torch.float32}


def test_loading_beside_other_experts(make_tiny, flux_inputs, tmp_path):
    inputs = flux_inputs()
    source, transformer = make_tiny(), make_tiny()
    fill(source, "pixel art")
    save_expert(source, "pixel art", tmp_path / "pixel-art.safetensors")
    fill(transformer, "line art", LoraSettings(rank=2, streams="double"), seed=3)
    line = run(transformer, inputs)
    load_expert(transformer, "pixel art", tmp_path / "pixel-art.safetensors")
    assert transformer.active_adapters() == ["pixel-art"]
    assert torch.equal(run(transformer, inputs), run(source, inputs))
    transformer.set_adapters("line-art")
    assert torch.equal(run(transformer, inputs), line)


def _config(transformer):
    return {key: value for key, value in transformer.config.items() if not key.startswith("_")}


def test_the_file_is_what_diffusers_writes_and_reads(make_tiny, flux_inputs, tmp_path):
    from diffusers import FluxKontextPipeline
    from peft import get_peft_model_state_dict

    trained = make_tiny()
    fill(trained, "pixel art")
    save_expert(trained, "pixel art", tmp_path / "ours.safetensors")
    state = get_peft_model_state_dict(trained, adapter_name="pixel-art")
    FluxKontextPipeline.save_lora_weights(tmp_path, transformer_lora_layers=state, weight_name="theirs.safetensors")
    ours, theirs = load_file(tmp_path / "ours.safetensors"), load_file(tmp_path / "theirs.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)

    inputs, expected = flux_inputs(), run(trained, flux_inputs())
    by_diffusers = make_tiny()
    content, alphas = FluxKontextPipeline.lora_state_dict(tmp_path / "ours.safetensors", return_alphas=True)
    FluxKontextPipeline.load_lora_into_transformer(content, alphas, by_diffusers, adapter_name="pixel-art")
    assert torch.equal(run(by_diffusers, inputs), expected)
    by_us = make_tiny()
    load_expert(by_us, "pixel art", tmp_path / "theirs.safetensors")
    assert torch.equal(run(by_us, inputs), expected)


@pytest.mark.parametrize("others", [False, True], ids=["first expert", "beside another"])
def test_a_failed_load_leaves_the_transformer_as_it_was(tiny_transformer, flux_inputs, tmp_path, others, monkeypatch):
    if others:
        fill(tiny_transformer, "line art")
    path = tmp_path / "x.safetensors"
    donor = {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight": torch.zeros(4, 32)}
    save_file(donor, path)
    before, output = snapshot(tiny_transformer), run(tiny_transformer, flux_inputs())
    for bad in (path, tmp_path / "absent.safetensors"):
        with pytest.raises(WeightsError):
            load_expert(tiny_transformer, "pixel art", bad)
        assert_same(before, snapshot(tiny_transformer))

    # Even when memory runs out half-way, which no check can foresee.
    fresh = type(tiny_transformer)(**_config(tiny_transformer))
    fill(fresh, "pixel art")
    save_expert(fresh, "pixel art", path)

    def run_out(*_arguments, **_options):
        raise error

    for error in (MemoryError(), KeyboardInterrupt()):
        with monkeypatch.context() as patch:
            patch.setattr("peft.set_peft_model_state_dict", run_out)
            with pytest.raises(type(error)):
                load_expert(tiny_transformer, "pixel art", path)
    assert_same(before, snapshot(tiny_transformer))
    assert torch.equal(run(tiny_transformer, flux_inputs()), output)
    load_expert(tiny_transformer, "pixel art", path)
    assert "pixel-art" in loaded_experts(tiny_transformer)


def test_wrong_requests(tiny_transformer, tmp_path):
    with refused(InputError, "unknown-name"):
        save_expert(tiny_transformer, "pixel art", tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=r'called "to_qq"\. Did you mean "to_q"\? Choose LoRA targets from .*to_k'):
        add_expert(tiny_transformer, "pixel art", LoraSettings(targets=("to_q", "to_qq")))
    with refused(InputError, "unknown-name"):
        add_expert(tiny_transformer, "pixel art", LoraSettings(streams="single", targets=("to_out.0",)))
    assert loaded_experts(tiny_transformer) == []
    add_expert(tiny_transformer, "pixel art", LoraSettings())
    with refused(InputError, "already-there"):
        add_expert(tiny_transformer, "Pixel-Art", LoraSettings())
    with pytest.raises(InputError, match=r'no expert "pixel-arts" .*loaded: pixel-art\. Did you mean "pixel-art"'):
        save_expert(tiny_transformer, "pixel arts", tmp_path / "x.safetensors")
    tiny_transformer.peft_config["pixel-art"].lora_alpha = 8
    with refused(InputError, "unsupported"):
        save_expert(tiny_transformer, "pixel art", tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_expert_is_not_loaded_as_another_style(make_tiny, tmp_path):
    source = make_tiny()
    add_expert(source, "cyberpunk", LoraSettings())
    save_expert(source, "cyberpunk", tmp_path / "x.safetensors")
    transformer = make_tiny()
    with refused(WeightsError, "wrong-weights", "x.safetensors"):
        load_expert(transformer, "pixel art", tmp_path / "x.safetensors")
    assert loaded_experts(transformer) == []
