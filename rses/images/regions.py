"""Geometry of the edited region: bounding box, square window, crop, boundary band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from rses.errors import TensorError
from rses.images.tensors import resize_image
from rses.state.steady import steady

# https://github.com/openai/CLIP/blob/main/clip/clip.py, _transform
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)


@dataclass(frozen=True)
class Window:
    """A square in pixel coordinates; parts outside the image are letterboxed."""

    top: int
    left: int
    side: int


def bounding_box(mask: torch.Tensor | np.ndarray) -> tuple[int, int, int, int]:
    """Return the tight box around a mask's nonzero pixels.

    Args:
        mask: (H, W), nonzero = region.

    Returns:
        (top, left, bottom, right) in pixels, half-open.

    Raises:
        InputError: Not two dimensions, or no pixel is set.

    Example:
        >>> m = torch.zeros(6, 8); m[2:4, 3:7] = 1
        >>> bounding_box(m)
        (2, 3, 4, 7)
    """
    values = torch.as_tensor(mask)
    if values.ndim != 2:
        raise TensorError(f"expected a mask of shape (H, W), got {tuple(values.shape)}", code="wrong-shape")
    rows = torch.nonzero((values != 0).any(dim=1)).flatten()
    columns = torch.nonzero((values != 0).any(dim=0)).flatten()
    if rows.numel() == 0:
        raise TensorError("the mask is empty, so there is no box around it", code="empty")
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def square_window(mask: torch.Tensor | np.ndarray, pad: float) -> Window:
    """Return the square that the style encoder is shown.

    The tight box is padded by ``pad`` times its longer side and clipped to the image. The shorter side is
    then extended evenly, shifted inwards where it would leave the image. Only where the image itself is too
    short does the square reach beyond it, evenly.

    Args:
        mask: (H, W), nonzero = region; not empty.
        pad: Padding as a fraction of the longer side of the box, at least 0.

    Raises:
        InputError: Empty mask or negative padding.

    Source: RegionRoute (https://arxiv.org/abs/2602.19254): "tight bounding box" with padding; the square is
    ours, because CLIP's centre crop would cut the longer side.

    Example:
        >>> m = torch.zeros(100, 200); m[40:60, 0:50] = 1
        >>> square_window(m, 0.1)
        Window(top=23, left=0, side=55)
        >>> square_window(torch.ones(10, 16), 0.0)
        Window(top=-3, left=0, side=16)
    """
    if pad < 0:
        raise TensorError(f"expected padding of at least 0, got {pad}", code="out-of-range")
    top, left, bottom, right = bounding_box(mask)
    height, width = mask.shape
    margin = int(pad * max(bottom - top, right - left) + 0.5)
    top, bottom = max(0, top - margin), min(height, bottom + margin)
    left, right = max(0, left - margin), min(width, right + margin)
    side = max(bottom - top, right - left)
    return Window(_place(top, bottom, side, height), _place(left, right, side, width), side)


def _place(start: int, stop: int, side: int, limit: int) -> int:
    """Where a side begins that covers [start, stop), centred, inside [0, limit) if it fits."""
    if side > limit:
        return (limit - side) // 2
    return min(max(start - (side - (stop - start)) // 2, 0), limit - side)


@steady()
def region_crop(
    image: torch.Tensor,
    mask: torch.Tensor,
    out_size: int,
    pad: float = 0.1,
    fill: tuple[float, float, float] = CLIP_MEAN,
    region: str = "crop",
) -> torch.Tensor:
    """Cut out the square around the region and resize it (antialiased bicubic).

    Args:
        image: (N, 3, H, W) in [0, 1].
        mask: (N, 1, H, W), nonzero = region; not empty.
        out_size: Side of the output in pixels.
        pad: Padding of the box as a fraction of its longer side.
        fill: Colour (r, g, b) in [0, 1] of letterboxes, and of everything outside the region for ``masked``.
        region: ``crop`` keeps the surroundings inside the square, ``masked`` replaces them before resizing.

    Returns:
        (N, 3, out_size, out_size) float32 in [0, 1]. Each sample depends on itself alone, bit for bit; a
        square that has the output size already is returned unchanged.

    Raises:
        InputError: Wrong shapes, empty mask, or unknown ``region``.

    Example:
        >>> x = torch.rand(1, 3, 8, 8); m = torch.zeros(1, 1, 8, 8); m[..., 2:6, 1:5] = 1
        >>> torch.equal(region_crop(x, m, 4, pad=0), x[..., 2:6, 1:5])
        True
    """
    if region not in ("crop", "masked"):
        raise TensorError(f'unknown region "{region}"; choose crop or masked', code="unknown-value")
    if not isinstance(image, torch.Tensor) or not isinstance(mask, torch.Tensor):
        raise TensorError(
            f"expected two tensors, got {type(image).__name__} and {type(mask).__name__}", code="wrong-type"
        )
    if not isinstance(out_size, int) or out_size < 1:
        raise TensorError(f"expected a size of at least 1 px, got {out_size!r}", code="out-of-range")
    if image.ndim != 4 or tuple(mask.shape) != (image.shape[0], 1, *image.shape[2:]):
        raise TensorError(
            f"expected (N, 3, H, W) and (N, 1, H, W), got {tuple(image.shape)} and {tuple(mask.shape)}",
            code="wrong-shape",
        )
    colour = torch.tensor(fill, dtype=torch.float32, device=image.device).view(3, 1, 1)
    crops = []
    for sample, area in zip(image.to(torch.float32), mask[:, 0] != 0, strict=True):
        window = square_window(area.cpu(), pad)
        shown = torch.where(area, sample, colour) if region == "masked" else sample
        crops.append(resize_image(_cut(shown, window, colour)[None], (out_size, out_size)))
    return torch.cat(crops) if crops else image.new_zeros((0, 3, out_size, out_size))


def _cut(image: torch.Tensor, window: Window, colour: torch.Tensor) -> torch.Tensor:
    height, width = image.shape[-2:]
    top, left = max(0, window.top), max(0, window.left)
    bottom, right = min(height, window.top + window.side), min(width, window.left + window.side)
    visible = image[:, top:bottom, left:right]
    if visible.shape[-2:] == (window.side, window.side):
        return visible
    square = colour.expand(3, window.side, window.side).clone()
    square[:, top - window.top : bottom - window.top, left - window.left : right - window.left] = visible
    return square


@steady()
def dilate(mask: torch.Tensor, k: int) -> torch.Tensor:
    """Grow a mask by ``k`` pixels in all directions, diagonals included (Chebyshev distance).

    Args:
        mask: (..., H, W) bool, or floating point with values 0 and 1.
        k: Pixels, at least 0.

    Returns:
        Same shape and type.

    Raises:
        InputError: Negative ``k``.

    Example:
        >>> m = torch.zeros(1, 1, 5, 5); m[..., 2, 2] = 1
        >>> int(dilate(m, 1).sum())
        9
    """
    if not isinstance(mask, torch.Tensor):
        raise TensorError(f"expected a tensor, got {type(mask).__name__}", code="wrong-type")
    if not isinstance(k, int) or k < 0:
        raise TensorError(f"expected a width of a whole number of pixels, at least 0, got {k!r}", code="out-of-range")
    if k == 0 or mask.numel() == 0:
        return mask
    height, width = mask.shape[-2:]
    grown = mask.reshape(1, -1, height, width).to(torch.float32)
    grown = F.max_pool2d(grown, (2 * k + 1, 1), stride=1, padding=(k, 0))
    grown = F.max_pool2d(grown, (1, 2 * k + 1), stride=1, padding=(0, k))
    return grown.reshape(mask.shape).to(mask.dtype)


@steady()
def boundary_band(mask: torch.Tensor, k: int) -> torch.Tensor:
    """Return the pixels outside a mask within ``k`` pixels of it: ``dilate(mask, k) - mask``.

    Args:
        mask: (..., H, W) bool, or floating point with values 0 and 1.
        k: Width in pixels, at least 0.

    Example:
        >>> m = torch.zeros(1, 1, 5, 5); m[..., 2, 2] = 1
        >>> int(boundary_band(m, 1).sum())
        8
    """
    grown = dilate(mask, k)
    return grown & ~mask if mask.dtype == torch.bool else grown - mask
