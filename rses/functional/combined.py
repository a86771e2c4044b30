"""One number for sorting: the harmonic mean of style success and preservation (docs/metrics.md derives it)."""

from __future__ import annotations

import math

__all__ = ["harmonic_score", "preservation", "style_success"]


def style_success(cosine_pred: float, cosine_source: float, logit_scale: float) -> float:
    """How surely the encoder says that the style text fits the prediction rather than the source, in [0, 1].

    The encoder's own two-way softmax gives the prediction ``P = sigmoid(logit_scale * (cos(p) - cos(x)))``; an
    unchanged image has P = 1/2, so ``2 P - 1 = tanh(logit_scale * (cos(p) - cos(x)) / 2)``, cut off at 0.

    Example:
        >>> style_success(0.25, 0.25, 100.0), round(style_success(0.25, 0.23, 100.0), 4)
        (0.0, 0.7616)
    """
    return max(0.0, math.tanh(logit_scale * (cosine_pred - cosine_source) / 2))


def preservation(lpips_bg: float) -> float:
    """Share of the background kept: ``max(0, 1 - LPIPS_bg)``, in [0, 1]."""
    return max(0.0, 1.0 - lpips_bg)


def harmonic_score(success: float, kept: float) -> float:
    """Harmonic mean of two numbers in [0, 1]; 0 when either is 0.

    Example:
        >>> harmonic_score(0.0, 1.0), harmonic_score(0.5, 1.0)
        (0.0, 0.6666666666666666)
    """
    return 2 * success * kept / (success + kept) if success > 0 and kept > 0 else 0.0
