"""Which style a prompt asks for, and where it says so.

Nothing here imports torch.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rses.errors import InputError

EXPERT_STYLES: dict[str, tuple[str, ...]] = {
    "pixel art": ("pixel art", "pixelart", "pixelated", "pixelized", "pixelised", "8-bit", "8bit", "16-bit", "16bit"),
    "cyberpunk": ("cyberpunk", "cyber punk", "neon cyberpunk", "neon cyber punk", "cyberpunk neon"),
    "expressionism": (
        "expressionism",
        "expressionist",
        "expressionistic",
        "german expressionism",
        "german expressionist",
    ),  # fmt: skip
    "line art": ("line art", "lineart", "line drawing", "line drawn", "outline drawing", "line work", "linework"),
}
"""The paper's four styles and how people write them; the key comes first, and "style" itself is never part."""

FINDER = "finder"
"""Name of the expert that only says where; it has no style of its own."""

# "-", "_" and white space are one; so are the other dashes that word processors put in place of "-".
_GAP = r"[\s_\-\u2010-\u2015\u2212]"
_SIMILAR = 0.8
_SHOWN = 120


@dataclass(frozen=True)
class StyleMatch:
    """A style phrase, ``prompt[start:end]``, and the key of its style."""

    style: str
    phrase: str
    start: int
    end: int


def find_style(prompt: str, styles: Mapping[str, Sequence[str]] = EXPERT_STYLES) -> StyleMatch:
    """Find the style phrase of a prompt.

    Case does not matter; hyphens, underscores and runs of spaces are equal; a phrase must not be part of a longer
    word. The longest phrase wins, then the last one ("a pixel art poster ... in pixel art style").

    Args:
        prompt: The instruction, as it is given to the model.
        styles: Phrasings by style key.

    Raises:
        InputError: The prompt names none of the styles, or several.

    Example:
        >>> find_style("make the cat in Pixel-Art style")
        StyleMatch(style='pixel art', phrase='Pixel-Art', start=16, end=25)
        >>> find_style("make the cat in watercolor style")
        Traceback (most recent call last):
        rses.errors.InputError: The prompt "make the cat in watercolor style" names no known style. Known styles: ...
    """
    found = list(_matches(prompt, styles))
    # "oil painting" is not also "painting".
    found = [match for match in found if not any(_inside(match, other) for other in found)]
    if not found:
        raise InputError(
            f'The prompt "{_short(prompt)}" names no known style.{_hint(prompt, styles)} '
            f'Known styles: {", ".join(styles)}. Name one, as in "make the cat in {next(iter(styles), "")} style".',
            code="unknown-name",
        )
    named = list(dict.fromkeys(match.style for match in sorted(found, key=lambda match: match.start)))
    if len(named) > 1:
        listed = " and ".join(f'"{name}"' for name in named)
        raise InputError(
            f'The prompt "{_short(prompt)}" names {len(named)} styles, {listed}. '
            "Ask for one style at a time, and edit the result again for the next.",
            code="ambiguous",
        )
    return max(found, key=lambda match: (len(_plain(match.phrase)), match.start))


def style_key(text: str, styles: Mapping[str, Sequence[str]] = EXPERT_STYLES) -> str:
    """Return the key of the style that a text names in any phrasing, with or without "style" after it.

    Example:
        >>> style_key("Pixel-Art style"), style_key("expressionist")
        ('pixel art', 'expressionism')
    """
    plain = _plain(text)
    for name, phrases in styles.items():
        if any(plain.removesuffix(" style") == _plain(phrase) for phrase in (name, *phrases)):
            return name
    raise InputError(
        f'There is no style "{_short(text)}".{_hint(text, styles)} Known styles: {", ".join(styles) or "none"}.',
        code="unknown-name",
    )


def _matches(prompt: str, styles: Mapping[str, Sequence[str]]) -> Iterator[StyleMatch]:
    for name, phrases in styles.items():
        for phrase in phrases:
            for match in _pattern(phrase).finditer(prompt):
                yield StyleMatch(name, match.group(), match.start(), match.end())


@functools.cache
def _pattern(phrase: str) -> re.Pattern[str]:
    words = _GAP + "+"
    text = words.join(re.escape(word) for word in _plain(phrase).split(" "))
    # Not \b, to which an underscore is a letter.
    return re.compile(rf"(?<![^\W_]){text}(?![^\W_])", re.IGNORECASE)


def _inside(match: StyleMatch, other: StyleMatch) -> bool:
    within = other.start <= match.start and match.end <= other.end
    return within and match.end - match.start < other.end - other.start


def _plain(text: str) -> str:
    return re.sub(_GAP + "+", " ", text).strip().casefold()


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _hint(text: str, styles: Mapping[str, Sequence[str]]) -> str:
    """Name the phrase that some words of the text resemble most."""
    words = re.findall(r"\w+", _plain(text))
    windows = {" ".join(words[i : i + size]) for size in (1, 2, 3) for i in range(len(words) - size + 1)}
    phrases = sorted({_plain(phrase) for known in styles.values() for phrase in known})
    scored = [
        (difflib.SequenceMatcher(None, window, phrase).ratio(), phrase)
        for window in sorted(windows)[:200]
        for phrase in phrases
    ]
    score, phrase = max(scored, default=(0.0, ""))
    return f' Did you mean "{phrase}"?' if score >= _SIMILAR else ""
