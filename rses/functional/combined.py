"""One number for sorting: signed style success times preservation (docs/metrics.md derives it)."""

from __future__ import annotations

import math

__all__ = ["preservation", "regional_score", "style_success"]

BELOW_ONE = math.nextafter(1.0, 0.0)


def style_success(rsm_gain: float, logit_scale: float) -> float:
    """How surely the encoder says that the style text fits the prediction rather than the source, in (-1, 1).

    The encoder's own two-way softmax gives the prediction ``P = sigmoid(t * (cos(p) - cos(x)))``, t its logit scale;
    an unchanged image has P = 1/2, so ``2 P - 1 = tanh(t * (cos(p) - cos(x)) / 2)``. Style lost is negative, so that
    noise around 0 has mean 0.

    Args:
        rsm_gain: ``(cos(p) - cos(x)) / 2``, in [-1, 1].
        logit_scale: The encoder's own t, above 0.

    Example:
        >>> style_success(0.0, 100.0), round(style_success(0.01, 100.0), 4), round(style_success(-0.01, 100.0), 4)
        (0.0, 0.7616, -0.7616)
    """
    # A double cannot tell tanh(20) from 1, but the encoder is never certain.
    return min(max(math.tanh(logit_scale * rsm_gain), -BELOW_ONE), BELOW_ONE)


def preservation(lpips_bg: float) -> float:
    """Share of the background kept: ``max(0, 1 - LPIPS_bg)``, in [0, 1].

    Example:
        >>> preservation(0.0), preservation(0.25), preservation(1.4)
        (1.0, 0.75, 0.0)
    """
    return max(0.0, 1.0 - lpips_bg)


def regional_score(success: float, kept: float) -> float:
    """``rses_p``: style success times preservation, in (-1, 1); 0 when either is 0.

    Example:
        >>> regional_score(0.0, 1.0), regional_score(0.5, 0.5), regional_score(0.9, 0.0)
        (0.0, 0.25, 0.0)
    """
    return success * kept
