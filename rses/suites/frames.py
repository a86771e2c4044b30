"""In which frame of a turned photograph a region is: as the file stores it, or as its orientation tag shows it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.images.header import ORIENTATION, TURNS

__all__ = ["orientation_of", "to_upright"]


def orientation_of(picture: Image.Image) -> int:
    """Return the orientation, 1 to 8, of an opened and loaded image as `rses.images.decode` reads it.

    Example:
        >>> orientation_of(Image.new("RGB", (2, 2)))
        1
    """
    if picture.format == "PNG":
        exif = Image.Exif()
        if data := picture.info.get("exif"):
            exif.load(data)
    else:
        exif = picture.getexif()
    found = exif.get(ORIENTATION)
    return found if isinstance(found, int) and found in TURNS else 1


def to_upright(
    mask: NDArray[np.bool_], size: tuple[int, int], orientation: int
) -> tuple[NDArray[np.bool_] | None, bool]:
    """Bring a region to the frame of the upright photograph.

    Its size tells the frame it was drawn in. Where it fits both (a photograph that is only flipped or turned by 180
    degrees, or a square one), the upright frame is meant: labelling tools and browsers show photographs upright.

    Args:
        mask: (height, width) booleans.
        size: (width, height) as the file stores the photograph.
        orientation: The photograph's, 1 to 8.

    Returns:
        The region in the upright frame, or None if it fits neither; and whether the frame had to be assumed.

    Example:
        >>> raw = np.array([[True, False, False]])
        >>> turned, assumed = to_upright(raw, (3, 1), 6)
        >>> turned.tolist(), assumed
        ([[True], [False], [False]], False)
        >>> to_upright(raw, (3, 1), 3)[1]
        True
    """
    stored = (size[1], size[0])
    shown = size if orientation >= 5 else stored
    if mask.shape == shown:
        return mask, orientation != 1 and stored == shown
    if mask.shape == stored:
        turned = Image.fromarray(mask.astype(np.uint8)).transpose(TURNS[orientation])
        return np.asarray(turned).astype(bool), False
    return None, False
