"""What each kind of method is told, made from the object and the style of a sample; all wordings are here."""

from __future__ import annotations

from dataclasses import dataclass

from rses.methods import EditSample

DIPTYCH = (
    "A diptych with two side-by-side images of the same scene. On the right, the scene is exactly the same as on the "
    "left but {instruction}"
)
"""ICEdit's prefix (https://github.com/River-Zhang/ICEdit)."""
WHOLE = "scene"
"""What stands for the object where the whole picture is meant."""


@dataclass(frozen=True)
class CaptionPair:
    """Captions of the source and of the edit, and the words that only the edit's has."""

    source: str
    target: str
    added: str


def global_instruction(sample: EditSample) -> str:
    """Ask for the style of the whole picture."""
    return f"make the image in {sample.style} style"


def region_phrase(sample: EditSample) -> str:
    """Describe what the region shows afterwards, for methods that are given the mask."""
    return f"a {sample.object} in {sample.style} style"


def caption_pair(sample: EditSample) -> CaptionPair:
    """Describe the picture before and after, for methods that compare captions."""
    added = f"{sample.style} style"
    return CaptionPair(f"a photo of a {sample.object}", f"a photo of a {added} {sample.object}", added)


def exchanged_pair(sample: EditSample) -> CaptionPair:
    """Describe the picture before and after by captions that differ in the words of the style alone.

    Example:
        >>> import numpy as np
        >>> sample = EditSample("a", np.zeros((8, 8, 3), np.uint8), "cat", "line art", "make the cat line art", 0)
        >>> exchanged_pair(sample).source, exchanged_pair(sample).target
        ('a photo of a realistic style cat', 'a photo of a line art style cat')
        >>> region_phrase(sample), global_instruction(sample)
        ('a cat in line art style', 'make the image in line art style')
    """
    pair = caption_pair(sample)
    return CaptionPair(f"a photo of a realistic style {sample.object}", pair.target, pair.added)


def diptych(sample: EditSample) -> str:
    """Describe two panels of which the right one shows the edit."""
    return DIPTYCH.format(instruction=sample.prompt)
