"""Cost of style-token supervision of one attention layer, forward and backward: none, exact and naive, in one run.

H = 4, d = 64, batch 1, float32, one thread. Times are processor times, so that other programs disturb them less; memory
is the rise of the resident set's peak. Read both as ratios within a length.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from regionroute.attention import StyleAttention
from regionroute.losses import cover_loss, focus_loss

LENGTHS = (1024, 2048, 4096)
WAYS = ("none", "exact", "naive")
HEADS, WIDTH, TEXT = 4, 64, 128
STYLE = (40, 41, 42)
CLEAR = Path("/proc/self/clear_refs")


class Naive:
    """Attention with the softmax written out, which keeps the whole matrix; single blocks only."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None):
        projected = (attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states))
        query, key, value = (x.unflatten(-1, (-1, attn.head_dim)).transpose(1, 2) for x in projected)
        weights = (attn.norm_q(query) @ attn.norm_k(key).transpose(-1, -2) * WIDTH**-0.5).softmax(dim=-1)
        target = (weights.shape[-1] - TEXT) // 2
        self.maps = weights[:, :, TEXT : TEXT + target, list(STYLE)]
        return (weights @ value).transpose(1, 2).flatten(2, 3)


def training_step(way, length):
    """Return a function that runs one layer's forward and backward pass and returns its gradient."""
    from diffusers.models.transformers.transformer_flux import FluxAttention

    torch.manual_seed(0)
    size = HEADS * WIDTH
    layer = FluxAttention(size, HEADS, WIDTH, bias=True, out_dim=size, pre_only=True)
    hidden = torch.randn(1, length, size, requires_grad=True)
    target = (length - TEXT) // 2
    mask = (torch.arange(target) < target // 5)[None].float()
    valid = torch.ones(1, len(STYLE), dtype=torch.bool)
    if way == "naive":
        layer.set_processor(Naive())
    # What StyleAttention needs of a transformer: its blocks.
    blocks = SimpleNamespace(transformer_blocks=[], single_transformer_blocks=[SimpleNamespace(attn=layer)])
    attention = StyleAttention(blocks) if way == "exact" else None

    def loss(output, maps):
        supervision = 0.1 * focus_loss(maps, mask, valid) + 0.2 * cover_loss(maps, mask, valid)
        return output.square().mean() + supervision.sum()

    def step():
        if way == "none":
            total = layer(hidden).square().mean()
        elif way == "naive":
            total = loss(layer(hidden), layer.processor.maps[None])
            del layer.processor.maps
        else:
            with attention.record([STYLE], TEXT, target) as maps:
                output = layer(hidden)
            total = loss(output, maps.stacked())
        return torch.autograd.grad(total, hidden)[0]

    return step


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.benchmark(timer=time.process_time, warmup=False)
def test_step_time(benchmark, length, way):
    benchmark.group = f"one attention layer, L = {length} (compare with `none`)"
    # Without timing the test only shows that it runs.
    step = training_step(way, length if benchmark.enabled else 256)
    benchmark.pedantic(step, rounds=7, warmup_rounds=1)


def peak_rise(function):
    """MB by which the peak of the resident set exceeds what was resident before the call."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    # Sets the recorded peak to the present value (proc_pid_clear_refs(5)).
    CLEAR.write_text("5")
    before = high_water()
    function()
    return (high_water() - before) / 1024


def high_water():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_peak_memory(request, capsys):
    measured = request.config.getoption("benchmark_enable")
    rises = {}
    for length in LENGTHS if measured else (1024,):
        for way in WAYS:
            step = training_step(way, length)
            rises[length, way] = min(peak_rise(step) for _ in range(3 if measured else 1))
        assert rises[length, "naive"] > 1.5 * rises[length, "exact"]
    if measured:
        with capsys.disabled():
            print("\npeak memory of one attention layer's step, MB (and times `none`)")
            for (length, way), mb in rises.items():
                print(f"  L = {length}  {way:6}{mb:8.1f}  ({mb / rises[length, 'none']:.2f})")


def test_exact_and_naive_have_equal_gradients():
    exact, naive = (training_step(way, 384)() for way in ("exact", "naive"))
    assert torch.allclose(exact, naive, rtol=1e-4, atol=1e-5 * float(naive.abs().max()))
