"""One rule of best, second and tied, for boards, tables, reports and layers."""

from __future__ import annotations

import math

import pytest

from rses.report.columns import build_table
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.statistics import pareto_layers
from rses.statistics.order import marked_places, places, tied
from rses.table import METRICS

HALF = 0.1 + 1e-15


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (0.1, HALF, True), (0.0, 1e-17, True), (0.0, 2e-11, False), (1e-9, 2e-9, False), (30.0, 30.0 + 1e-9, True),
        (0.123456789, 0.123456790, False), (0.5, 0.5001, False), (-0.1, 0.1, False), (math.inf, math.inf, True),
    ],
)  # fmt: skip
def test_what_is_one_value(a, b, same):
    assert tied(a, b) == tied(b, a) == same


def test_places_have_no_gaps_and_ties_share_them():
    assert places([0.3, 0.1, HALF, None, math.nan, 0.2], higher_is_better=True) == [1, 3, 3, None, None, 2]
    assert places([0.3, 0.1, HALF, 0.2], higher_is_better=False) == [3, 1, 1, 2]
    assert places([], higher_is_better=True) == []


def test_small_steps_do_not_add_up_to_one_place():
    steps = [1 + number * 1.5e-9 for number in range(10)]
    assert places(steps, higher_is_better=True)[0] == 5
    assert places(steps, higher_is_better=True)[-1] == 1


def test_nobody_is_marked_where_all_are_equal():
    assert marked_places([0.1, HALF], [0, 0], higher_is_better=True) == [None, None]
    assert marked_places([0.1], [0], higher_is_better=True) == [None]
    assert marked_places([None, None], [4, 4], higher_is_better=True) == [None, None]


def test_perfect_throughout_is_beyond_every_mean():
    assert marked_places([None, 40.0, 50.0], [4, 0, 0], higher_is_better=True) == [1, 3, 2]
    # A mean over the imperfect samples alone ranks against none, but is not perfect throughout.
    assert marked_places([None, 40.0], [4, 2], higher_is_better=True) == [1, None]
    assert marked_places([40.0, 30.0, 20.0], [2, 0, 0], higher_is_better=True) == [None, 1, 2]


def test_reports_and_layers_follow_the_same_rule():
    def run(name, value):
        return Results([SampleResult(f"{number}", mse_bg=value) for number in range(12)], {"method": name})

    table = build_table([run("x", 0.1), run("y", HALF), run("z", 0.2)])
    assert [row.cells["mse_bg"].best for row in table.rows] == [True, True, False]
    tiny = build_table([run("x", 0.0), run("y", 2e-11)])
    assert [row.cells["mse_bg"].best for row in tiny.rows] == [True, False]
    up = [METRICS["rsm"].higher_is_better, METRICS["mse_bg"].higher_is_better]
    assert pareto_layers([(0.6, 0.1), (0.6, HALF), (0.6, 0.2)], up) == [1, 1, 2]
