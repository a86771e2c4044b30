"""What two older scripts compute as "background" scores, so that their tables can be checked and their bias shown.

Written from the scripts' behaviour. Do not use these to compare methods: docs/why-masking-matters.md says why.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from rses.functional._checks import check_images, check_mask, wide
from rses.functional.pixel import psnr_from_mse
from rses.functional.structural import SSIM_WINDOW, masked_ssim
from rses.state.steady import steady

__all__ = [
    "BRUSHBENCH_PERFECT_PSNR", "brushbench_mse", "brushbench_psnr", "force_border", "pie_mse", "pie_psnr", "pie_ssim",
]  # fmt: skip

BRUSHBENCH_PERFECT_PSNR = 1000.0


def force_border(mask: torch.Tensor) -> torch.Tensor:
    """Mark the outermost pixel ring as edited, as PIE-Bench does with every mask (N, 1, H, W)."""
    forced = mask.clone()
    forced[..., 0, :] = forced[..., -1, :] = 1
    forced[..., :, 0] = forced[..., :, -1] = 1
    return forced


@steady()
def pie_mse(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Black out the region in both images, then average over the whole frame: diluted by the region's size.

    Source: https://github.com/cure-lab/PnPInversion, evaluation/matrics_calculator.py.

    Example:
        >>> x = torch.zeros(1, 3, 4, 4); m = torch.zeros(1, 1, 4, 4); m[..., :2] = 1
        >>> pie_mse(x + 0.5, x, m).item()
        0.125
    """
    check_images(pred, source)
    squared = (wide(pred) - wide(source)).square()
    background = ~check_mask(mask, pred).to(squared.device)
    return torch.where(background, squared, 0.0).mean(dim=(1, 2, 3))


@steady()
def pie_psnr(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """PSNR of :func:`pie_mse`: too high by ``-10 log10(background share)`` dB."""
    return psnr_from_mse(pie_mse(pred, source, mask))


@steady()
def pie_ssim(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Plain SSIM of both images with the region blacked out; the black area counts as perfect.

    As torchmetrics does, images are continued by reflection, so that every pixel has a window.
    """
    check_images(pred, source)
    edited = check_mask(mask, pred)
    margin = SSIM_WINDOW // 2
    black_pred, black_source = (
        F.pad(torch.where(edited, 0.0, image), (margin,) * 4, mode="reflect") for image in (pred, source)
    )
    return masked_ssim(black_pred, black_source, torch.zeros_like(black_pred[:, :1]))


@steady()
def brushbench_mse(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Sum over 3 channels divided by the number of background pixels: three times the per-channel error.

    Source: https://github.com/TencentARC/BrushNet, examples/brushnet/evaluate_brushnet.py.
    """
    check_images(pred, source)
    squared = (wide(pred) - wide(source)).square()
    background = ~check_mask(mask, pred).to(squared.device)
    total = torch.where(background, squared, 0.0).sum(dim=(1, 2, 3))
    return total / background.sum(dim=(1, 2, 3))


@steady()
def brushbench_psnr(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """PSNR of :func:`brushbench_mse`, and 1000 below an error of 1e-10."""
    mse = brushbench_mse(pred, source, mask)
    return torch.where(mse < 1e-10, BRUSHBENCH_PERFECT_PSNR, psnr_from_mse(mse))
