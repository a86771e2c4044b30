from __future__ import annotations

import pytest

from rses.json_text import parse_json


@pytest.mark.parametrize("content", ['"\\ud800"', '{"\\uDFFF": 1}', b'"\xed\xa0\x80"', "[" * 100_000, '{"a":' * 50_000,
                                     "1" * 10_000, b"\xff", "{", ""])  # fmt: skip
def test_whatever_is_wrong_is_a_value_error(content):
    with pytest.raises(ValueError):
        parse_json(content)


@pytest.mark.parametrize(
    "content", ['"\\ud83d\\ude00"', b'\xef\xbb\xbf"\xf0\x9f\x98\x80"', '"\U0001f600"'.encode("utf-16")]
)
def test_whole_characters_are_read_however_they_are_written(content):
    assert parse_json(content) == "\U0001f600"


def test_a_backslash_before_a_surrogate_is_text():
    assert parse_json(r'"\\ud800"') == "\\ud800"
