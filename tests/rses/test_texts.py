"""P12, style texts: what names nothing is refused wherever it enters, what the encoder cannot know is warned about."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest

from rses import RSES, load_suite
from rses.backbones import load_style
from rses.cli.main import main
from rses.errors import InputError
from rses.functional import rsm
from rses.images.tensors import write_png
from rses.suites import export_suite, write_manifest
from rses.suites.writing import require_styles
from rses.texts import fold_style, mostly_latin, require_readable, text_fault
from tests.helpers.refusals import refused

NOTHING = [
    "---", "", "   ", "\N{ARTIST PALETTE}", "!?", "_", "\u200b", "\u0301", "…",
    "\N{REGIONAL INDICATOR SYMBOL LETTER D}",
]  # fmt: skip
SPELLINGS = [
    "pixel art", "Pixel-Art", "PIXEL_ART", " pixel  art ", "ｐｉｘｅｌ　ａｒｔ", "pixel\u2011art", "pixel\tart",
]  # fmt: skip


@pytest.fixture(scope="module")
def scorer():
    return RSES("rses-mini", device="cpu", metrics=["rsm", "style_correct"])


def picture(level=90):
    image = np.random.default_rng(level).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    mask = np.zeros((48, 48), bool)
    mask[10:40, 10:40] = True
    return image, mask


def score(scorer, style, **options):
    image, mask = picture()
    return scorer.score(image, image, mask, style, **options)


def folder(root, style="pixel art"):
    image, mask = picture()
    for role, array in (("pred", image), ("masks", mask), ("images", image)):
        write_png(root / role / "a.png", array)
    row = {"id": "a", "file_name": "images/a.png", "style": style}
    (root / "metadata.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    return root


@pytest.mark.parametrize("style", NOTHING)
def test_a_text_without_a_letter_is_refused_wherever_it_enters(style, scorer, tmp_path, capsys):
    with pytest.raises(InputError):
        score(scorer, style)
    with pytest.raises(InputError):
        score(scorer, "pixel art", styles=["line art", style])
    root = folder(tmp_path / "meta", style)
    base = ["score", "--pred", str(root / "pred"), "--masks", str(root / "masks"), "--protocol", "rses-mini"]
    assert main(base) == 2
    folder(tmp_path / "meta")
    assert main([*base, "--style", style]) == 2
    (root / "styles.json").write_text(json.dumps({"a": style}), "utf-8")
    assert main([*base, "--styles", str(root / "styles.json")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(InputError):
        require_styles(f"pixel art,{style or '-'}" if style.strip() else style)


def test_a_message_shows_the_start_of_a_long_text():
    with pytest.raises(InputError) as caught:
        require_readable(["-" * 100_000])
    assert len(str(caught.value)) < 200


def test_a_suite_with_such_a_style_is_refused(tmp_path):
    root = export_suite("mini", tmp_path / "suite")
    rows = [json.loads(line) for line in (root / "metadata.jsonl").read_text("utf-8").splitlines()]
    rows[3]["style"] = "---"
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    write_manifest(root, "odd", "1", "CC0-1.0")
    with refused(InputError, "unprintable", "style"):
        load_suite(root)


def test_the_functional_form_refuses_it_too(scorer):
    import torch

    image = torch.rand(1, 3, 48, 48)
    with pytest.raises(InputError):
        rsm(image, torch.ones(1, 1, 48, 48), ["---"], load_style("rses-mini"))


@pytest.mark.parametrize("style", ["8-bit", "é", "日本画", "1", "Ⅷ", "½"])
def test_letters_and_digits_of_any_script_are_read(style):
    assert text_fault(style) is None


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_one_style_are_one_candidate(spelling, scorer):
    assert fold_style(spelling) == "pixel art"
    plain = score(scorer, "pixel art", styles=["pixel art", "line art", "watercolor"])
    both = score(scorer, "pixel art", styles=["pixel art", spelling, "line art", "watercolor"])
    other = score(scorer, spelling, styles=["pixel art", "line art", "watercolor"])
    assert plain.style_correct == both.style_correct == other.style_correct is not None


def test_accents_are_one_style_in_either_form(scorer):
    composed, apart = (unicodedata.normalize(form, "café sketch") for form in ("NFC", "NFD"))
    assert fold_style(composed) == fold_style(apart) != fold_style("cafe sketch")
    # rses-mini reads no accents: equal embeddings count as one.
    results = [
        score(scorer, style, styles=["café sketch", "cafe sketch", "blueprint"])
        for style in ("café sketch", "cafe sketch")
    ]
    assert results[0].style_correct == results[1].style_correct


def test_styles_of_scripts_with_combining_letters_stay_apart():
    assert fold_style("की") != fold_style("का")


@pytest.mark.parametrize(("text", "latin"), [
    ("pixel art", True), ("日本画", False), ("пиксель-арт", False), ("8", True), ("art نص عربي", False),
    ("Öl auf Leinwand", True), ("ｐｉｘｅｌ", True),
])  # fmt: skip
def test_letters_that_english_does_not_have(text, latin):
    assert mostly_latin(text) is latin


@pytest.mark.parametrize(("style", "known"), [
    ("pixel art", True), ("Pixelated", True), ("oil paintings", True), ("steampunk", False), ("пиксель-арт", False),
    ("zebra", False), ("the style", False), ("pixle rat", False),
])  # fmt: skip
def test_a_style_that_rses_mini_never_saw_is_warned_about(style, known, scorer):
    assert ("style_unknown" in score(scorer, style).warnings) is not known


def test_the_warning_reaches_terminal_and_summary(tmp_path, capsys):
    root = folder(tmp_path)
    command = ["score", "--pred", str(root / "pred"), "--masks", str(root / "masks"), "--protocol", "rses-mini"]
    assert main([*command, "--style", "steampunk", "--out", str(tmp_path / "run")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("warning: ") and "steampunk" in line]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert [group["code"] for group in summary["warnings"] if group.get("values") == ["steampunk"]] == ["style_unknown"]


def test_embedded_styles_are_known():
    style = load_style("rses-mini")
    assert all(style.reads(name) for suite in ("mini", "photos") for name in load_suite(suite).styles)


def test_spellings_of_one_style_are_refused_in_a_list():
    with refused(InputError, "used-twice", "--styles"):
        require_styles("pixel art,Pixel-Art")


def test_the_words_that_rses_mini_knows_are_those_of_its_training():
    from importlib.resources import files

    recipe = pytest.importorskip("benchmark_data.recipes.mini.texts")
    stored = files("benchmark_data").joinpath("models/rses-mini/style_words.txt").read_text("utf-8").split()
    assert stored == recipe.style_words()
