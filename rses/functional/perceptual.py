"""LPIPS on the background, in the four forms that papers use or should use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F

from rses.backbones.base import PerceptualBackbone
from rses.errors import Place, TensorError
from rses.functional._checks import check_images, check_mask, wide
from rses.state.steady import steady

__all__ = ["LPIPS_FORMS", "LpipsForm", "lpips_map", "masked_lpips", "source_features"]

LpipsForm = Literal["neutral", "spatial", "blackout", "strict"]
LPIPS_FORMS: tuple[str, ...] = get_args(LpipsForm)


@steady()
def masked_lpips(
    pred: torch.Tensor,
    source: torch.Tensor,
    mask: torch.Tensor,
    backbone: PerceptualBackbone,
    form: LpipsForm = "neutral",
    source_maps: Sequence[torch.Tensor] | None = None,
) -> torch.Tensor:
    """Perceptual distance of the background.

    - ``neutral`` (default): the region of the prediction is replaced by the source's pixels, and each layer's
      distance map is averaged with the background, area-pooled to that layer's grid, as weight. Exactly 0 for a
      perfect background, blind to the region's content, not diluted by its size.
    - ``strict``: as ``neutral``, but cells whose receptive field meets the region are dropped.
    - ``spatial``: the full-resolution map of the raw pair averaged over the background (the usual recipe; the
      region leaks in through receptive fields).
    - ``blackout``: plain LPIPS of both images with the region set to 0 (PIE-Bench, BrushBench; diluted).

    Args:
        pred: Edited images (N, 3, H, W) in [0, 1].
        source: Source images, same shape and range.
        mask: (N, 1, H, W), 1 = region to edit; bool or 0/1.
        backbone: Trunk and heads, e.g. from :func:`rses.backbones.load_perceptual`.
        form: One of the four names.
        source_maps: What :func:`source_features` returned for this source, mask and form, where several edits of it
            are measured.

    Returns:
        (N,) float64, at least 0; NaN where the form leaves nothing to average.

    Raises:
        InputError: Wrong shapes or ranges, unknown form, or an image smaller than ``backbone.min_size``.

    Source: Zhang et al. (2018), https://arxiv.org/abs/1801.03924, eq. 1; masked forms: docs/why-masking-matters.md.

    Example:
        >>> from rses.backbones import load_perceptual
        >>> x = torch.rand(1, 3, 64, 64); m = torch.zeros(1, 1, 64, 64); m[..., :32] = 1
        >>> p = torch.where(m.bool(), 1 - x, x)
        >>> masked_lpips(p, x, m, load_perceptual("rses-mini")).item()
        0.0
    """
    check_images(pred, source)
    edited = check_mask(mask, pred)
    if not hasattr(backbone, "features"):
        raise TensorError(
            f"expected a perceptual backbone, e.g. rses.backbones.load_perceptual(), got {type(backbone).__name__}",
            code="wrong-type",
        )
    if form not in LPIPS_FORMS:
        raise TensorError(
            f"unknown LPIPS form {form!r}; choose one of {', '.join(LPIPS_FORMS)}",
            code="unknown-value",
            place=Place(field="form"),
        )
    if min(pred.shape[-2:]) < backbone.min_size:
        raise TensorError(
            f"{backbone.id} needs images of at least {backbone.min_size} px, got {tuple(pred.shape[-2:])}",
            code="wrong-size",
        )
    first, second = _pair(pred, source, edited, form)
    known = backbone.features(second.float()) if source_maps is None else source_maps
    maps = _distance_maps(first, second, backbone, known)
    if form == "spatial":
        full = _upsampled_sum(maps, pred.shape[-2:])
        return _weighted_mean(full, wide(~edited))
    layers = [
        _weighted_mean(distance, weight)
        for distance, weight in zip(maps, _weights(edited, maps, backbone, form), strict=True)
    ]
    return torch.stack(layers).sum(dim=0)


@steady()
def source_features(
    source: torch.Tensor, mask: torch.Tensor, backbone: PerceptualBackbone, form: LpipsForm = "neutral"
) -> list[torch.Tensor]:
    """The half of :func:`masked_lpips` that follows from the source: its maps [(N, C_l, H_l, W_l)]."""
    _, second = _pair(source, source, check_mask(mask, source), form)
    return backbone.features(second.float())


@steady()
def lpips_map(
    pred: torch.Tensor, source: torch.Tensor, mask: torch.Tensor, backbone: PerceptualBackbone
) -> torch.Tensor:
    """Where the neutral distance comes from: a map (N, 1, H, W), 0 inside the region.

    Arguments as in :func:`masked_lpips`. The layers' maps are upsampled bilinearly and added, so the map is for
    looking at; its background mean is close to, but not, the score.
    """
    check_images(pred, source)
    edited = check_mask(mask, pred)
    first, second = _pair(pred, source, edited, "neutral")
    maps = _distance_maps(first, second, backbone, backbone.features(second.float()))
    full = _upsampled_sum(maps, pred.shape[-2:])
    return torch.where(edited.to(full.device), 0.0, full)


def _pair(
    pred: torch.Tensor, source: torch.Tensor, edited: torch.Tensor, form: str
) -> tuple[torch.Tensor, torch.Tensor]:
    if form == "spatial":
        return pred, source
    if form == "blackout":
        return torch.where(edited, 0.0, pred), torch.where(edited, 0.0, source)
    return torch.where(edited, source, pred), source


def _distance_maps(
    first: torch.Tensor, second: torch.Tensor, backbone: PerceptualBackbone, of_second: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    # Equal inputs have distance 0 by definition. Saying so, rather than subtracting two forward passes, keeps the
    # zero exact on every device and batch layout.
    same = (first == second).flatten(1).all(dim=1).view(-1, 1, 1, 1)
    maps = []
    for a, b, head in zip(backbone.features(first.float()), of_second, backbone.weights(), strict=True):
        distance = wide(((a - b).square() * head.view(1, -1, 1, 1)).sum(dim=1, keepdim=True))
        maps.append(torch.where(same.to(distance.device), 0.0, distance))
    return maps


def _weights(
    edited: torch.Tensor, maps: list[torch.Tensor], backbone: PerceptualBackbone, form: str
) -> list[torch.Tensor]:
    if form == "blackout":
        return [torch.ones_like(distance) for distance in maps]
    if form == "strict":
        return [1.0 - wide(touched) for touched in backbone.touched(edited.float())]
    background = wide(~edited)
    return [F.adaptive_avg_pool2d(background, (distance.shape[-2], distance.shape[-1])) for distance in maps]


def _weighted_mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3))


def _upsampled_sum(maps: list[torch.Tensor], size: torch.Size) -> torch.Tensor:
    return torch.stack(
        [F.interpolate(distance, size=tuple(size), mode="bilinear", align_corners=False) for distance in maps]
    ).sum(dim=0)
