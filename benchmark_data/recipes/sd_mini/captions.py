"""Captions of scenes, plain and restyled."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from benchmark_data.recipes.kontext_mini.data import STYLES
from benchmark_data.recipes.kontext_mini.prompts import words as prompt_words
from benchmark_data.scenes import BACKDROPS, CLASSES, COLOURS
from regionroute.styles import EXPERT_STYLES

PHOTO = "a photo of {things}{place}"
STYLED = ("a photo of {things}{place}", "{things}{place} in {style} style")
EVERY, PLACES = 0.85, 0.75
"""Shares of captions that name every object, not just one, and the backdrop."""


def object_phrase(rng: np.random.Generator, name: str, colour: str, style: str | None = None) -> str:
    """Name one object, with its colour in two of three cases, and with its style.

    Example:
        >>> object_phrase(np.random.default_rng(0), "cat", "red", "line art")
        'a line art style red cat'
    """
    parts = [f"{style} style"] if style else []
    parts += [colour] if rng.random() < 2 / 3 else []
    return " ".join(["a", *parts, name])


def caption(
    rng: np.random.Generator, objects: Sequence[tuple[str, str]], backdrop: str, style: str | None = None
) -> str:
    """Describe a picture: one object, or all of them, and sometimes where they are.

    Args:
        rng: Chooses the wording.
        objects: (name, colour) of every object.
        backdrop: Name of the backdrop.
        style: Style of the whole picture, or None for a plain one.

    Example:
        >>> caption(np.random.default_rng(1), [("cat", "red")], "beach", "line art")
        'a photo of a line art style red cat'
    """
    every = rng.random() < EVERY
    chosen = list(objects) if every else [objects[int(rng.integers(len(objects)))]]
    place = f" before a {backdrop}" if rng.random() < PLACES else ""
    inside = style is not None and rng.random() < 0.6
    things = " and ".join(object_phrase(rng, name, colour, style if inside else None) for name, colour in chosen)
    if style is None:
        return PHOTO.format(things=things, place=place)
    form = STYLED[0] if inside else STYLED[1]
    return form.format(things=things, place=place, style=style)


def vocabulary() -> list[str]:
    """Return every word that an instruction or a caption can hold, sorted."""
    texts = [PHOTO, *STYLED, "and before style photo drawing painting", *BACKDROPS, *STYLES]
    texts += [phrase for style in STYLES for phrase in EXPERT_STYLES[style]]
    own = re.findall(r"[a-z0-9]+", re.sub(r"\{\w+\}", " ", " ".join(texts)).lower())
    return sorted({*prompt_words(CLASSES, COLOURS), *own})
