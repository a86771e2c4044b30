"""Positions of the style phrase, in the ids that FluxKontextPipeline itself would make."""

from __future__ import annotations

import functools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, normalizers, pre_tokenizers

from regionroute.styles import EXPERT_STYLES, find_style
from regionroute.tokens import style_positions
from rses.errors import InputError
from tests.helpers.refusals import refused

transformers = pytest.importorskip("transformers")

WORDS = ("make", "the", "cat", "poster", "in", "style", "keep", "other", "area", "unchanged")
STYLE_WORDS = ("pixel", "art", "cyber", "punk", "cyberpunk", "line", "bit")
LENGTH = 48


@functools.cache
def build(kind: str = "stock"):
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -3.0)]
    pieces += [(f"\u2581{word}", -5.0) for word in (*WORDS, *STYLE_WORDS)]
    pieces += [("art", -6.0), ("-", -6.0)]
    pieces += [(char, -9.0) for char in string.ascii_letters + string.digits + ",._"]
    tokenizer = transformers.T5Tokenizer(vocab=pieces, extra_ids=0)
    if kind == "released":
        # Like the files of the released T5: compatibility forms, spaces collapsed, no split at white space.
        backend = tokenizer.backend_tokenizer
        backend.normalizer = normalizers.Sequence(
            [normalizers.NFKC(), normalizers.Strip(), normalizers.Replace(Regex(r"\s+"), " ")]
        )
        backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    return tokenizer


@pytest.fixture(scope="module", params=["stock", "released"])
def tokenizer(request):
    return build(request.param)


def tokens(tokenizer, prompt, span, length=LENGTH):
    ids = tokenizer(prompt, padding="max_length", max_length=length, truncation=True, return_length=False,
                    return_overflowing_tokens=False, return_tensors="pt").input_ids[0]  # fmt: skip
    positions = style_positions(tokenizer, prompt, span, length)
    assert positions == tuple(sorted(set(positions)))
    return [tokenizer.convert_ids_to_tokens(int(ids[position])) for position in positions]


def found(tokenizer, prompt, length=LENGTH):
    match = find_style(prompt)
    return tokens(tokenizer, prompt, (match.start, match.end), length)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("make the cat in pixel art style", ["\u2581pixel", "\u2581art"]),
        ("make the cat in pixel-art style", ["\u2581pixel", "-", "art"]),
        ("   make the  cat in   pixel   art   style  ", ["\u2581pixel", "\u2581art"]),
        ("\t make the cat\nin pixel \n art style", ["\u2581pixel", "\u2581art"]),
        ("pixel art cat", ["\u2581pixel", "\u2581art"]),
        ("make the cat in pixel art", ["\u2581pixel", "\u2581art"]),
        ("make the cat cyberpunk, keep other area unchanged", ["\u2581cyberpunk"]),
        ("make the cafe\u0301 \U0001f408 in pixel art style", ["\u2581pixel", "\u2581art"]),
    ],
)
def test_known_answers(tokenizer, prompt, expected):
    assert found(tokenizer, prompt) == expected


def test_the_span_chooses_between_repetitions(tokenizer):
    prompt = "make the style poster in pixel art style in pixel art style"
    first = prompt.index("pixel art")
    second = prompt.rindex("pixel art")
    one = style_positions(tokenizer, prompt, (first, first + 9), LENGTH)
    two = style_positions(tokenizer, prompt, (second, second + 9), LENGTH)
    assert one == (5, 6)
    assert two == (9, 10)
    assert find_style(prompt).start == second


@pytest.mark.parametrize("kind", ["stock", "released"])
@settings(max_examples=60, deadline=None)
@given(
    before=st.lists(st.sampled_from([*WORDS, "CAT", "zebra,", "caf\u00e9", "\U0001f408", "\ufb01sh"]), max_size=5),
    gap=st.sampled_from([" ", "  ", "\t", " \n "]),
    phrase=st.sampled_from([phrase for phrases in EXPERT_STYLES.values() for phrase in phrases]),
    write=st.sampled_from([str, str.upper, str.title]),
    after=st.sampled_from(["", " style", "  style, keep", ".", "-style"]),
)  # fmt: skip
def test_the_tokens_spell_the_phrase(kind, before, gap, phrase, write, after):
    tokenizer = build(kind)
    start = gap.join([*before, ""])
    prompt = start + write(phrase) + after
    pieces = tokens(tokenizer, prompt, (len(start), len(start) + len(phrase)), 128)
    spelt = "".join(pieces).replace("\u2581", " ").strip()
    assert spelt == write(phrase)


def test_truncation_is_an_error_only_where_it_cuts_the_phrase(tokenizer):
    prompt = "make the cat in pixel art style, keep other area unchanged"
    # make the cat in pixel art </s>
    assert found(tokenizer, prompt, 7) == ["\u2581pixel", "\u2581art"]
    for length in (6, 5, 2, 1):
        with refused(InputError, "wrong-length"):
            found(tokenizer, prompt, length)


def test_what_cannot_be_located(tokenizer):
    for span in ((3, 3), (5, 2), (-1, 2), (0, 99)):
        with pytest.raises(ValueError, match="span"):
            style_positions(tokenizer, "make the cat", span, LENGTH)
    with refused(InputError, "unsupported"):
        style_positions(object(), "make the cat", (0, 4), LENGTH)


def test_a_phrase_that_the_tokenizer_drops():
    with refused(InputError, "empty"):
        style_positions(build(), "make  the cat", (4, 6), LENGTH)
