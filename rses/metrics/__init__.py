"""Metrics as pure functions on tensors, each with a thin running class."""

from rses.metrics.base import MeanMetric
from rses.metrics.boundary import BoundaryMSE, boundary_mse
from rses.metrics.perceptual import LPIPS_FORMS, MaskedLPIPS, lpips_map, masked_lpips
from rses.metrics.pixel import MaskedMSE, MaskedPSNR, masked_mse, masked_psnr
from rses.metrics.structural import MaskedSSIM, masked_ssim
from rses.metrics.style import REGIONS, RegionalStyleMatching, rsm

__all__ = [
    "LPIPS_FORMS",
    "REGIONS",
    "BoundaryMSE",
    "MaskedLPIPS",
    "MaskedMSE",
    "MaskedPSNR",
    "MaskedSSIM",
    "MeanMetric",
    "RegionalStyleMatching",
    "boundary_mse",
    "lpips_map",
    "masked_lpips",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "rsm",
]
