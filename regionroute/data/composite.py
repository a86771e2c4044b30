"""Paste the styled object into its source: the pseudo-ground truth of a regional edit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rses.errors import InputError, Problem


def composite(
    source: NDArray[np.uint8], stylised: NDArray[np.uint8], mask: NDArray[np.bool_], feather: float = 0.0
) -> NDArray[np.uint8]:
    """Take the styled picture inside a mask and the source outside.

    Args:
        source: (H, W, 3) uint8.
        stylised: (H, W, 3) uint8, the whole picture redrawn.
        mask: (H, W) bool, True inside the object.
        feather: Half-width in pixels of a linear blend across the mask's edge; 0 cuts hard. Parts of the object that
            are thinner than twice this never get the full style. The border of the picture is no edge.

    Returns:
        (H, W, 3) uint8. More than ``feather`` pixels outside the mask it equals the source byte for byte, more than
        that inside it equals the styled picture.

    Raises:
        InputError: Shapes or types differ from the above, the mask is empty, or ``feather`` is negative.

    Example:
        >>> photo, ink = np.zeros((1, 4, 3), np.uint8), np.full((1, 4, 3), 200, np.uint8)
        >>> region = np.array([[False, False, True, True]])
        >>> composite(photo, ink, region)[0, :, 0].tolist()
        [0, 0, 200, 200]
        >>> composite(photo, ink, region, feather=1)[0, :, 0].tolist()
        [0, 50, 150, 200]
    """
    problems = _problems(source, stylised, mask, feather)
    if problems:
        raise InputError(problems)
    if feather == 0 or mask.all():
        return np.where(mask[..., None], stylised, source)
    # The edge lies half a pixel from the centres on either side of it.
    inside = ndimage.distance_transform_edt(mask) - 0.5
    outside = ndimage.distance_transform_edt(~mask) - 0.5
    share = np.clip(0.5 + np.where(mask, inside, -outside) / (2 * feather), 0, 1).astype(np.float32)[..., None]
    blend = source + share * (stylised.astype(np.float32) - source)
    result: NDArray[np.uint8] = (blend + 0.5).astype(np.uint8)
    return result


def _problems(source: np.ndarray, stylised: np.ndarray, mask: np.ndarray, feather: float) -> list[Problem]:
    found = []
    for name, picture in (("source", source), ("stylised picture", stylised)):
        if picture.dtype != np.uint8 or picture.shape[2:] != (3,):
            found.append(
                Problem(f"The {name} must be uint8 (H, W, 3), got {picture.dtype} {picture.shape}.", "wrong-shape")
            )
    if mask.dtype != np.bool_ or mask.ndim != 2:
        found.append(Problem(f"The mask must be bool (H, W), got {mask.dtype} {mask.shape}.", "wrong-shape"))
    elif not mask.any():
        found.append(Problem("The mask is empty: there is nothing to restyle. Mark the object.", "empty"))
    if not (math.isfinite(feather) and feather >= 0):
        found.append(Problem(f"The feather must be a width of at least 0 pixels, got {feather:g}.", "out-of-range"))
    sizes = {x.shape[:2] for x in (source, stylised, mask)}
    if len(sizes) > 1:
        listed = ", ".join("x".join(map(str, size)) for size in sorted(sizes))
        text = f"Source, stylised picture and mask must have one size, got {listed} (height x width)."
        found.append(Problem(text, "wrong-size"))
    return found
