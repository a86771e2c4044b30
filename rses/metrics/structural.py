"""Running SSIM of the background."""

from __future__ import annotations

import torch

from rses.functional.structural import masked_ssim
from rses.metrics.base import MeanMetric

__all__ = ["MaskedSSIM"]


class MaskedSSIM(MeanMetric):
    """Running mean of :func:`masked_ssim` over samples."""

    higher_is_better = True

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample SSIMs (N,)."""
        return masked_ssim(pred, source, mask)
