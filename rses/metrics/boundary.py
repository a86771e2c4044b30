"""Running form: the error in a band just outside the region, where seams and spill show."""

from __future__ import annotations

from typing import Any

import torch

from rses.functional.boundary import boundary_mse
from rses.metrics.base import MeanMetric

__all__ = ["BoundaryMSE"]


class BoundaryMSE(MeanMetric):
    """Running mean of :func:`boundary_mse` over samples.

    Args:
        width: Width of the band in pixels.
    """

    higher_is_better = False

    def __init__(self, width: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample errors (N,)."""
        return boundary_mse(pred, source, mask, self.width)
