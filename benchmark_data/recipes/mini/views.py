"""What the style encoder is shown in training: regions and backgrounds, all versions of a picture cut alike."""

from __future__ import annotations

import cv2
import numpy as np

from benchmark_data.recipes.mini.data import Group

__all__ = ["KINDS", "MEAN_COLOUR", "group_views"]

# The mean of MiniConfig as bytes.
MEAN_COLOUR = np.array([123, 117, 104], dtype=np.uint8)
Picture = np.ndarray
KINDS = {"masked": 0.42, "whole": 0.26, "hole": 0.2, "pasted": 0.12}
"""Region on the mean colour, whole picture, background around a region of the mean colour, region in the source."""
SMALLEST_SHARE = 0.05


def group_views(rng: np.random.Generator, group: Group, size: int) -> Picture:
    """Cut one view out of every version of a picture: the source, its nuisances, its styled versions.

    Region, crop, flip and letterbox are the same for all, so that only style and nuisance differ.

    Args:
        rng: Source of every choice.
        group: Versions of one picture.
        size: Side of the views.

    Returns:
        (1 + D + J, size, size, 3) uint8, in the order above.
    """
    versions = np.concatenate([group.source[None], group.disturbed, group.styled])
    region = group.masks[int(rng.integers(len(group.masks)))] > 127
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    share = float(region.mean())
    if share < SMALLEST_SHARE or (kind == "hole" and share > 0.7):
        kind = "whole"
    side = region.shape[0]
    box = _box(rng, region) if kind in ("masked", "pasted") else _crop(rng, side)
    if kind == "masked":
        versions = np.where(region[..., None], versions, MEAN_COLOUR)
    elif kind == "hole":
        versions = np.where(region[..., None], MEAN_COLOUR, versions)
    elif kind == "pasted" and region[box].mean() > 0.3:
        versions = np.where(region[..., None], versions, group.source)
    cut = versions[:, box[0], box[1]]
    mode = cv2.INTER_AREA if cut.shape[1] >= size else cv2.INTER_CUBIC
    views = np.stack([cv2.resize(np.ascontiguousarray(x), (size, size), interpolation=mode) for x in cut])
    if rng.random() < 0.12:
        _letterbox(rng, views)
    return views[:, :, ::-1] if rng.random() < 0.5 else views


def _box(rng: np.random.Generator, region: np.ndarray) -> tuple[slice, slice]:
    """Padded square around the region, inside the picture."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    side = min(round(max(height, width) * (1 + 2 * rng.uniform(0.0, 0.2))), *region.shape)
    top, left = (
        int(np.clip((first + last + 1 - side) // 2, 0, n - side))
        for first, last, n in zip((rows[0], columns[0]), (rows[-1], columns[-1]), region.shape, strict=True)
    )
    return slice(top, top + side), slice(left, left + side)


def _crop(rng: np.random.Generator, side: int) -> tuple[slice, slice]:
    cut = round(side * rng.uniform(0.7, 1.0))
    top, left = (int(v) for v in rng.integers(0, side - cut + 1, 2))
    return slice(top, top + cut), slice(left, left + cut)


def _letterbox(rng: np.random.Generator, views: np.ndarray) -> None:
    """Lay two bands of the mean colour over the views, as beside objects wider than the picture is high."""
    size = views.shape[1]
    band = int(size * rng.uniform(0.05, 0.25))
    turned = views if rng.random() < 0.5 else views.transpose(0, 2, 1, 3)
    turned[:, :band] = turned[:, size - band :] = MEAN_COLOUR
