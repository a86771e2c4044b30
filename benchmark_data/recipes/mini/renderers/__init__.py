"""Many renderers per style, so that the encoder learns styles instead of one drawing function.

``TRAINING`` and ``HELD_OUT`` name them by style. Whole renderers are held out: training never calls those, and a
test checks that the two sets share no function. They need OpenCV, scikit-image and ImageMagick, which only this
recipe uses.
"""

from __future__ import annotations

from baselines.classical import STYLES, stylize
from benchmark_data.recipes.mini.renderers import colour, facets, graphic, lines, paint, pixels
from benchmark_data.recipes.mini.renderers.tools import Picture, Renderer

__all__ = ["HELD_OUT", "TRAINING", "Renderer", "classical"]

_MODULES = (pixels, lines, paint, graphic, facets, colour)


def classical(style: str) -> Renderer:
    """The styliser of ``baselines.classical``, one renderer among the others."""

    def render(image: Picture, rng) -> Picture:  # type: ignore[no-untyped-def]
        strength = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.9, 1.3))
        return stylize(image, style, strength=strength, seed=int(rng.integers(1, 1 << 30)))

    render.__name__ = f"classical {style}"
    return render


TRAINING: dict[str, list[Renderer]] = {
    style: [classical(style), *(r for module in _MODULES for r in module.TRAINING.get(style, []))] for style in STYLES
}
HELD_OUT: dict[str, list[Renderer]] = {
    style: [r for module in _MODULES for r in module.HELD_OUT.get(style, [])] for style in STYLES
}
