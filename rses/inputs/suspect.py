"""What can only be suspected of one sample, from its pixels and the headers of its files; see rses.runs.warning_codes.

Each check looks at one sample alone, so that warnings do not depend on batches, order or resuming.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from PIL import Image

from rses.images.colour import moves_colours
from rses.images.decode import file_facts, read_image, rgb_pixels, upright
from rses.images.file import FILES
from rses.images.header import FileFacts, image_facts
from rses.runs.warning_codes import in_order
from rses.state.pillow import pillow_defaults

# Mean absolute change, in [0, 1]: of a visible edit, and inside the region as a share of outside.
VISIBLE, HARDLY = 0.02, 0.2
# Squared error by which another reading of the files must be nearer than the right one.
MUCH_NEARER = 0.7


def suspicions(
    pred_file: Any,
    source_file: Any,
    decoded: torch.Tensor,
    pred: torch.Tensor,
    source: torch.Tensor | None,
    region: torch.Tensor,
) -> tuple[str, ...]:
    """Return the codes of what is odd about a sample.

    Args:
        pred_file: Prediction as given: path, PIL image or array.
        source_file: Source as given, or ``None``.
        decoded: Prediction (1, 3, h, w) in [0, 1] as decoded, before any resizing.
        pred: Prediction (1, 3, H, W) in [0, 1] at the source's size.
        source: Source (1, 3, H, W) in [0, 1], or ``None`` where no metric needs it.
        region: (1, 1, H, W), 1 = region to edit.

    Example:
        >>> x, m = torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8); m[..., :4] = 1
        >>> suspicions(None, None, x, x, x, m)
        ('unedited',)
        >>> p = torch.where(m > 0, x, 1 - x)
        >>> suspicions(None, None, p, p, x, m)
        ('inverted_mask',)
    """
    of_pred = _facts(pred_file)
    codes = ["lossy_prediction"] if of_pred.lossy else []
    if source is None:
        return in_order(codes)
    of_source = _facts(source_file)
    if torch.equal(decoded, source):
        codes.append("unedited")
    elif _is_inverted(pred, source, region):
        codes.append("inverted_mask")
    if (of_pred.orientation, of_source.orientation) != (1, 1) and _lost_orientation(
        (pred_file, of_pred, decoded), (source_file, of_source, source)
    ):
        codes.append("lost_orientation")
    elif _lost_profile((pred_file, of_pred, decoded), (source_file, of_source, source), region):
        codes.append("lost_profile")
    return in_order(codes)


_Picture = tuple[Any, FileFacts, torch.Tensor]
"""A picture as given, what its header says, and as decoded."""


def _facts(file: Any) -> FileFacts:
    if isinstance(file, FILES):
        return file_facts(file)
    return image_facts(file) if isinstance(file, Image.Image) else FileFacts()


def _is_inverted(pred: torch.Tensor, source: torch.Tensor, region: torch.Tensor) -> bool:
    inside = (region > 0).to(pred.dtype)
    area, total = float(inside.sum()), inside.numel()
    if area in (0, total):
        return False
    change = (pred - source).abs().mean(dim=1, keepdim=True)
    changed = float((change * inside).sum())
    within, without = changed / area, (float(change.sum()) - changed) / (total - area)
    return without > VISIBLE and within < HARDLY * without


def _lost_orientation(pred: _Picture, source: _Picture) -> bool:
    """Whether the pictures fit much better when the orientation tag of one of them is ignored."""
    right = _distance(pred[2], source[2])
    others = []
    if source[1].orientation != 1:
        stored = _stored(source[0], turned=False)
        others.append(_distance(pred[2], stored))
        if pred[1].orientation not in (1, source[1].orientation):
            others.append(_distance(_stored(pred[0], turned=False), stored))
    if pred[1].orientation != 1:
        others.append(_distance(_stored(pred[0], turned=False), source[2]))
    return min(others) < MUCH_NEARER * right


def _lost_profile(pred: _Picture, source: _Picture, region: torch.Tensor) -> bool:
    """Whether the backgrounds fit much better when the colour profile of one of them is ignored."""
    moving = [picture[1].profile is not None and moves_colours(picture[1].profile) for picture in (pred, source)]
    if not any(moving) or pred[2].shape != source[2].shape:
        return False
    background = region <= 0 if bool((region <= 0).any()) else torch.ones_like(region, dtype=torch.bool)
    right = _distance(pred[2], source[2], background)
    others = []
    if moving[0]:
        others.append(_distance(_stored(pred[0], converted=False), source[2], background))
    if moving[1]:
        others.append(_distance(pred[2], _stored(source[0], converted=False), background))
    return min(others) < MUCH_NEARER * right


def _distance(first: torch.Tensor, second: torch.Tensor, where: torch.Tensor | None = None) -> float:
    """Return the mean squared error, infinite where the sizes differ."""
    if first.shape != second.shape:
        return math.inf
    error = (first - second).square().mean(dim=1, keepdim=True)
    return float((error if where is None else error[where]).double().mean())


def _stored(file: Any, *, turned: bool = True, converted: bool = True) -> torch.Tensor:
    """Decode a picture as programs do that ignore its orientation tag or its colour profile."""
    if isinstance(file, FILES):
        pixels = read_image(file, turned=turned, converted=converted)
    else:
        with pillow_defaults():
            image = upright(file) if turned else file
            pixels = rgb_pixels(image.copy(), "The PIL image", converted=converted)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().to(torch.float32)[None] / 255
