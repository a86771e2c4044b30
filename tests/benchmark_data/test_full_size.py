"""The published size: parameter counts, and the memory estimate against live bytes of real steps without storage.

A dispatch mode sees every tensor that a training step makes and weak references see it go, so the peak of a step is
counted exactly, for the CPU's kernels, without the memory or the arithmetic: tensors are fake.
"""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from baselines.flux import KONTEXT_CONFIG
from benchmark_data.recipes import full_size
from benchmark_data.recipes.full_size import (
    attention_share,
    build_meta_transformer,
    estimate_table,
    expert_parameter_count,
    main,
    memory_estimate,
    parameter_count,
    step_inputs,
    training_step,
)
from regionroute.experts import LoraSettings, add_expert
from rses.errors import InputError

# Real head width, MLP ratio and block kinds; fewer and narrower blocks.
SMALL = {**KONTEXT_CONFIG, "num_layers": 2, "num_single_layers": 3, "num_attention_heads": 4, "joint_attention_dim": 64}
TEXT = 128


class LiveBytes(TorchDispatchMode):
    """Sums the storages that exist; those of ``known`` tensors are ignored."""

    def __init__(self, known):
        super().__init__()
        self.sizes = {tensor.untyped_storage()._cdata: 0 for tensor in known}
        self.now = self.peak = 0

    def free(self, key):
        self.now -= self.sizes.pop(key, 0)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if not isinstance(tensor, torch.Tensor):
                continue
            storage = tensor.untyped_storage()
            if storage._cdata not in self.sizes:
                self.sizes[storage._cdata] = storage.nbytes()
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self.free, storage._cdata)
        return result


def without_checks(maps, mask, valid):
    """A loss that holds what the exact losses hold; those look at values, which fake tensors lack."""
    return (maps.mean(dim=(0, 2), dtype=torch.float32).mean(-1) * mask).mean(-1)


