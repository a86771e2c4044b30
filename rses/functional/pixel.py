"""Pixel errors on the background, whatever the mask's size: MSE, PSNR, and MSE in a band where seams and spill show."""

from __future__ import annotations

import torch

from rses.errors import TensorError
from rses.functional._checks import check_images, check_mask, wide
from rses.images.regions import boundary_band
from rses.state.steady import steady

__all__ = ["boundary_mse", "masked_mse", "masked_psnr", "psnr_from_mse", "weighted_mse"]


@steady()
def weighted_mse(pred: torch.Tensor, source: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean squared error over the pixels where ``where`` is true and the 3 channels.

    Args:
        pred: Images (N, 3, H, W) in [0, 1].
        source: Images of the same shape.
        where: Bool (N, 1, H, W).

    Returns:
        (N,) float64; NaN where no pixel is chosen.
    """
    squared = (wide(pred) - wide(source)).square()
    where = where.to(squared.device)
    total = torch.where(where, squared, 0.0).sum(dim=(1, 2, 3))
    return total / (where.sum(dim=(1, 2, 3)) * pred.shape[1])


@steady()
def masked_mse(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared error on the background: ``sum(B (p - x)^2) / (3 sum(B))`` with ``B = 1 - M``.

    Args:
        pred: Edited images (N, 3, H, W) in [0, 1].
        source: Source images, same shape and range.
        mask: (N, 1, H, W), 1 = region to edit; bool or 0/1.

    Returns:
        (N,) float64 in [0, 1]; NaN for a full mask.

    Raises:
        InputError: Wrong shapes or ranges.

    Source: MSE_bg of RegionRoute (https://arxiv.org/abs/2602.19254), on [0, 1].

    Example:
        >>> x = torch.zeros(1, 3, 4, 4); p = x.clone(); p[..., :2] = 1.0; p[..., 3] = 0.5
        >>> m = torch.zeros(1, 1, 4, 4); m[..., :2] = 1
        >>> masked_mse(p, x, m).item()
        0.125
    """
    check_images(pred, source)
    return weighted_mse(pred, source, ~check_mask(mask, pred))


def psnr_from_mse(mse: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1; ``inf`` for an error of exactly 0.

    Example:
        >>> psnr_from_mse(torch.tensor([0.01, 0.0]))
        tensor([20., inf])
    """
    return -10.0 * torch.log10(mse)


@steady()
def masked_psnr(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """PSNR on the background in dB: ``-10 log10(masked_mse)``.

    Arguments, shapes and errors as in :func:`masked_mse`. A perfect background gives ``inf``: report it apart,
    never average it.

    Example:
        >>> x = torch.zeros(1, 3, 4, 4); m = torch.zeros(1, 1, 4, 4)
        >>> masked_psnr(x, x, m).item()
        inf
    """
    return psnr_from_mse(masked_mse(pred, source, mask))


@steady()
def boundary_mse(pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor, width: int = 4) -> torch.Tensor:
    """Mean squared error over the pixels outside the region within ``width`` px of it.

    Args:
        pred: Edited images (N, 3, H, W) in [0, 1].
        source: Source images, same shape and range.
        mask: (N, 1, H, W), 1 = region to edit; bool or 0/1.
        width: Width of the band in pixels, Chebyshev distance, at least 1.

    Returns:
        (N,) float64 in [0, 1]; NaN where the band is empty.

    Raises:
        InputError: Wrong shapes or ranges, or a width below 1.

    Example:
        >>> x = torch.zeros(1, 3, 9, 9); m = torch.zeros(1, 1, 9, 9); m[..., 4, 4] = 1
        >>> p = x.clone(); p[..., 3, :] = 1.0
        >>> boundary_mse(p, x, m, width=1).item()
        0.375
    """
    check_images(pred, source)
    if not isinstance(width, int) or width < 1:
        raise TensorError(f"the band must be a whole number of pixels, at least 1, got {width!r}", code="out-of-range")
    band = boundary_band(check_mask(mask, pred).float(), width) > 0
    return weighted_mse(pred, source, band)
