from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rses.statistics import holm, mean_interval, paired_difference


def test_interval_is_seeded_and_contains_the_mean():
    values = np.random.default_rng(0).exponential(size=60)
    first, second = mean_interval(values), mean_interval(values)
    assert first == second
    assert first.low < first.mean < first.high
    assert first.mean == pytest.approx(values.mean())


def test_interval_covers_the_truth_about_95_percent_of_the_time():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        interval = mean_interval(rng.normal(3.0, 1.0, 40))
        hits += interval.low <= 3.0 <= interval.high
    assert 0.91 <= hits / 300 <= 0.98


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0]])
def test_degenerate_samples_have_no_invented_width(values):
    interval = mean_interval(values)
    assert interval.mean == values[0]
    assert interval.low in (None, values[0])
    assert interval.high in (None, values[0])


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [1.0, float("inf")]])
def test_undefined_values_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        mean_interval(values)


def test_paired_difference_equals_wilcoxon():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.3, 1, 50), rng.normal(0, 1, 50)
    difference = paired_difference(a, b)
    assert difference.mean == pytest.approx((a - b).mean())
    assert difference.p_value == pytest.approx(stats.wilcoxon(a, b).pvalue)


def test_equal_methods_are_not_different():
    difference = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (difference.mean, difference.p_value) == (0.0, 1.0)


def test_paired_lengths_must_match():
    with pytest.raises(ValueError, match="must match"):
        paired_difference([1.0, 2.0], [1.0])


def test_holm_is_monotone_and_caps_at_one():
    assert holm([0.5, 0.6, 0.01]) == [1.0, 1.0, 0.03]
    assert holm([]) == []
