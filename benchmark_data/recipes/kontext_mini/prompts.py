"""What the flow model is asked while it is trained: to recolour one object, or to redraw the whole picture.

No prompt asks for a style of one object: that is what RegionRoute's experts are to learn. Prompts for the whole picture
may name an object, too; otherwise a name would mean "only here", as it does when a colour is asked for.
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
NAMED = ("{whole} with the {object}", "{object} and everything else", "{whole} of the {object}")
KEEP_CONTENT = ", keep everything else unchanged"
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


def style_prompt(rng: np.random.Generator, style: str, label: str | None = None) -> str:
    """Ask for the whole picture in a style, by the name of an object that it shows, if given.

    Example:
        >>> style_prompt(np.random.default_rng(0), "line art")
        'make the image in line drawn style'
    """
    phrasings = EXPERT_STYLES[style]
    phrase = phrasings[0] if rng.random() < 0.6 else phrasings[int(rng.integers(len(phrasings)))]
    whole = WHOLE[0] if rng.random() < 0.6 else WHOLE[int(rng.integers(len(WHOLE)))]
    restyle = RESTYLE[rng.choice(3, p=ODDS)]
    if label is None:
        return restyle.format(whole=whole, phrase=phrase)
    while "{whole}" not in restyle:
        restyle = RESTYLE[rng.choice(3, p=ODDS)]
    whole = NAMED[int(rng.integers(3))].format(whole=whole, object=label)
    return restyle.format(whole=whole, phrase=phrase) + KEEP_CONTENT * int(rng.random() < 0.3)


def words(names: Iterable[str], colours: Iterable[str]) -> list[str]:
    """Return every word that a prompt can hold, and a few that people may add, sorted."""
    texts = [*RECOLOUR, *RESTYLE, *NAMED, *WHOLE, KEEP, KEEP_CONTENT, EXTRA, *names, *colours]
    texts += [phrase for style in STYLES for phrase in EXPERT_STYLES[style]]
    return sorted(set(re.findall(r"[a-z0-9]+", " ".join(texts).lower())))
