"""Texts and JSON trees that other people wrote: what may be kept and shown, and how messages quote them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rses.files.escape import clean

MAX_TEXT, MAX_NAME, MAX_DEPTH, MAX_NODES = 2000, 100, 8, 2_000_000


def shown(value: object, length: int = 60) -> str:
    r"""Return untrusted text for a message: one printable line, cut short.

    Example:
        >>> shown("a" * 5 + "\n", 4)
        '"aaaa..."'
    """
    text = str(value)[: length + 1]
    return f'"{clean(text[:length])}..."' if len(text) > length else f'"{clean(text)}"'


def text_problem(value: object, limit: int = MAX_TEXT) -> str | None:
    """Say why a value is not a text to be shown, or return ``None``.

    Example:
        >>> text_problem("RegionRoute"), text_problem("x" * 5000)
        (None, 'is longer than 2000 characters')
    """
    if not isinstance(value, str):
        return f"must be a text, found {shown(value)}"
    if len(value) > limit:
        return f"is longer than {limit} characters"
    if clean(value) != value:
        return "holds line breaks, control characters or marks of writing direction"
    return None


def tree_problems(value: Any, where: str = "summary.json", depth: int = 0) -> list[str]:
    """Check a whole JSON document for long texts, numbers that are none, and depth.

    Args:
        value: As ``json.loads`` gives it.
        where: Name of the document, for messages.
        depth: Levels above ``value``, where it is to become a part of a larger document.

    Example:
        >>> tree_problems({"a": [1, float("nan")]})
        ['summary.json: a[1] is nan, which is not a finite number']
    """
    problems: list[str] = []
    for number, (path, fault) in enumerate(_walk(value, "", depth)):
        if number >= MAX_NODES:
            return [*problems, f"{where} holds more than {MAX_NODES} values"]
        if fault:
            problems.append(f"{where}: {clean(path[:120])} {fault}")
        if len(problems) >= 20:
            break
    return problems


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, str | None]]:
    if depth > MAX_DEPTH:
        yield path, f"is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, Mapping):
        yield path, None
        for key, item in value.items():
            name = f"{path}.{key}" if path else str(key)
            fault = text_problem(key, 200)
            if fault:
                yield name, f"has a name that {fault}"
            yield from _walk(item, name, depth + 1)
    elif isinstance(value, list):
        yield path, None
        for place, item in enumerate(value):
            yield from _walk(item, f"{path}[{place}]", depth + 1)
    elif isinstance(value, str):
        yield path, text_problem(value)
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"is {value}, which is not a finite number"
    else:
        yield path, None
