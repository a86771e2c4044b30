"""Style phrases: every way of writing them, where they stand, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from baselines.classical import STYLES
from regionroute.styles import EXPERT_STYLES, find_style, style_key
from rses.errors import InputError
from tests.helpers.refusals import refused

PHRASES = [(style, phrase) for style, phrases in EXPERT_STYLES.items() for phrase in phrases]


def test_keys_come_first_belong_to_one_style_and_can_be_drawn():
    assert list(EXPERT_STYLES) == ["pixel art", "cyberpunk", "expressionism", "line art"]
    assert set(EXPERT_STYLES) <= set(STYLES)
    seen: dict[str, str] = {}
    for style, phrase in PHRASES:
        assert not phrase.endswith("style")
        assert seen.setdefault(phrase.replace("-", " "), style) == style
    assert all(phrases[0] == style for style, phrases in EXPERT_STYLES.items())


@pytest.mark.parametrize(("style", "phrase"), PHRASES)
@pytest.mark.parametrize("write", [str, str.upper, str.title, lambda text: text.replace("-", "_")])
def test_every_phrasing_is_found_where_it_stands(style, phrase, write):
    text = write(phrase)
    prompt = f"Make the cat in {text} style, keep other area unchanged"
    found = find_style(prompt)
    assert (found.style, found.phrase) == (style, text)
    assert prompt[found.start : found.end] == text


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ("make the cat in pixel-art style", "pixel-art"),
        ("make the cat in pixel_art style", "pixel_art"),
        ("in_pixel_art_style", "pixel_art"),
        ("make   the cat in  pixel \t art   style", "pixel \t art"),
        ("a pixel\u2011art cat", "pixel\u2011art"),
        ("pixel art", "pixel art"),
        ("(8-Bit) cat!", "8-Bit"),
        ("make the 🐈 in PIXELART", "PIXELART"),
        ("a cat as one line drawing", "line drawing"),
        ("a cat as an outline drawing", "outline drawing"),
        ("a cat in neon-cyberpunk style", "neon-cyberpunk"),
    ],
)
def test_hyphens_underscores_spaces_and_case(prompt, phrase):
    found = find_style(prompt)
    assert found.phrase == phrase == prompt[found.start : found.end]


def test_the_longest_phrase_wins_then_the_last():
    twice = "make the pixel art poster in pixel art style"
    assert find_style(twice).start == twice.rindex("pixel art")
    assert find_style("make the neon cyberpunk sign in cyberpunk style").phrase == "neon cyberpunk"
    nested = {"painting": ["painting"], "oil painting": ["oil painting"]}
    assert find_style("an oil painting of a cat", nested).style == "oil painting"


@pytest.mark.parametrize("prompt", ["", "make the cat in watercolor style", "a pixel artist", "128-bit", "cyberpunks"])
def test_no_style_lists_the_known_ones(prompt):
    with pytest.raises(InputError, match="Known styles: pixel art, cyberpunk, expressionism, line art"):
        find_style(prompt)


@pytest.mark.parametrize(
    ("prompt", "hint"),
    [
        ("make the cat in pixle art style", "pixel art"),
        ("the cat in expresionism", "expressionism"),
        ("word " * 9999, ""),
    ],
    ids=["letters exchanged", "a letter missing", "nothing alike"],
)
def test_misspelt_styles_get_a_hint(prompt, hint):
    with pytest.raises(InputError) as raised:
        find_style(prompt)
    assert (f'Did you mean "{hint}' in str(raised.value)) == bool(hint)
    assert len(str(raised.value)) < 500


def test_two_styles_are_refused_by_name():
    with refused(InputError, "ambiguous"):
        find_style("make the 8-bit cat in line art style")


@pytest.mark.parametrize("text", ["pixel-art", "Pixel Art", "pixelart", "pixel_art style", "8-bit style"])
def test_style_keys(text):
    assert style_key(text) == "pixel art"


@pytest.mark.parametrize("text", ["", "style", "watercolor", "pixel art cat"])
def test_unknown_style_keys(text):
    with pytest.raises(InputError, match="Known styles: pixel art, "):
        style_key(text)


def test_routing_needs_no_torch():
    script = "import regionroute.styles, regionroute.tokens, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
