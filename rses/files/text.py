"""Reading the text files that people write: by their byte-order mark, else as UTF-8; and JSON of any content."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from rses.errors import InputError, Place

MOST_DIGITS = 400
"""Digits of a whole number; the largest float has 309."""


class JsonError(ValueError):
    """A text is not the JSON that a file of ours may hold."""


def parse_json(
    text: str | bytes,
    *,
    allow_nan: bool = False,
    lenient: bool = False,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Parse untrusted JSON; unlike ``json.loads``, fail with one kind of error whatever it holds.

    Args:
        text: A whole file, or one line of it.
        allow_nan: Take NaN and infinity.
        lenient: For files of other tools, whose entries are judged one by one: take NaN, infinity (also for endless
            numbers) and text that is not valid Unicode, too.
        pairs: Makes each object from its pairs; by default a dict, which a key used twice makes an error.

    Raises:
        JsonError: Not JSON, nested too deeply, neither UTF-8 nor UTF-16 with a byte-order mark, NaN or infinity (unless
            ``allow_nan``), a key used twice, or an endless number.

    Example:
        >>> parse_json('{"a": 1}')
        {'a': 1}
        >>> parse_json("[" * 100000)
        Traceback (most recent call last):
        rses.files.text.JsonError: nested too deeply
    """
    try:
        if isinstance(text, bytes):
            text = _decode(text)
        content = json.loads(
            text.removeprefix("\ufeff"), object_pairs_hook=pairs or _unique,
            parse_int=_int_or_infinity if lenient else _bounded_int,
            parse_constant=float if allow_nan or lenient else _refuse_constant,
        )  # fmt: skip
        if not lenient and "\\ud" in text.lower():
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except JsonError:
        raise
    except UnicodeEncodeError:
        raise JsonError("text that is not valid Unicode (half of a surrogate pair)") from None
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg}, line {error.lineno}, column {error.colno}") from error
    return content


def read_text(path: Path) -> str:
    """Read a text file as UTF-8, with or without a byte-order mark, or as UTF-16 with one; lines end in a line feed."""
    try:
        return _decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text. Save it as UTF-8.", code="not-utf8", place=Place(str(path))
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}.", code="unreadable", place=Place(str(path))) from error


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    text = read_text(path)
    try:
        return parse_json(text)
    except JsonError as error:
        raise InputError(
            f"{path} is not valid JSON: {error}. Correct it, e.g. with the help of python -m json.tool.",
            code="not-json",
            place=Place(str(path)),
        ) from error


def _decode(data: bytes) -> str:
    """Decode text as its byte-order mark says, by default as UTF-8."""
    sixteen = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    return data.decode("utf-16" if sixteen else "utf-8-sig")


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is no JSON number")


def _bounded_int(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise JsonError(f"a number of {len(digits)} digits")
    return int(digits)


def _int_or_infinity(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float("-inf" if digits.startswith("-") else "inf")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise JsonError(f'the key "{twice[:80]}" is used twice')
    return found
