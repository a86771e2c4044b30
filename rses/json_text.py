"""JSON of unknown origin: whatever is wrong with it is a ``ValueError``."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["parse_json"]

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(content: str | bytes, **options: Any) -> Any:
    r"""Parse a JSON document; a byte-order mark before it is skipped.

    Args:
        content: Text, or bytes in UTF-8, UTF-16 or UTF-32.
        options: As for ``json.loads``.

    Raises:
        ValueError: Not JSON, nested deeper than Python follows, or with half a character (``"\ud800"``), which could
            be neither printed nor written.

    Example:
        >>> parse_json(b'\xef\xbb\xbf{"a": 1}')
        {'a': 1}
        >>> parse_json("[" * 100_000)
        Traceback (most recent call last):
        ValueError: nested too deeply
    """
    if isinstance(content, bytes):
        content = content.decode(json.detect_encoding(content))
    text = content.removeprefix("\ufeff")
    try:
        value = json.loads(text, **options)
        # A whole character may be written as two halves, so what was read decides; this is rarely needed.
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half of a character (a lone surrogate)") from error
    return value
