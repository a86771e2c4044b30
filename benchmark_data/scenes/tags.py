"""Tags that say why an object is hard to edit alone.

- `small`: it shows on less than 3 % of the image.
- `touching`: what shows of it is next to, or under, what shows of another object.
- `touching_border`: it reaches the image border.
- `occluded`: objects in front hide at least 15 % of it (such an object is `touching` as well).
- `multi-instance`: there is another object of its class; its mask is still only its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

TAGS = ("small", "touching", "touching_border", "multi-instance", "occluded")
SMALL_FRACTION = 0.03
OCCLUDED_FRACTION = 0.15


def object_tags(
    masks: Sequence[np.ndarray], whole: Sequence[np.ndarray], names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Find the tags of every object.

    Args:
        masks: Visible part of each object, (H, W) in [0, 1].
        whole: The same as if each object were alone.
        names: Class of each object.

    Returns:
        The tags of each object, in the order of `TAGS`.

    Example:
        >>> left = np.zeros((20, 20)); left[5:15, 5:10] = 1
        >>> right = np.zeros((20, 20)); right[5:15, 10:15] = 1
        >>> object_tags([left, right], [left, right], ["cat", "dog"])
        [('touching',), ('touching',)]
    """
    regions = [mask > 0.5 for mask in masks]
    grown = [ndimage.binary_dilation(region, np.ones((3, 3), bool)) for region in regions]
    found = []
    for index, region in enumerate(regions):
        border = np.concatenate([region[0], region[-1], region[:, 0], region[:, -1]])
        others = [other for k, other in enumerate(regions) if k != index]
        facts = {
            "small": region.mean() < SMALL_FRACTION,
            "touching": any((grown[index] & other).any() for other in others),
            "touching_border": border.any(),
            "multi-instance": list(names).count(names[index]) > 1,
            "occluded": masks[index].sum() <= (1 - OCCLUDED_FRACTION) * whole[index].sum(),
        }
        found.append(tuple(tag for tag in TAGS if facts[tag]))
    return found
