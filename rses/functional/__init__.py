"""The metrics as pure functions on batched tensors: images (N, 3, H, W) in [0, 1], masks (N, 1, H, W), 1 = edit."""

from rses.functional.combined import preservation, regional_score, style_success
from rses.functional.perceptual import LPIPS_FORMS, lpips_map, masked_lpips
from rses.functional.pixel import boundary_mse, masked_mse, masked_psnr
from rses.functional.structural import masked_ssim
from rses.functional.style import REGIONS, background_view, region_view, rsm
from rses.images.regions import boundary_band, region_crop

__all__ = [
    "LPIPS_FORMS",
    "REGIONS",
    "background_view",
    "boundary_band",
    "boundary_mse",
    "lpips_map",
    "masked_lpips",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "preservation",
    "region_crop",
    "region_view",
    "regional_score",
    "rsm",
    "style_success",
]
