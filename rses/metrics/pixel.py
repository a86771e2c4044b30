"""Running MSE and PSNR of the background."""

from __future__ import annotations

import torch

from rses.functional.pixel import masked_mse, masked_psnr
from rses.metrics.base import MeanMetric

__all__ = ["MaskedMSE", "MaskedPSNR"]


class MaskedMSE(MeanMetric):
    """Running mean of :func:`masked_mse` over samples.

    Example:
        >>> metric = MaskedMSE()
        >>> x = torch.zeros(2, 3, 4, 4)
        >>> metric.update(x + 0.5, x, torch.zeros(2, 1, 4, 4))
        >>> metric.compute().item()
        0.25
    """

    higher_is_better = False

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample errors (N,)."""
        return masked_mse(pred, source, mask)


class MaskedPSNR(MeanMetric):
    """Running mean of :func:`masked_psnr`: the mean of PSNRs, perfect backgrounds counted in ``excluded``."""

    higher_is_better = True

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample PSNRs (N,) in dB."""
        return masked_psnr(pred, source, mask)
