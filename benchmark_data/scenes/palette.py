"""Named colours, and the arithmetic on them that drawing needs."""

from __future__ import annotations

import numpy as np

Colour = tuple[float, float, float]

COLOURS: dict[str, Colour] = {
    "red": (0.83, 0.13, 0.13),
    "orange": (0.95, 0.52, 0.12),
    "yellow": (0.96, 0.82, 0.18),
    "green": (0.22, 0.62, 0.24),
    "teal": (0.10, 0.62, 0.62),
    "blue": (0.16, 0.36, 0.83),
    "purple": (0.50, 0.24, 0.70),
    "pink": (0.95, 0.52, 0.68),
    "brown": (0.50, 0.32, 0.18),
    "white": (0.93, 0.92, 0.90),
    "grey": (0.56, 0.57, 0.60),
    "black": (0.15, 0.15, 0.17),
}
"""Colour names and their sRGB values in [0, 1]."""


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """Go from `first` (amount 0) to `second` (amount 1).

    Example:
        >>> mix((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0.5)
        (0.5, 0.5, 0.5)
    """
    return tuple(float(a + (b - a) * amount) for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def lighter(colour: Colour, amount: float = 0.35) -> Colour:
    """Mix with white.

    Example:
        >>> lighter((0.0, 0.0, 0.0), 0.25)
        (0.25, 0.25, 0.25)
    """
    return mix(colour, (1.0, 1.0, 1.0), amount)


def darker(colour: Colour, amount: float = 0.35) -> Colour:
    """Mix with a near-black blue, as shade does.

    Example:
        >>> darker((1.0, 1.0, 1.0), 0.0)
        (1.0, 1.0, 1.0)
    """
    return mix(colour, (0.04, 0.03, 0.08), amount)


def jitter(colour: Colour, rng: np.random.Generator, amount: float = 0.04) -> Colour:
    """Shift brightness and channels a little, so that no two reds are alike.

    Example:
        >>> jitter((0.5, 0.5, 0.5), np.random.default_rng(0), 0.0)
        (0.5, 0.5, 0.5)
    """
    shift = rng.normal(0, amount) + rng.normal(0, amount / 2, 3)
    return tuple(float(np.clip(c + s, 0.02, 0.98)) for c, s in zip(colour, shift, strict=True))  # type: ignore[return-value]
