"""The metrics as pure functions on batched tensors: images (N, 3, H, W) in [0, 1], masks (N, 1, H, W), 1 = edit."""

from rses.images.regions import boundary_band, region_crop
from rses.metrics.boundary import boundary_mse
from rses.metrics.combined import harmonic_score, preservation, style_success
from rses.metrics.perceptual import lpips_map, masked_lpips
from rses.metrics.pixel import masked_mse, masked_psnr
from rses.metrics.structural import masked_ssim
from rses.metrics.style import background_view, region_view, rsm

__all__ = [
    "background_view",
    "boundary_band",
    "boundary_mse",
    "harmonic_score",
    "lpips_map",
    "masked_lpips",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "preservation",
    "region_crop",
    "region_view",
    "rsm",
    "style_success",
]
