"""The columns of a result, each a function of a batch under its protocol; their facts are rows of :mod:`rses.table`."""

from __future__ import annotations

import math

import torch

from rses.functional import combined, pixel
from rses.functional.batch import Batch
from rses.functional.legacy import brushbench_psnr, pie_ssim
from rses.functional.structural import masked_ssim
from rses.functional.style import rsm_from_cosine
from rses.texts import fold_style


def clip_cosine(batch: Batch) -> torch.Tensor:
    """Similarity of the region and its text (N,)."""
    return batch.cosine


def rsm(batch: Batch) -> torch.Tensor:
    """The same on [0, 1]."""
    return rsm_from_cosine(batch.cosine)


def rsm_gain(batch: Batch) -> torch.Tensor:
    """RSM of the prediction minus that of the source."""
    return (batch.cosine - batch.source_cosine) / 2


def style_correct(batch: Batch) -> list[bool] | None:
    """Whether each sample's own style is the nearest; ``None`` with one candidate, or where prompts are compared."""
    candidates = {fold_style(style): style for style in sorted(batch.candidates, reverse=True)}
    if batch.protocol.text != "style" or len(candidates) < 2:
        return None
    table = batch.style.texts([batch.protocol.template.format(style=text) for text in candidates.values()])
    names = list(candidates)
    nearest = (batch.features @ table.T).argmax(dim=1).tolist()
    # Texts that the encoder cannot tell apart are one candidate, whichever of them comes first.
    return [
        names[index] == name or (name in names and torch.equal(table[index], table[names.index(name)]))
        for index, name in zip(nearest, map(fold_style, batch.styles), strict=True)
    ]


def leakage(batch: Batch) -> torch.Tensor:
    """Rise of the RSM of the background."""
    return batch.background_rise / 2


def lpips_bg(batch: Batch) -> torch.Tensor | None:
    """LPIPS of the background."""
    return batch.lpips


def mse_bg(batch: Batch) -> torch.Tensor:
    """Squared error of the background on [0, 1]."""
    return batch.mse


def mse_bg_pm1(batch: Batch) -> torch.Tensor:
    """The same on [-1, 1]."""
    return 4 * batch.mse


def psnr_bg(batch: Batch) -> torch.Tensor:
    """PSNR of the background in dB."""
    if batch.protocol.pixel_form == "channel_sum":
        return brushbench_psnr(batch.pred, batch.sources, batch.mask)
    return pixel.psnr_from_mse(batch.mse)


def ssim_bg(batch: Batch) -> torch.Tensor | None:
    """SSIM of the background; ``None`` where the protocol has none."""
    if batch.protocol.ssim_form == "none":
        return None
    ssim = masked_ssim if batch.protocol.ssim_form == "normalised" else pie_ssim
    return ssim(batch.pred, batch.sources, batch.mask)


def boundary_mse(batch: Batch) -> torch.Tensor:
    """Squared error in a band just outside the region."""
    return pixel.boundary_mse(batch.pred, batch.sources, batch.region, batch.protocol.boundary_width)


def style_success(batch: Batch) -> list[float]:
    """How surely the style fits the prediction rather than the source."""
    return [combined.style_success(gain, batch.style.backbone.logit_scale) for gain in rsm_gain(batch).tolist()]


def preservation(batch: Batch) -> list[float] | None:
    """Share of the background kept; ``None`` without LPIPS."""
    if batch.lpips is None:
        return None
    return [combined.preservation(value) if math.isfinite(value) else math.nan for value in batch.lpips.tolist()]


def rses_p(batch: Batch) -> list[float] | None:
    """Style success times preservation; ``None`` without LPIPS."""
    kept = preservation(batch)
    return kept and [combined.regional_score(*parts) for parts in zip(style_success(batch), kept, strict=True)]
