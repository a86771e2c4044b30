"""Masked LPIPS: what each form promises, on the embedded trunk."""

from __future__ import annotations

import pytest
import torch

from rses.backbones import load_perceptual
from rses.functional import LPIPS_FORMS, lpips_map, masked_lpips
from rses.metrics import MaskedLPIPS
from tests.helpers.refusals import refused


@pytest.fixture(scope="module")
def trunk():
    return load_perceptual("rses-mini", "cpu")


def images(n: int = 2, size: int = 96):
    generator = torch.Generator().manual_seed(0)
    source = torch.nn.functional.interpolate(torch.rand(n, 3, 12, 12, generator=generator), size=size, mode="bilinear")
    pred = (source + 0.1 * torch.randn(source.shape, generator=generator)).clamp(0, 1)
    mask = torch.zeros(n, 1, size, size, dtype=torch.bool)
    mask[..., 30:60, 20:50] = True
    return pred, source, mask


def plain(pred, source, trunk):
    """Unmasked LPIPS, written out."""
    total = torch.zeros(pred.shape[0], dtype=torch.float64)
    for a, b, head in zip(trunk.features(pred), trunk.features(source), trunk.weights(), strict=True):
        total += ((a - b).square() * head.view(1, -1, 1, 1)).sum(1).double().mean((1, 2))
    return total


def test_all_area_forms_equal_plain_lpips_without_a_mask(trunk):
    pred, source, mask = images()
    expected = plain(pred, source, trunk)
    for form in ("neutral", "blackout", "strict"):
        assert torch.allclose(masked_lpips(pred, source, mask & False, trunk, form), expected, atol=1e-6), form


def test_blackout_is_plain_lpips_of_blacked_out_images(trunk):
    pred, source, mask = images()
    keep = (~mask).float()
    assert torch.allclose(
        masked_lpips(pred, source, mask, trunk, "blackout"), plain(pred * keep, source * keep, trunk), atol=1e-6
    )


def test_strict_uses_only_cells_that_never_saw_the_region(trunk):
    pred, source, mask = images(1, 256)
    wild = torch.where(mask, 1 - pred, pred)
    layers = zip(trunk.features(pred), trunk.features(wild), trunk.touched(mask.float()), strict=True)
    for a, b, touched in layers:
        assert touched.shape[-2:] == a.shape[-2:]
        assert 0 < touched.mean() < 1
        assert torch.allclose(a * (1 - touched), b * (1 - touched), atol=1e-6)
        assert not torch.allclose(a * touched, b * touched, atol=1e-3)
    assert torch.isfinite(masked_lpips(pred, source, mask, trunk, "strict")).all()


def test_strict_is_undefined_where_every_cell_saw_the_region(trunk):
    pred, source, mask = images(1, 64)
    mask = mask | True
    mask[..., :4, :4] = False
    assert masked_lpips(pred, source, mask, trunk, "strict").isnan().all()


@pytest.mark.parametrize("form", ["neutral", "strict", "blackout"])
def test_blind_to_the_region(trunk, form):
    pred, source, mask = images(2, 256)
    wild = torch.where(mask, 1 - pred, pred)
    assert torch.equal(masked_lpips(pred, source, mask, trunk, form), masked_lpips(wild, source, mask, trunk, form))


def test_spatial_is_not_blind(trunk):
    """The control that shows the test above can fail."""
    pred, source, mask = images()
    wild = torch.where(mask, 1 - pred, pred)
    assert not torch.equal(
        masked_lpips(pred, source, mask, trunk, "spatial"), masked_lpips(wild, source, mask, trunk, "spatial")
    )


def test_map_is_zero_inside_and_averages_close_to_the_score(trunk):
    pred, source, mask = images()
    heat = lpips_map(pred, source, mask, trunk)
    assert heat.shape == mask.shape
    assert (heat[mask] == 0).all()
    mean = torch.stack([h[~m].mean() for h, m in zip(heat, mask, strict=True)])
    assert torch.allclose(mean, masked_lpips(pred, source, mask, trunk), rtol=0.2)


def test_running_class_equals_the_mean_of_the_function(trunk):
    pred, source, mask = images(4)
    metric = MaskedLPIPS(trunk)
    metric.update(pred[:3], source[:3], mask[:3])
    last = metric(pred[3:], source[3:], mask[3:])
    values = masked_lpips(pred, source, mask, trunk)
    assert last.item() == pytest.approx(values[3].item(), abs=1e-6)
    assert metric.compute().item() == pytest.approx(values.mean().item(), abs=1e-6)
    metric.reset()
    assert metric.compute().isnan()


def test_errors_name_what_is_wrong(trunk):
    pred, source, mask = images()
    with pytest.raises(ValueError, match="unknown LPIPS form 'masked'.*" + LPIPS_FORMS[0]):
        masked_lpips(pred, source, mask, trunk, "masked")
    with refused(ValueError, "wrong-size"):
        masked_lpips(pred[..., :8, :8], source[..., :8, :8], mask[..., :8, :8], trunk)
