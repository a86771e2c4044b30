"""Running form: lPIPS on the background, in the four forms that papers use or should use."""

from __future__ import annotations

from typing import Any

import torch

from rses.backbones.base import PerceptualBackbone
from rses.functional.perceptual import LpipsForm, masked_lpips
from rses.metrics.base import MeanMetric

__all__ = ["MaskedLPIPS"]


class MaskedLPIPS(MeanMetric):
    """Running mean of :func:`masked_lpips` over samples.

    Args:
        backbone: Trunk and heads.
        form: One of ``neutral``, ``strict``, ``spatial``, ``blackout``.
    """

    higher_is_better = False

    def __init__(self, backbone: PerceptualBackbone, form: LpipsForm = "neutral", **kwargs: Any):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.form = form

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample distances (N,)."""
        return masked_lpips(pred, source, mask, self.backbone, self.form)
