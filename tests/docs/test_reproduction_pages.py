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


def mixtures(name):
    """Share of answers in the style asked for, by which of style words, other words and pooled vector ask for it."""
    rows = json.loads((DOCS / "data" / f"{name}.json").read_text())["mixtures"]
    return {(own["style words"], own["other words"], own["pooled"]): own["asked"] for own in rows}


def test_on_this_edition_the_other_words_are_the_road_of_the_style():
    share = mixtures("style-route")
    for parts, asked in share.items():
        assert asked > 0.9 if parts[1] else asked < 0.1
    page = (DOCS / "reproduction.md").read_text("utf-8")
    for parts, asked in share.items():
        cells = " | ".join("asked" if part else "other" for part in parts)
        assert f"| {cells} | {asked:.2f} |" in page


def test_on_the_first_edition_the_style_words_are_not_the_road_of_the_style():
    share = mixtures("style-route-first-edition")
    for others in ((True, True), (True, False), (False, True), (False, False)):
        assert abs(share[(True, *others)] - share[(False, *others)]) < 0.1
    assert share[False, False, True] - share[True, True, False] > 0.2


def test_on_this_edition_the_losses_help_routed_editing_and_not_plain_editing():
    rows = load_rows(DOCS / "data" / "reproduction.parquet")

    def less(name, other, metric):
        return paired_difference(per_sample(rows, name, metric), per_sample(rows, other, metric))

    for name in ("base", "full", "none", "official", "routed-full", "routed-none", "routed-official", "routed-finder"):
        assert [len(rows[name, seed]) for seed in range(3)] == [96] * 3
    for name in ("rank-8", "double", "single", "routed-base", "true-mask"):
        assert len(rows[name, 0]) == 96
    assert less("full", "none", "mass").low > 0.2
    assert all(value > 0 for value in by_seed(rows, "full", "none", "lpips_bg"))
    for metric in ("rsm", "lpips_bg", "mse_bg_pm1"):
        assert abs(less("official", "none", metric).mean) < 0.001
    assert less("routed-full", "routed-none", "iou").low > 0
    assert less("routed-full", "routed-official", "iou").low > 0
    assert less("routed-full", "routed-none", "lpips_bg").high < 0
    assert less("routed-full", "routed-none", "rses_p").low < 0 < less("routed-full", "routed-none", "rses_p").high
    assert less("routed-finder", "routed-full", "lpips_bg").high < 0
    assert less("routed-finder", "routed-none", "rses_p").low > 0
