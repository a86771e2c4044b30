"""Checks of what callers pass: a text where a list is meant, a list where a text is meant, a number out of range."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from rses.errors import InputError, Place

__all__ = ["require_folders", "require_inner_share", "require_path", "require_text", "text_list", "whole_number"]


def require_text(value: Any, name: str, example: str, *, optional: bool = True) -> None:
    """Refuse what is no text.

    Raises:
        InputError: Says what was expected and what came.

    Example:
        >>> require_text(["x"], "style", "pixel art")
        Traceback (most recent call last):
        rses.errors.InputError: style must be a text, such as "pixel art"; got list: ['x'].
    """
    if not isinstance(value, str) and not (optional and value is None):
        raise _wrong(name, f'a text, such as "{example}"', value)


def text_list(value: Any, name: str, example: str) -> list[str]:
    """Return the texts of a list, tuple, set or other iterable.

    Raises:
        InputError: A text, whose letters would be taken one by one; a dictionary; or items that are no texts.

    Example:
        >>> text_list(("pixel art", "line art"), "styles", "pixel art")
        ['pixel art', 'line art']
    """
    wrong = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)
    items = [] if wrong else list(value)
    if wrong or not all(isinstance(item, str) for item in items):
        raise _wrong(name, f'a list of texts, such as ["{example}"]', items or value)
    return items


def require_path(value: Any, name: str, what: str, *, optional: bool = True) -> None:
    """Refuse what is no path.

    Raises:
        InputError: Says what was expected and what came.
    """
    if optional and value is None:
        return
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise _wrong(name, f"the path of a {what}", value)


def require_folders(value: Any, name: str) -> None:
    """Refuse what is no dictionary of folders by name.

    Raises:
        InputError: Says what was expected and what came.

    Example:
        >>> require_folders("a", "p")
        Traceback (most recent call last):
        rses.errors.InputError: p must be a dictionary of folders by name, such as {"ours": "edits"}; got str: 'a'.
    """
    texts = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if not texts or not value:
        raise _wrong(name, 'a dictionary of folders by name, such as {"ours": "edits"}', value)


def whole_number(value: Any, name: str, least: int) -> int:
    """Return a whole number of at least ``least``.

    Raises:
        InputError: Says what was expected and what came.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _wrong(name, f"a whole number of at least {least}", value)
    return value


def require_inner_share(value: float, name: str) -> None:
    """Refuse what does not lie between 0 and 1, both left out.

    Raises:
        InputError: Says what was expected and what came.

    Example:
        >>> require_inner_share(1.0, "threshold")
        Traceback (most recent call last):
        rses.errors.InputError: threshold must lie between 0 and 1, got 1.0.
    """
    if not 0 < value < 1:
        raise InputError(
            f"{name} must lie between 0 and 1, got {value!r}.", code="out-of-range", place=Place(field=name)
        )


def _wrong(name: str, expected: str, value: Any) -> InputError:
    text = repr(value)
    shown = f"{type(value).__name__}: {text[:80]}" + ("..." if len(text) > 80 else "")
    return InputError(f"{name} must be {expected}; got {shown}.", code="wrong-argument", place=Place(field=name))
