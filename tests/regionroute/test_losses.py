"""Attention losses: formulas, and the properties that the released code lacks."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from benchmark_data.recipes.attention_study import AREAS, disc, gradient, mask_part, optimise
from regionroute.losses import MODES, cover_loss, focus_loss, mass_inside, mean_map
from rses.errors import InputError
from tests.helpers.refusals import refused

LOSSES = {"focus": focus_loss, "cover": cover_loss}
every_mode = pytest.mark.parametrize("mode", MODES)
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def example(seed=0, layers=2, batch=2, heads=3, cells=16, tokens=3, scale=1e-3):
    """Maps of realistic size, masks with soft cells, and valid with one padded token in the last sample."""
    generator = torch.Generator().manual_seed(seed)
    maps = scale * torch.randn(layers, batch, heads, cells, tokens, generator=generator).exp()
    masks = torch.rand(batch, cells, generator=generator)
    masks[:, ::2] = 0
    valid = torch.ones(batch, tokens, dtype=torch.bool)
    valid[-1, -1] = tokens == 1
    return maps, masks, valid


def log_gradient(loss, log_maps, masks, valid, scale=1.0, **options):
    """Gradient with regard to the logarithm of the maps: what reaches the attention logits."""
    leaf = log_maps.clone().requires_grad_()
    return torch.autograd.grad(loss(scale * leaf.exp(), masks, valid, **options).sum(), leaf)[0]


# Formulas, each against a plain reading in float64.


def test_mean_map_leaves_padding_out():
    maps, _, valid = example()
    found = mean_map(maps, valid)
    assert found.shape == (2, 16)
    assert torch.allclose(found[0], maps[:, 0].mean(dim=(0, 1, 3)))
    assert torch.allclose(found[1], maps[:, 1, :, :, :2].mean(dim=(0, 1, 3)))


def test_mass_inside():
    maps, masks, valid = example()
    mean = mean_map(maps, valid)
    assert torch.allclose(mass_inside(maps, masks, valid), (mean * masks).sum(1) / mean.sum(1))
    assert torch.allclose(mass_inside(torch.full_like(maps, 1e-4), masks, valid), masks.mean(dim=1))
    inside = maps * (masks > 0)[None, :, None, :, None]
    assert torch.allclose(mass_inside(inside, (masks > 0).float(), valid), torch.ones(2))


def test_exact_formulas():
    maps, masks, valid = example()
    mean, target = mean_map(maps, valid).double(), masks.double()
    p, m = mean / mean.sum(1, keepdim=True), target / target.sum(1, keepdim=True)
    kl = torch.where(m > 0, m * (m / p).log(), 0.0).sum(dim=1)
    assert torch.allclose(focus_loss(maps, masks, valid).double(), kl, atol=1e-5)
    for alpha in (None, 0.5):
        logits = (alpha or 1.0) * (torch.logit(p) - math.log((1 / 16) / (1 - 1 / 16)))
        bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=1)
        assert torch.allclose(cover_loss(maps, masks, valid, alpha=alpha).double(), bce, atol=1e-5)


def test_exact_landmarks():
    mask = disc(0.15)
    shape = (1, 1, 1, mask.shape[1], 1)
    valid = torch.ones(1, 1, dtype=torch.bool)
    ideal, uniform = mask.reshape(shape) * 3e-4, torch.full(shape, 3e-4)
    assert float(focus_loss(ideal, mask, valid)) == pytest.approx(0, abs=1e-5)
    assert float(focus_loss(uniform, mask, valid)) == pytest.approx(-math.log(float(mask.mean())), rel=1e-5)
    assert float(cover_loss(uniform, mask, valid)) == pytest.approx(math.log(2), rel=1e-5)
    assert float(cover_loss(ideal, mask, valid)) < 0.1 * math.log(2)
    # Covering half of the object costs more than covering all of it.
    half = ideal.clone()
    half[:, :, :, mask[0].nonzero()[::2, 0]] = 1e-8
    assert float(cover_loss(half, mask, valid)) > float(cover_loss(ideal, mask, valid)) + 0.05


def test_paper_formulas():
    maps, masks, valid = example(scale=0.05)
    mean, target = mean_map(maps, valid).double(), masks.double()
    prediction = (mean / 0.2).softmax(dim=1)
    # The floor that makes the printed formula finite: a millionth of the mask's mass, spread evenly.
    m = (target / target.sum(1, keepdim=True) + 1e-6 / 16) / (1 + 1e-6)
    kl = (prediction * (prediction / m).log()).sum(dim=1)
    assert torch.allclose(focus_loss(maps, masks, valid, "paper", tau=0.2).double(), kl, rtol=1e-5)
    bce = F.binary_cross_entropy_with_logits(2 * mean, target, reduction="none").mean(dim=1)
    assert torch.allclose(cover_loss(maps, masks, valid, "paper").double(), bce, rtol=1e-5)


def test_official_formulas():
    maps, masks, valid = example()
    focus, cover = [], []
    for sample in range(2):
        tokens = int(valid[sample].sum())
        m = masks[sample].double()
        terms = []
        for layer in range(2):
            chosen = maps[layer, sample, :, :, :tokens].double()
            shares = (chosen / chosen.sum(dim=-1, keepdim=True)).mean(dim=0)
            for token in range(tokens):
                log_prediction = (shares[:, token] / 0.1).log_softmax(dim=0)
                terms.append((
                    F.kl_div(log_prediction, m / m.sum(), reduction="sum"),
                    F.binary_cross_entropy_with_logits(2 * shares[:, token], m),
                ))  # fmt: skip
        focus.append(sum(t[0] for t in terms) / len(terms))
        cover.append(sum(t[1] for t in terms) / len(terms))
    assert torch.allclose(focus_loss(maps, masks, valid, "official").double(), torch.stack(focus), rtol=1e-5)
    assert torch.allclose(cover_loss(maps, masks, valid, "official").double(), torch.stack(cover), rtol=1e-5)


# What would have caught the released code.


def test_exact_gradient_depends_on_the_mask_and_the_official_one_does_not():
    exact, official = mask_part("exact"), mask_part("official")
    assert exact["mask_part"] > 0.5 * exact["norm"]
    assert official["norm"] > 1e-3
    assert official["mask_part"] < 1e-6 * official["norm"]


def test_one_style_token_has_a_gradient_in_exact_and_none_in_official():
    mask = disc(0.15)
    assert float(gradient("exact", mask, tokens=1).norm()) > 1e-3
    assert not gradient("official", mask, tokens=1).any()


@pytest.mark.parametrize("area", AREAS)
def test_free_logits_move_into_the_mask_in_exact_and_stay_in_official(area):
    assert optimise("exact", area, steps=100)[-1] >= 0.95
    share = float(disc(area).mean())
    assert optimise("official", area, steps=100)[-1] == pytest.approx(share, abs=0.01)


def test_at_real_magnitudes_the_papers_gradients_vanish():
    assert optimise("exact", 0.15, "descent", steps=100)[-1] >= 0.95
    assert optimise("paper", 0.15, "descent", steps=100)[-1] < 0.16


# Scale.


@every_loss
@given(seed=st.integers(0, 10_000), exponent=st.floats(-4, 0))
@settings(max_examples=25, deadline=None)
def test_exact_does_not_depend_on_the_scale_of_the_maps(loss, seed, exponent):
    maps, masks, valid = example(seed)
    factor = 10**exponent
    assert torch.allclose(loss(factor * maps, masks, valid), loss(maps, masks, valid), rtol=1e-4)
    whole, scaled = (log_gradient(loss, maps.log(), masks, valid, scale) for scale in (1.0, factor))
    assert torch.allclose(scaled, whole, rtol=1e-3, atol=1e-4 * float(whole.abs().max()))


@every_loss
def test_gradients_at_magnitude_1e_4(loss):
    maps, masks, valid = example(scale=1.0)
    norms = {
        (mode, scale): float(log_gradient(loss, maps.log(), masks, valid, scale, mode=mode).norm())
        for mode in ("exact", "paper")
        for scale in (1e-1, 1e-4)
    }
    assert norms["exact", 1e-4] == pytest.approx(norms["exact", 1e-1], rel=1e-3)
    assert norms["exact", 1e-4] > 0.01
    assert norms["paper", 1e-4] < 3e-3 * norms["paper", 1e-1]
    assert norms["paper", 1e-4] < 0.05 * norms["exact", 1e-4]


# Robustness.


def zeros(kind):
    maps, masks, valid = example()
    if kind == "all":
        maps = torch.zeros_like(maps)
    elif kind == "inside":
        maps = maps * (masks == 0)[None, :, None, :, None]
    elif kind == "one cell":
        maps = torch.zeros_like(maps)
        maps[:, :, :, 3] = 1.0
    elif kind == "denormal":
        maps = maps * 1e-38
    return maps, masks, valid


@every_loss
@every_mode
@pytest.mark.parametrize("kind", ["all", "inside", "one cell", "denormal"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_never_nan(loss, mode, kind, dtype):
    maps, masks, valid = zeros(kind)
    leaf = maps.to(dtype).requires_grad_()
    value = loss(leaf, masks, valid, mode)
    assert value.dtype == torch.float32
    assert torch.isfinite(value).all()
    assert torch.isfinite(torch.autograd.grad(value.sum(), leaf)[0]).all()
    assert torch.isfinite(mass_inside(leaf, masks, valid)).all()


@every_loss
@every_mode
def test_samples_are_independent_and_padding_is_ignored(loss, mode):
    maps, masks, valid = example()
    both = loss(maps, masks, valid, mode)
    assert both.shape == (2,)
    padded = maps.clone()
    padded[:, 1, :, :, 2] = 0.9
    assert torch.equal(loss(padded, masks, valid, mode), both)
    assert torch.allclose(loss(maps[:, :1], masks[:1], valid[:1], mode), both[:1], rtol=1e-6)
    assert torch.allclose(loss(maps[:, 1:, :, :, :2], masks[1:], valid[1:, :2], mode), both[1:], rtol=1e-6)


@every_loss
@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (lambda maps, masks, valid: (maps, masks, valid, "exakt"), "unknown-value", "mode"),
        (lambda maps, masks, valid: (maps, masks * torch.tensor([[1.0], [0.0]]), valid), "empty", "masks"),
        (lambda maps, masks, valid: (maps, masks[:, :9], valid), "wrong-shape", "masks"),
        (lambda maps, masks, valid: (maps, masks, valid[:, :2]), "wrong-shape", "valid"),
        (lambda maps, masks, valid: (maps[0], masks, valid), "wrong-shape", "maps"),
        (lambda maps, masks, valid: (maps, masks, torch.zeros_like(valid)), "empty", "valid"),
        (lambda maps, masks, valid: (maps[:, :, :, :1], masks[:, 1:2], valid), "wrong-length", "maps"),
    ],
)
def test_mistakes(loss, change, code, place):
    with refused(InputError, code, place):
        loss(*change(*example()))
