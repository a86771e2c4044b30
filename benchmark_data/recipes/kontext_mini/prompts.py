"""What the flow model is asked while it is trained: to recolour one object, or to redraw the whole picture.

No prompt asks for a style of one object: that is what RegionRoute's experts are to learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from benchmark_data.recipes.kontext_mini.data import STYLES
from regionroute.styles import EXPERT_STYLES

__all__ = ["recolour_prompt", "style_prompt", "words"]

KEEP = ", keep other area unchanged"
RECOLOUR = ("make the {object} {colour}{keep}", "turn the {object} {colour}{keep}", "make the {object} {colour}")
WHOLE = ("image", "picture", "whole image", "whole picture")
RESTYLE = ("make the {whole} in {phrase} style", "turn the {whole} into {phrase} style", "{phrase} style")
EXTRA = "a an the this that it is only just background rest everything else as of with and in into art please"
# The first wording of each is by far the commonest.
ODDS = (0.7, 0.15, 0.15)


def recolour_prompt(rng: np.random.Generator, label: str, colour: str) -> str:
    """Ask for another colour of the object.

    Example:
        >>> recolour_prompt(np.random.default_rng(0), "cat", "red")
        'make the cat red, keep other area unchanged'
    """
    return RECOLOUR[rng.choice(3, p=ODDS)].format(object=label, colour=colour, keep=KEEP)


def style_prompt(rng: np.random.Generator, style: str) -> str:
    """Ask for the whole picture in a style.

    Example:
        >>> style_prompt(np.random.default_rng(0), "line art")
        'make the image in line art style'
    """
    phrasings = EXPERT_STYLES[style]
    phrase = phrasings[0] if rng.random() < 0.6 else phrasings[int(rng.integers(len(phrasings)))]
    whole = WHOLE[0] if rng.random() < 0.6 else WHOLE[int(rng.integers(len(WHOLE)))]
    return RESTYLE[rng.choice(3, p=ODDS)].format(whole=whole, phrase=phrase)


def words(names: Iterable[str], colours: Iterable[str]) -> list[str]:
    """Return every word that a prompt can hold, and a few that people may add, sorted."""
    texts = [*RECOLOUR, *RESTYLE, *WHOLE, KEEP, EXTRA, *names, *colours]
    texts += [phrase for style in STYLES for phrase in EXPERT_STYLES[style]]
    return sorted(set(re.findall(r"[a-z0-9]+", " ".join(texts).lower())))
