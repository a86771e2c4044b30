"""The error in a band just outside the region, where seams and spill show."""

from __future__ import annotations

import torch

from rses.errors import TensorError
from rses.functional._checks import check_images, check_mask
from rses.functional.pixel import weighted_mse
from rses.images.regions import boundary_band
from rses.state.steady import steady

__all__ = ["boundary_mse"]


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
        raise TensorError(f"the band must be a whole number of pixels, at least 1, got {width!r}")
    band = boundary_band(check_mask(mask, pred).float(), width) > 0
    return weighted_mse(pred, source, band)
