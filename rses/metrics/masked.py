"""The metrics as running means over samples."""

from __future__ import annotations

from typing import Any

import torch

from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.functional.perceptual import LpipsForm, masked_lpips
from rses.functional.pixel import boundary_mse, masked_mse, masked_psnr
from rses.functional.structural import masked_ssim
from rses.functional.style import Region, rsm
from rses.metrics.base import MeanMetric

__all__ = ["BoundaryMSE", "MaskedLPIPS", "MaskedMSE", "MaskedPSNR", "MaskedSSIM", "RegionalStyleMatching"]


class MaskedMSE(MeanMetric):
    """Running mean of :func:`rses.functional.masked_mse`.

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
    """Running mean of :func:`rses.functional.masked_psnr`; perfect backgrounds are counted in ``excluded``."""

    higher_is_better = True

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample PSNRs (N,) in dB."""
        return masked_psnr(pred, source, mask)


class MaskedSSIM(MeanMetric):
    """Running mean of :func:`rses.functional.masked_ssim`."""

    higher_is_better = True

    def values(self, pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Per-sample SSIMs (N,)."""
        return masked_ssim(pred, source, mask)


class MaskedLPIPS(MeanMetric):
    """Running mean of :func:`rses.functional.masked_lpips`.

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


class BoundaryMSE(MeanMetric):
    """Running mean of :func:`rses.functional.boundary_mse`.

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


class RegionalStyleMatching(MeanMetric):
    """Running mean of :func:`rses.functional.rsm`.

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
