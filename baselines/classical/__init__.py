"""Twenty deterministic image styles made with classical filters, no learned weights.

Example:
    >>> import numpy as np
    >>> photo = np.full((32, 48, 3), 128, np.uint8)
    >>> stylize(photo, "pixel art", seed=3).shape
    (32, 48, 3)
    >>> len(STYLES)
    20
"""

from baselines.classical.phrases import PHRASES
from baselines.classical.registry import STYLES, Stylizer, stylize

__all__ = ["PHRASES", "STYLES", "Stylizer", "stylize"]