@pytest.fixture
def peak_bytes(monkeypatch):
    monkeypatch.setattr(full_size, "focus_loss", without_checks)
    monkeypatch.setattr(full_size, "cover_loss", without_checks)

    def peak(config, resolution, batch, text, dtype, checkpointing, supervision):
        transformer = build_meta_transformer(config, dtype)
        add_expert(transformer, "pixel art", LoraSettings())
        transformer.train()
        if checkpointing:
            transformer.enable_gradient_checkpointing()
        with FakeTensorMode(allow_non_fake_inputs=True):
            for module in transformer.modules():
                for name, old in module._parameters.items():
                    if old is not None:
                        new = torch.empty(old.shape, dtype=old.dtype)
                        module._parameters[name] = torch.nn.Parameter(new, requires_grad=old.requires_grad)
            inputs = step_inputs(transformer, resolution, batch, text)
            with LiveBytes(transformer.parameters()) as live:
                training_step(transformer, inputs, inputs["img_ids"].shape[0] // 2, supervision)
        return live.peak

    return peak


@pytest.mark.parametrize(
    ("dtype", "checkpointing", "supervision", "batch"),
    [
        ("bfloat16", True, "off", 1),
        ("bfloat16", True, "exact", 2),
        ("bfloat16", True, "naive", 1),
        ("bfloat16", False, "off", 2),
        ("bfloat16", False, "exact", 1),
        ("bfloat16", False, "naive", 1),
        ("float32", True, "exact", 1),
        ("float32", False, "off", 1),
    ],
)
def test_estimate_agrees_with_the_live_bytes_of_a_step(peak_bytes, dtype, checkpointing, supervision, batch):
    counted = peak_bytes(SMALL, 256, batch, TEXT, getattr(torch, dtype), checkpointing, supervision)
    estimate = memory_estimate(256, batch, 4, dtype, checkpointing, supervision, text_tokens=TEXT, config=SMALL)
    assert estimate.activations + estimate.attention == pytest.approx(counted, rel=0.10)


@pytest.mark.parametrize("checkpointing", [True, False])
def test_what_exact_supervision_adds_is_counted_too(peak_bytes, checkpointing):
    """The difference of two peaks is small against either, so it is checked on its own, as a share of the step."""
    options = (SMALL, 256, 1, TEXT, torch.bfloat16, checkpointing)
    off = peak_bytes(*options, "off")
    added = peak_bytes(*options, "exact") - off
    estimate = memory_estimate(256, 1, 4, "bfloat16", checkpointing, text_tokens=TEXT, config=SMALL)
    assert 0 < added < 0.03 * off
    assert estimate.attention == pytest.approx(added, abs=0.01 * off)


def test_parameters():
    transformer = build_meta_transformer()
    assert all(parameter.is_meta for parameter in transformer.parameters())
    assert parameter_count(transformer) == 11_901_408_320
    assert expert_parameter_count(transformer, LoraSettings()) == 4_669_440
    assert expert_parameter_count(transformer, LoraSettings(streams="double")) == 1_867_776
    assert expert_parameter_count(transformer, LoraSettings(streams="single")) == 2_801_664
    assert expert_parameter_count(transformer, LoraSettings(rank=16)) == 4 * 4_669_440
    parameters = add_expert(transformer, "pixel art", LoraSettings())
    assert len(parameters) == 380
    assert sum(parameter.numel() for parameter in parameters) == 4_669_440


def test_estimates_at_full_size():
    cost = {way: memory_estimate(supervision=way) for way in ("off", "exact", "naive")}
    assert cost["off"].attention == 0
    assert cost["off"].weights == 2 * 11_901_408_320
    assert cost["off"].optimiser == 8 * 4_669_440
    assert cost["exact"].total < 1.05 * cost["off"].total
    assert cost["naive"].total > 1.3 * cost["off"].total
    assert memory_estimate(checkpointing=False).total > 2 * cost["exact"].total
    assert memory_estimate(batch=2).activations == pytest.approx(2 * cost["exact"].activations)
    assert attention_share() == pytest.approx(0.415, abs=0.005)
    assert attention_share(512) < attention_share(1024) < attention_share(2048)


def test_values_out_of_range_are_listed_at_once():
    with pytest.raises(InputError) as error:
        memory_estimate(1000, 0, 4, "int8", True, "some")
    assert len(error.value.problems) == 4


def test_documentation_shows_the_table():
    page = Path(__file__).parents[2] / "docs" / "full-size.md"
    assert estimate_table() in page.read_text("utf-8")


def test_command_line(capsys, monkeypatch):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == estimate_table()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["--measure"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Measuring needs a CUDA device")
    assert len(captured.err.splitlines()) == 1
    assert main(["--measure", "--resolution", "1000"]) == 2
    assert "multiple of 16" in capsys.readouterr().err


def test_measured_step_trains_the_expert_in_every_supervision(make_tiny):
    """What ``--measure`` times is a step: on a small real model all ways give the expert the gradients of theirs."""
    transformer = make_tiny(seed=1)
    parameters = add_expert(transformer, "pixel art", LoraSettings())
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.05)
    transformer.enable_gradient_checkpointing()
    transformer.train()
    torch.manual_seed(0)
    inputs = step_inputs(transformer, 64, batch=2, text=16)
    gradients = {}
    for supervision in full_size.SUPERVISION:
        training_step(transformer, inputs, 16, supervision)
        gradients[supervision] = torch.cat([parameter.grad.flatten() for parameter in parameters])
        transformer.zero_grad()
    assert torch.allclose(gradients["exact"], gradients["naive"], rtol=1e-3, atol=1e-6)
    assert not torch.allclose(gradients["exact"], gradients["off"], rtol=1e-3, atol=1e-6)
    assert {type(processor).__name__ for processor in transformer.attn_processors.values()} == {"FluxAttnProcessor"}
