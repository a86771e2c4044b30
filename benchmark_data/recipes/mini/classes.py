"""The classes that the style encoder tells apart: plain photographs, and the styles of ``baselines.classical``."""

from __future__ import annotations

from baselines.classical import STYLES

__all__ = ["CLASS_NAMES", "PLAIN"]

PLAIN = "photo"
CLASS_NAMES = (PLAIN, *STYLES)
