"""docs/attention-supervision.md: the committed numbers are those that the code gives, and say what the page says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark_data.recipes.attention_study import EVERY, mask_part, optimise, tables

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def committed():
    return json.loads((DOCS / "data" / "attention-supervision.json").read_text("utf-8"))


def test_page_shows_the_committed_numbers(committed):
    page = (DOCS / "attention-supervision.md").read_text("utf-8")
    for table in tables(committed):
        assert table in page


@pytest.mark.parametrize(("mode", "optimiser"), [("exact", "adam"), ("paper", "descent"), ("official", "adam")])
def test_committed_curves_are_reproducible(committed, mode, optimiser):
    fresh = optimise(mode, 0.15, optimiser, steps=3 * EVERY)
    assert fresh == pytest.approx(committed["mass"][optimiser][mode]["0.15"][:4], abs=0.01)


def test_committed_gradients_are_reproducible(committed):
    for mode in ("exact", "paper"):
        for tokens in (1, 3):
            assert mask_part(mode, tokens=tokens) == pytest.approx(committed["tokens"][mode][str(tokens)], rel=1e-2)


def test_the_numbers_say_what_the_page_says(committed):
    last = {
        (optimiser, mode): [curve[-1] for curve in curves.values()]
        for optimiser, modes in committed["mass"].items()
        for mode, curves in modes.items()
    }
    start = [curve[0] for curve in committed["mass"]["adam"]["exact"].values()]
    assert min(last["adam", "exact"] + last["descent", "exact"] + last["adam", "paper"]) >= 0.95
    for key in (("descent", "paper"), ("adam", "official"), ("descent", "official")):
        assert last[key] == pytest.approx(start, abs=0.01), key
    scale = committed["scale"]
    assert max(scale["exact"]) < 1.3 * min(scale["exact"])
    assert scale["paper"][-1] > 1e4 * scale["paper"][0]
    assert max(scale["official"]) < 1e-6
    assert committed["tokens"]["official"]["1"] == {"norm": 0, "mask_part": 0}
