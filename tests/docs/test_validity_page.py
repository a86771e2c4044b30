"""docs/validity.md holds what was measured with the present weights; ``benchmark_data.recipes.validity`` renews it."""

from __future__ import annotations

import json

import pytest

from benchmark_data.recipes.validity import DATA, LIMIT, PAGE, SUITES, floors
from rses.backbones import load_style
from rses.protocol import get_protocol
from rses.table import METRICS


@pytest.fixture(scope="module")
def content():
    return json.loads(DATA.read_text("utf-8"))


@pytest.mark.parametrize("suite", SUITES)
def test_numbers_are_of_the_present_weights(content, suite):
    info = content[suite]["info"]
    assert info["weights"]["style"]["sha256"] == load_style("rses-mini").sha256
    assert info["protocol"]["hash"] == get_protocol("rses-mini").hash
    assert content[suite]["samples"] == LIMIT


def test_the_page_says_what_was_measured():
    text = PAGE.read_text("utf-8")
    assert floors().markdown() in text
    content = json.loads(DATA.read_text("utf-8"))
    for suite in SUITES:
        for name, facts in content[suite]["verdicts"].items():
            counts = [
                f"{good} of {most}" for good, most in (facts[kind] for kind in ("monotone", "sensitive", "blind"))
            ]
            title = METRICS[name].title.replace("_", "\\_").replace("[", "\\[").replace("]", "\\]")
            assert " | ".join([f"| {title}", *counts, ", ".join(facts["fails"]) or "nowhere"]) in text
        assert content[suite]["info"]["weights"]["style"]["sha256"] in text
    for row in content["photographs"]:
        shares = [f"{row[name]:.0%}" for name in ("rises", "nearest", "leaks")]
        assert " | ".join([f"| {row['name']}", row["style"], *shares]) in text
