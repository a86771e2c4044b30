"""Style of the edited region (RSM) and of the background (leakage)."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from rses.backbones.base import StyleBackbone
from rses.errors import Place, TensorError
from rses.functional._checks import check_images, check_mask
from rses.images.regions import region_crop
from rses.state.steady import steady
from rses.texts import require_readable

__all__ = ["REGIONS", "Region", "background_view", "region_view", "rsm", "rsm_from_cosine"]

Region = Literal["crop", "masked", "frame", "image"]
REGIONS: tuple[str, ...] = get_args(Region)


@steady()
def region_view(
    image: torch.Tensor,
    mask: torch.Tensor,
    size: int,
    fill: tuple[float, float, float],
    region: Region = "crop",
    crop_pad: float = 0.1,
) -> torch.Tensor:
    """What the style encoder is shown of the edited region.

    - ``crop``: the padded, squared bounding box, with the background inside it (the paper's).
    - ``masked``: the same with every pixel outside the region replaced by ``fill``.
    - ``frame``: the whole image, black outside the region (PIE-Bench).
    - ``image``: the whole image (BrushBench).

    Args:
        image: (N, 3, H, W) in [0, 1].
        mask: (N, 1, H, W), 1 = region to edit.
        size: Side of the square output in pixels.
        fill: Colour in [0, 1] for letterboxing and masking.
        region: One of the four names.
        crop_pad: Padding of the box as a fraction of its longer side.

    Returns:
        (N, 3, size, size) in [0, 1].
    """
    check_images(image)
    edited = check_mask(mask, image)
    if region in ("crop", "masked"):
        return region_crop(image, edited.float(), size, pad=crop_pad, fill=fill, region=region)
    if region == "frame":
        image = torch.where(edited, image, 0.0)
    elif region != "image":
        raise TensorError(
            f"unknown region {region!r}; choose one of {', '.join(REGIONS)}",
            code="unknown-value",
            place=Place(field="region"),
        )
    return _whole(image, size, fill)


@steady()
def background_view(
    image: torch.Tensor, mask: torch.Tensor, size: int, fill: tuple[float, float, float]
) -> torch.Tensor:
    """The whole image with the region replaced by ``fill``, letterboxed to a square (N, 3, size, size)."""
    check_images(image)
    colour = torch.tensor(fill, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    return _whole(torch.where(check_mask(mask, image), colour, image), size, fill)


def _whole(image: torch.Tensor, size: int, fill: tuple[float, float, float]) -> torch.Tensor:
    everything = torch.ones_like(image[:, :1])
    return region_crop(image, everything, size, pad=0.0, fill=fill, region="crop")


def rsm_from_cosine(cosine: torch.Tensor) -> torch.Tensor:
    """Map a cosine in [-1, 1] to RSM in [0, 1]: ``(1 + cosine) / 2``.

    Example:
        >>> rsm_from_cosine(torch.tensor([-1.0, 0.25]))
        tensor([0.0000, 0.6250])
    """
    return (1 + cosine) / 2


@steady()
def rsm(
    pred: torch.Tensor,
    mask: torch.Tensor,
    styles: list[str],
    backbone: StyleBackbone,
    region: Region = "crop",
    crop_pad: float = 0.1,
) -> torch.Tensor:
    """Regional Style Matching: how close the edited region is to the style text.

    Args:
        pred: Edited images (N, 3, H, W) in [0, 1].
        mask: (N, 1, H, W), 1 = region to edit; not empty.
        styles: One text per sample.
        backbone: Joint image/text encoder, e.g. from :func:`rses.backbones.load_style`.
        region: ``crop`` (the paper's) or ``masked``.
        crop_pad: Padding of the bounding box as a fraction of its longer side.

    Returns:
        (N,) in [0, 1].

    Raises:
        InputError: Wrong shapes or ranges, an empty mask, or another number of texts than images.

    Source: RegionRoute (https://arxiv.org/abs/2602.19254), Regional Style Matching.

    Example:
        >>> from rses.backbones import load_style
        >>> p = torch.rand(1, 3, 64, 64); m = torch.zeros(1, 1, 64, 64); m[..., 16:48, 16:48] = 1
        >>> 0 <= rsm(p, m, ["pixel art"], load_style("rses-mini")).item() <= 1
        True
    """
    if isinstance(styles, str) or not all(isinstance(style, str) for style in styles):
        raise TensorError(
            f'expected a list of one style text per image, such as ["pixel art"], got {styles!r:.80}', code="wrong-type"
        )
    if not hasattr(backbone, "encode_texts"):
        raise TensorError(
            f"expected a style backbone, e.g. rses.backbones.load_style(), got {type(backbone).__name__}",
            code="wrong-type",
        )
    require_readable(styles)
    check_images(pred)
    if len(styles) != pred.shape[0]:
        raise TensorError(
            f"expected one style text an image, got {len(styles)} for {pred.shape[0]} images", code="mismatch"
        )
    view = region_view(pred, mask, backbone.image_size, backbone.mean, region, crop_pad)
    cosine = (backbone.encode_images(view) * backbone.encode_texts(styles)).sum(dim=1)
    return rsm_from_cosine(cosine)
