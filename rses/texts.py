"""Style texts: which are the same, which say nothing, and which an encoder cannot be expected to know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rses.errors import InputError

__all__ = ["fold_style", "mostly_latin", "require_readable", "text_fault", "words_of"]

MAX_SHOWN = 80
"""Characters of a text that a message shows."""


def words_of(text: str) -> list[str]:
    """Split a text into words of letters and digits, without case, accents, punctuation and width.

    Example:
        >>> words_of("Pop-Art, 8-bit")
        ['pop', 'art', '8', 'bit']
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(char for char in plain if not unicodedata.combining(char)))


def fold_style(style: str) -> str:
    """Return what ways of writing one style have in common: case, hyphens, spaces, width and Unicode form aside.

    Encoders cannot tell these apart, or should not.

    Example:
        >>> fold_style("Pixel-Art") == fold_style(" pixel_art ") == "pixel art"
        True
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", style).casefold())
    # Combining marks are letters' own in many scripts, so they separate no words.
    kept = (char if char.isalnum() or unicodedata.category(char).startswith("M") else " " for char in plain)
    return " ".join("".join(kept).split())


def text_fault(text: object) -> str | None:
    """Return what is wrong with a style or prompt, or ``None``.

    Example:
        >>> text_fault("---")
        'holds no letter or digit, so it names no style'
        >>> text_fault("8-bit") is None
        True
    """
    if not isinstance(text, str):
        return f"is {type(text).__name__}, expected a text"
    if not text.strip():
        return "is empty"
    if not any(char.isalnum() for char in fold_style(text)):
        return "holds no letter or digit, so it names no style"
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        return "is not valid Unicode text"
    return None


def require_readable(texts: Iterable[object], what: str = "style") -> None:
    """Refuse texts in which there is nothing to read.

    Raises:
        InputError: Names every one of them.
    """
    faults = {f"The {what} {_short(text)} {fault}." for text in texts if (fault := text_fault(text))}
    if faults:
        raise InputError(sorted(faults), code="unprintable")


def _short(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}..."


def mostly_latin(text: str) -> bool:
    """Whether at least half of a text's letters are Latin ones, as those of English are.

    Example:
        >>> mostly_latin("pixel art"), mostly_latin("пиксель-арт"), mostly_latin("8")
        (True, False, True)
    """
    letters = [char for char in unicodedata.normalize("NFKC", text) if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return 2 * latin >= len(letters)
