"""SSIM on the background by normalised convolution: no leak from the region, no fake edge at its border."""

from __future__ import annotations

import torch

from rses.functional._checks import check_images, check_mask, float64_device, wide
from rses.state.steady import steady

__all__ = ["SSIM_WINDOW", "masked_ssim"]

SSIM_WINDOW = 11
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2


@steady()
def masked_ssim(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """SSIM averaged over background pixels, with local statistics taken from background pixels only.

    Every Gaussian-weighted mean is ``G*(B f) / G*B``: pixels of the region have no weight, so they can neither leak
    into the score nor draw an edge. As in scikit-image, only windows that lie inside the image count, so without a
    mask the value equals ``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=1)``.

    Args:
        pred: Edited images (N, 3, H, W) in [0, 1].
        source: Source images, same shape and range.
        mask: (N, 1, H, W), 1 = region to edit; bool or 0/1.

    Returns:
        (N,) float64, at most 1; NaN where no background pixel is at least 5 px away from the image border.

    Raises:
        InputError: Wrong shapes or ranges.

    Source: Wang et al. (2004), https://doi.org/10.1109/TIP.2003.819861; normalised convolution: Knutsson and
    Westin (1993), https://doi.org/10.1109/CVPR.1993.341081.

    Example:
        >>> x = torch.rand(1, 3, 32, 32); m = torch.zeros(1, 1, 32, 32); m[..., 8:20, 8:20] = 1
        >>> p = torch.where(m.bool(), 1 - x, x)
        >>> masked_ssim(p, x, m).item()
        1.0
    """
    check_images(pred, source)
    background = ~check_mask(mask, pred).to(float64_device(pred))
    if min(pred.shape[-2:]) < SSIM_WINDOW:
        return torch.full((pred.shape[0],), torch.nan, dtype=torch.float64, device=background.device)
    weight = background.double()
    support = _blur(weight).clamp_min(torch.finfo(torch.float64).tiny)
    a, b = wide(pred) * weight, wide(source) * weight
    mean_a, mean_b = _blur(a) / support, _blur(b) / support
    variance_a = _blur(a * a) / support - mean_a * mean_a
    variance_b = _blur(b * b) / support - mean_b * mean_b
    covariance = _blur(a * b) / support - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)
    structure = (2 * covariance + C2) / (variance_a + variance_b + C2)
    margin = SSIM_WINDOW // 2
    centre = background[..., margin:-margin, margin:-margin]
    total = torch.where(centre, luminance * structure, 0.0).sum(dim=(1, 2, 3))
    return total / (centre.sum(dim=(1, 2, 3)) * pred.shape[1])


def _blur(image: torch.Tensor) -> torch.Tensor:
    """Separable Gaussian over all windows inside the image: (N, C, H, W) -> (N, C, H - 10, W - 10)."""
    offsets = torch.arange(SSIM_WINDOW, dtype=torch.float64) - SSIM_WINDOW // 2
    kernel = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    taps = (kernel / kernel.sum()).tolist()
    rows = image.shape[-2] - SSIM_WINDOW + 1
    columns = image.shape[-1] - SSIM_WINDOW + 1
    vertical: torch.Tensor = taps[0] * image[..., :rows, :]
    for index in range(1, SSIM_WINDOW):
        vertical.add_(image[..., index : index + rows, :], alpha=taps[index])
    result: torch.Tensor = taps[0] * vertical[..., :columns]
    for index in range(1, SSIM_WINDOW):
        result.add_(vertical[..., index : index + columns], alpha=taps[index])
    return result
