"""P9: without a mask the metrics equal scikit-image and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import peak_signal_noise_ratio as tm_psnr
from torchmetrics.functional.image import structural_similarity_index_measure as tm_ssim

from rses.functional import masked_mse, masked_psnr, masked_ssim


def pair(size=(120, 150)) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.from_numpy(data.astronaut()[: size[0], 100 : 100 + size[1]].copy()).permute(2, 0, 1)[None] / 255
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.05, source.shape)).float()
    return (source + noise).clamp(0, 1), source


def hwc(image: torch.Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).double().numpy()


def test_unmasked_ssim_equals_scikit_image():
    pred, source = pair()
    expected = structural_similarity(
        hwc(source), hwc(pred), gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0,
        channel_axis=2,
    )  # fmt: skip
    nothing = torch.zeros(1, 1, *pred.shape[-2:])
    assert masked_ssim(pred, source, nothing).item() == pytest.approx(expected, abs=1e-9)
    # torchmetrics also averages windows that hang over the border; its map agrees where windows fit.
    _, full = tm_ssim(pred, source, data_range=1.0, return_full_image=True)
    assert masked_ssim(pred, source, nothing).item() == pytest.approx(full[..., 5:-5, 5:-5].mean().item(), abs=1e-5)


def test_unmasked_pixel_errors_equal_scikit_image_and_torchmetrics():
    pred, source = pair()
    nothing = torch.zeros(1, 1, *pred.shape[-2:])
    assert masked_mse(pred, source, nothing).item() == pytest.approx(
        mean_squared_error(hwc(source), hwc(pred)), abs=1e-12
    )
    psnr = masked_psnr(pred, source, nothing).item()
    assert psnr == pytest.approx(peak_signal_noise_ratio(hwc(source), hwc(pred), data_range=1.0), abs=1e-9)
    assert psnr == pytest.approx(tm_psnr(pred, source, data_range=1.0).item(), abs=1e-4)


def test_masked_ssim_equals_a_direct_sum_over_windows():
    """Against the definition, pixel by pixel, with a mask that cuts through most windows."""
    pred, source = pair((24, 26))
    rng = np.random.default_rng(1)
    mask = torch.from_numpy(rng.random((1, 1, 24, 26)) < 0.4)
    offsets = np.arange(11) - 5
    line = np.exp(-0.5 * (offsets / 1.5) ** 2)
    kernel = np.outer(line, line)
    background = ~mask[0, 0].numpy()
    values = []
    for channel in range(3):
        a, b = pred[0, channel].double().numpy(), source[0, channel].double().numpy()
        for row in range(5, 19):
            for column in range(5, 21):
                if not background[row, column]:
                    continue
                window = (slice(row - 5, row + 6), slice(column - 5, column + 6))
                weight = kernel * background[window]
                weight = weight / weight.sum()
                mean_a, mean_b = (weight * a[window]).sum(), (weight * b[window]).sum()
                var_a = (weight * (a[window] - mean_a) ** 2).sum()
                var_b = (weight * (b[window] - mean_b) ** 2).sum()
                cov = (weight * (a[window] - mean_a) * (b[window] - mean_b)).sum()
                values.append(
                    (2 * mean_a * mean_b + 1e-4) * (2 * cov + 9e-4)
                    / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
                )  # fmt: skip
    assert masked_ssim(pred, source, mask).item() == pytest.approx(np.mean(values), abs=1e-10)


def test_masked_mse_equals_boolean_indexing():
    pred, source = pair()
    mask = torch.rand(1, 1, *pred.shape[-2:], generator=torch.Generator().manual_seed(0)) < 0.3
    chosen = (~mask).expand_as(pred)
    expected = (pred.double()[chosen] - source.double()[chosen]).square().mean().item()
    assert masked_mse(pred, source, mask).item() == pytest.approx(expected, rel=1e-12)


def test_nothing_to_average_is_nan_not_zero():
    pred, source = pair((16, 16))
    everything = torch.ones(1, 1, 16, 16)
    assert masked_mse(pred, source, everything).isnan().all()
    assert masked_ssim(pred, source, everything).isnan().all()
    assert masked_ssim(pred[..., :8, :8], source[..., :8, :8], everything[..., :8, :8] * 0).isnan().all()
