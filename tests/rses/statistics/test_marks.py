"""What a table marks, and what it says of few observations and of shares of 0 and 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rses.report.columns import build_table
from rses.report.comparison import compare_runs
from rses.report.tables import render
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.summary import aggregate
from rses.statistics import marks, mean_interval, sure_order, toward_zero


def run(name: str, values, metric: str = "rses_p", protocol: str = "rses-v1", **card) -> Results:
    samples = [SampleResult(f"{i:02}", **{metric: float(v)}) for i, v in enumerate(values)]
    return Results(samples, {"method": name, "protocol": {"id": protocol}, "method_card": card, "metrics": [metric]})


NOISE = np.random.default_rng(0).normal(0, 0.1, 24)


def best(*runs: Results) -> list[bool]:
    table = build_table(runs)
    return [row.cells[table.metrics[0].name].best for row in table.rows]


def test_the_best_and_all_that_cannot_be_told_from_it_are_marked():
    assert best(run("a", NOISE), run("b", NOISE + 0.5), run("c", NOISE[::-1] + 0.51)) == [False, True, True]


def test_nothing_is_marked_where_nothing_can_be_told_apart():
    assert best(run("a", NOISE), run("b", NOISE[::-1] + 0.01)) == [False, False]
    # With five photographs no test is sure, however far the means lie apart.
    assert best(run("a", NOISE[:5]), run("b", NOISE[:5] + 9)) == [False, False]


def test_leakage_is_best_closest_to_0():
    low, none, high = (
        run(name, NOISE / 9 + shift, "leakage") for name, shift in (("l", -0.5), ("n", 0.01), ("h", 0.3))
    )
    assert best(low, none, high) == [False, True, False]
    assert toward_zero(np.array([[-0.2, -0.4], [0.1, 0.3]])).tolist() == [[0.2, 0.4], [0.1, 0.3]]
    verdicts = {d.run: d.verdict for d in compare_runs([low, none, high]).differences}
    assert verdicts == {"n": "better", "h": "better"}
    assert compare_runs([none, low]).differences[0].verdict == "worse"


def test_a_perfect_background_is_told_from_every_other():
    order = sure_order([[math.inf] * 20, 30 + NOISE[:20]], higher_is_better=True)
    assert order.tolist() == [[0, 1], [-1, 0]]


@pytest.mark.parametrize(
    ("placed", "worse", "expected"),
    [
        ([1, 2, 3], [], [None] * 3),
        ([1, 2, 3], [(2, 0)], [1, 1, 2]),
        ([3, 2, 1], [(0, 2), (1, 2)], [2, 2, 1]),
        ([3, 2, 1], [(0, 2), (1, 2), (0, 1)], [None, 2, 1]),
        ([1, None, 2], [(2, 0)], [1, None, 2]),
        ([None, None], [], [None, None]),
    ],
)
def test_marks(placed, worse, expected):
    order = np.zeros((len(placed), len(placed)))
    for i, j in worse:
        order[i, j], order[j, i] = -1, 1
    assert marks(placed, order) == expected


@pytest.mark.parametrize("share", [0, 1])
def test_shares_of_0_and_1_have_the_interval_of_wilson_over_source_images(share):
    samples = [SampleResult(f"{i}", source=f"{i // 2}.png", style_correct=bool(share)) for i in range(20)]
    entry = aggregate(samples)["style_accuracy"]
    expected = stats.binomtest(10 * share, 10).proportion_ci(method="wilson")
    assert (entry["low"], entry["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    # A quantity that is 0 throughout is 0.
    assert aggregate([SampleResult(f"{i}", mse_bg=0.0) for i in range(9)])["mse_bg"]["high"] == 0


def test_fewer_than_six_source_images_give_no_interval_and_say_so():
    assert mean_interval(NOISE[:5]).low is None
    assert mean_interval(NOISE[:6]).low is not None
    assert mean_interval(NOISE[:20], clusters=[i % 5 for i in range(20)]).high is None
    note = "No interval from fewer than six source images."
    assert (note in render([run("a", NOISE[:5])]), note in render([run("a", NOISE[:6])])) == (True, False)


@pytest.mark.parametrize("format", ["table", "markdown", "latex"])
def test_every_table_of_the_embedded_encoder_says_what_it_is(format):
    toy = "Embedded toy encoder, not for publication."
    for protocol, said in (("rses-mini", True), ("rses-mini+custom", True), ("rses-v1", False)):
        runs = [run("a", NOISE, protocol=protocol), run("b", NOISE, protocol=protocol)]
        assert (toy in render(runs, format)) == said
        assert (toy in render(runs[:1], format)) == said
    if format == "latex":
        printed = [
            line for line in render([run("a", NOISE, protocol="rses-mini")], format).splitlines() if line[0] != "%"
        ]
        assert toy in "\n".join(printed)
