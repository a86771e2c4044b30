"""The four questions. The paper's own wording is not public; ours is here, and its hash is in every result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from rses.errors import InputError

QUESTIONS = ("q1_object_in_style", "q2_background_in_style", "q3_object_in_opposite", "q4_background_in_opposite")
"""Rates of yes: the first should be high, the others low."""

TEMPLATES = {
    "object": "Look only at the {object} in this image. Is the {object} shown in {style} style? Answer yes or no.",
    "background": (
        "Look only at the background of this image, that is everything except the {object}. "
        "Is the background shown in {style} style? Answer yes or no."
    ),
}

OPPOSITES = {
    "pixel art": "expressionism",
    "expressionism": "line art",
    "line art": "cyberpunk",
    "cyberpunk": "pixel art",
}
"""Which style is asked for as the opposite: hard squares and loose strokes, colour and its absence."""


def opposite_style(style: str, styles: Sequence[str] = ()) -> str:
    """Return the style that stands for the opposite: from the table, else the next of the suite's styles.

    Raises:
        InputError: Not in the table, and the suite has no other style.

    Example:
        >>> opposite_style("pixel art"), opposite_style("watercolour", ["oil", "watercolour"])
        ('expressionism', 'oil')
    """
    known = style.lower().replace("-", " ")
    if known in OPPOSITES:
        return OPPOSITES[known]
    others = sorted(set(styles) - {style})
    if not others:
        raise InputError(
            f'There is no opposite of "{style}": it is not among {", ".join(OPPOSITES)}, and all samples have it.',
            code="unknown-name",
        )
    after = [other for other in others if other > style]
    return (after or others)[0]


def questions(thing: str, style: str, opposite: str) -> dict[str, str]:
    """Return the question for each name in :data:`QUESTIONS`.

    Example:
        >>> questions("cat", "line art", "cyberpunk")["q1_object_in_style"]
        'Look only at the cat in this image. Is the cat shown in line art style? Answer yes or no.'
    """
    asked = [("object", style), ("background", style), ("object", opposite), ("background", opposite)]
    return {
        name: TEMPLATES[part].format(object=thing, style=text)
        for name, (part, text) in zip(QUESTIONS, asked, strict=True)
    }


def wording_hash() -> str:
    """Return a digest of templates and opposites: results with different ones do not compare."""
    return hashlib.sha256(json.dumps([TEMPLATES, OPPOSITES], sort_keys=True).encode()).hexdigest()[:12]
