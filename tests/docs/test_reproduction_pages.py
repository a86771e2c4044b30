"""The pages of the reproduction: their tables follow from the committed rows, and their words from their tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark_data.recipes.reproduce.plan import CONFIGURATIONS
from benchmark_data.recipes.reproduce.rows import load_rows
from benchmark_data.recipes.reproduce.study import render_study
from benchmark_data.recipes.reproduce.table import by_seed, per_sample
from rses.report.marked import marks
from rses.statistics import paired_difference

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def rows():
    return load_rows(DOCS / "data" / "reproduction-first-edition.parquet")


@pytest.mark.parametrize("name", ["reproduction", "reproduction-first-edition"])
def test_the_tables_follow_from_the_rows(name):
    page = (DOCS / f"{name}.md").read_text("utf-8")
    begin, end = marks("study")
    assert page.partition(begin)[2].partition(end)[0].strip() == render_study(
        load_rows(DOCS / "data" / f"{name}.parquet")
    )


def test_every_configuration_of_the_first_edition_has_three_seeds_of_the_whole_suite(rows):
    # Side rows, too.
    for name in (*(own.name for own in CONFIGURATIONS), "no-focus", "no-cover", "rank-16"):
        for seed in range(3):
            assert len(rows[name, seed]) == 96
    same = [row["rsm"] for row in rows["full", 0]] == [row["rsm"] for row in rows["full", 1]]
    assert not same


def test_on_the_first_edition_the_losses_move_the_attention_and_not_the_background(rows):
    def mean(name, metric):
        return float(np.mean(per_sample(rows, name, metric)))

    assert mean("full", "mass") > 2 * mean("none", "mass")
    assert abs(mean("official", "mass") - mean("none", "mass")) < 0.01
    assert all(abs(value) < 0.011 for value in by_seed(rows, "full", "none", "lpips_bg"))


def test_on_the_first_edition_the_style_words_are_not_the_road_of_the_style():
    mixtures = json.loads((DOCS / "data" / "style-route-first-edition.json").read_text())["mixtures"]
    share = {(own["style words"], own["other words"], own["pooled"]): own["asked"] for own in mixtures}
    for others in ((True, True), (True, False), (False, True), (False, False)):
        assert abs(share[(True, *others)] - share[(False, *others)]) < 0.1
    assert share[False, False, True] - share[True, True, False] > 0.2


def test_on_this_edition_the_losses_help_routed_editing_and_not_plain_editing():
    rows = load_rows(DOCS / "data" / "reproduction.parquet")

    def less(name, other, metric):
        return paired_difference(per_sample(rows, name, metric), per_sample(rows, other, metric))

    assert less("full", "none", "mass").low > 0.2
    assert less("full", "none", "lpips_bg").mean > 0
    assert less("routed-full", "routed-none", "iou").low > 0
    assert less("routed-full", "routed-none", "lpips_bg").high < 0
    assert less("routed-full", "routed-none", "rses_p").low < 0 < less("routed-full", "routed-none", "rses_p").high
    assert less("routed-finder", "routed-full", "lpips_bg").high < 0
