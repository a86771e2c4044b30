"""Running form: style of the edited region (RSM) and of the background (leakage)."""

from __future__ import annotations

from typing import Any

import torch

from rses.backbones.base import StyleBackbone
from rses.functional.style import Region, rsm
from rses.metrics.base import MeanMetric

__all__ = ["RegionalStyleMatching"]


class RegionalStyleMatching(MeanMetric):
    """Running mean of :func:`rsm` over samples.

    Args:
        backbone: Joint image/text encoder.
        region: ``crop`` or ``masked``.
        crop_pad: Padding of the bounding box as a fraction of its longer side.
    """

    higher_is_better = True

    def __init__(self, backbone: StyleBackbone, region: Region = "crop", crop_pad: float = 0.1, **kwargs: Any):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.region = region
        self.crop_pad = crop_pad

    def values(self, pred: torch.Tensor, mask: torch.Tensor, styles: list[str]) -> torch.Tensor:
        """Per-sample RSM (N,)."""
        return rsm(pred, mask, styles, self.backbone, self.region, self.crop_pad)
