"""P10: the legacy protocols give those scripts' numbers, re-derived here from torchmetrics as the scripts use it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage import data
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from torchmetrics.regression import MeanSquaredError

from rses import RSES, get_protocol
from rses.functional.legacy import force_border


@pytest.fixture(scope="module")
def sample():
    source = data.astronaut()[:128, 120:248].copy()
    rng = np.random.default_rng(0)
    pred = np.clip(source + rng.normal(0, 8, source.shape), 0, 255).astype(np.uint8)
    mask = np.zeros((128, 128), np.uint8)
    mask[20:90, 30:100] = 1
    pred[mask == 1] = rng.integers(0, 256, (int(mask.sum()), 3))
    return pred, source, mask


def blacked_out(image: np.ndarray, keep: np.ndarray) -> torch.Tensor:
    """float32 / 255, times the mask, to (1, 3, H, W): how both scripts prepare an image."""
    return torch.from_numpy(image.astype(np.float32) / 255 * keep[..., None]).permute(2, 0, 1)[None].contiguous()


def test_pie_bench_numbers(sample):
    pred, source, mask = sample
    protocol = get_protocol("pie-bench")
    result = RSES(protocol, device="cpu", metrics=["mse_bg", "psnr_bg", "ssim_bg"]).score(pred, source, mask)
    forced = mask.copy()
    forced[0], forced[-1], forced[:, 0], forced[:, -1] = 1, 1, 1, 1
    a, b = blacked_out(pred, 1 - forced), blacked_out(source, 1 - forced)
    assert result.mse_bg == pytest.approx(MeanSquaredError()(a, b).item(), rel=1e-5)
    assert result.psnr_bg == pytest.approx(PeakSignalNoiseRatio(data_range=1.0)(a, b).item(), abs=1e-4)
    assert result.ssim_bg == pytest.approx(StructuralSimilarityIndexMeasure(data_range=1.0)(a, b).item(), abs=1e-5)


def test_brushbench_numbers(sample):
    pred, source, mask = sample
    protocol = get_protocol("brushbench").replace(force_size=0)
    result = RSES(protocol, device="cpu", metrics=["mse_bg", "psnr_bg", "ssim_bg"]).score(pred, source, mask)
    a, b = blacked_out(pred, 1 - mask).numpy(), blacked_out(source, 1 - mask).numpy()
    mse = ((a - b) ** 2).sum() / (1 - mask).sum()
    assert result.mse_bg == pytest.approx(mse, rel=1e-5)
    assert result.psnr_bg == pytest.approx(20 * math.log10(1 / math.sqrt(mse)), abs=1e-4)
    assert result.ssim_bg is None
    perfect = np.where(mask[..., None] == 1, pred, source)
    assert RSES(protocol, device="cpu", metrics=["psnr_bg"]).score(perfect, source, mask).psnr_bg == 1000.0


def test_the_laws_of_their_bias(sample):
    """PSNR_PIE = PSNR - 10 log10(background share); PSNR_Brush = PSNR - 10 log10(3)."""
    pred, source, mask = sample
    right = RSES("rses-v1", device="cpu", metrics=["psnr_bg"]).score(pred, source, mask).psnr_bg
    brush = get_protocol("brushbench").replace(force_size=0)
    pie = get_protocol("pie-bench").replace(border="as_is")
    share = 1 - mask.mean()
    assert RSES(brush, device="cpu", metrics=["psnr_bg"]).score(pred, source, mask).psnr_bg == pytest.approx(
        right - 10 * math.log10(3), abs=1e-6
    )
    assert RSES(pie, device="cpu", metrics=["psnr_bg"]).score(pred, source, mask).psnr_bg == pytest.approx(
        right - 10 * math.log10(share), abs=1e-6
    )


def test_forced_border_is_the_outermost_ring():
    forced = force_border(torch.zeros(1, 1, 512, 512))
    assert forced.mean().item() == pytest.approx(0.0078, abs=5e-5)
