"""Clusters, pairwise tests, ranks and layers: against references, and by simulation where a level is promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rses.statistics import (
    RESAMPLES,
    SEED,
    holm,
    mean_interval,
    mean_intervals,
    paired_difference,
    pairwise_tests,
    pareto_layers,
    rank_intervals,
)


@pytest.mark.parametrize("draw", [lambda rng: rng.exponential(size=40), lambda rng: rng.integers(0, 2, 30) * 1.0])
def test_interval_is_that_of_scipy(draw):
    values = draw(np.random.default_rng(5))
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(SEED)
    ).confidence_interval
    ours = mean_interval(values)
    assert ours == mean_interval(values)
    assert ours.low < ours.mean == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_many_clusters_are_drawn_in_blocks_to_the_same_effect():
    values = np.random.default_rng(3).normal(size=9000)
    interval, error = mean_interval(values), values.std(ddof=1) / np.sqrt(9000)
    assert (interval.high - interval.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.06)


def test_each_value_its_own_cluster_changes_nothing():
    values = np.random.default_rng(0).normal(size=25)
    assert mean_interval(values, clusters=list(range(25))) == mean_interval(values)
    with pytest.raises(ValueError, match="as many clusters"):
        mean_interval(values, clusters=["a"])


def clustered(rng, clusters=40, size=3, skewed=False):
    """Values around 0 whose clusters share half of the variance."""
    shared = rng.exponential(size=clusters) - 1 if skewed else rng.normal(size=clusters)
    return np.repeat(shared, size) + rng.normal(size=clusters * size)


@pytest.mark.parametrize("skewed", [False, True])
def test_clustered_interval_covers_95_percent_and_the_naive_one_does_not(skewed):
    rng, runs, names = np.random.default_rng(11), 1500, np.repeat(np.arange(40), 3).tolist()
    hits = naive = 0
    for _ in range(runs):
        values = clustered(rng, skewed=skewed)
        interval = mean_interval(values, clusters=names)
        hits += interval.low <= 0 <= interval.high
        if _ % 5 == 0:
            plain = mean_interval(values)
            naive += 5 * (plain.low <= 0 <= plain.high)
    assert 0.93 <= hits / runs <= 0.97
    assert naive / runs < 0.90


def test_single_samples_cover_95_percent():
    rng, runs = np.random.default_rng(13), 2000
    hits = sum(i.low <= 0 <= i.high for i in (mean_interval(rng.normal(size=60)) for _ in range(runs)))
    assert 0.93 <= hits / runs <= 0.97


def test_false_positives_keep_their_level():
    rng, runs, names = np.random.default_rng(17), 1000, np.repeat(np.arange(30), 3).tolist()
    p_values = [paired_difference(clustered(rng, 30), np.zeros(90), clusters=names).p_value for _ in range(runs)]
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.07


def test_equal_methods_are_rarely_separated_and_unequal_ones_are():
    rng, runs, wrong = np.random.default_rng(19), 200, 0
    for _ in range(runs):
        photo = rng.normal(size=30)
        ranks = rank_intervals(photo + rng.normal(size=(4, 30)), True)
        wrong += any((rank.low, rank.high) != (1, 4) for rank in ranks)
    assert wrong / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    shifted = photo + rng.normal(scale=0.1, size=(3, 30)) + np.array([[0.0], [0.0], [1.0]])
    assert [str(rank) for rank in rank_intervals(shifted, True)] == ["2-3", "2-3", "1"]
    assert [str(rank) for rank in rank_intervals(shifted, False)] == ["1-2", "1-2", "3"]


def test_pairs_are_tested_on_their_common_samples():
    rng = np.random.default_rng(23)
    values = rng.normal(size=(3, 40)) + np.array([[0.0], [0.8], [0.0]])
    values[0, :5] = np.nan
    values[2] = np.nan
    p_values = pairwise_tests(values)[0]
    # Three pairs, two of them without common samples, whose p-value is 1.
    assert p_values[0, 1] == pytest.approx(min(1, 3 * stats.wilcoxon(values[0, 5:] - values[1, 5:]).pvalue))
    assert p_values[0, 2] == p_values[1, 2] == 1
    assert rank_intervals(values, True)[2] is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_layers_against_the_definition(points):
    def dominates(p, q):
        return p != q and p[0] >= q[0] and p[1] <= q[1] and p[2] <= q[2]

    layers = pareto_layers(points, [True, False, False])
    for point, layer in zip(points, layers, strict=True):
        above = [other for p, other in zip(points, layers, strict=True) if dominates(p, point)]
        assert layer == 1 + max(above, default=0)


def test_quantities_that_share_their_draws_get_the_intervals_of_each_alone():
    rng, names = np.random.default_rng(29), np.repeat(np.arange(30), 3).tolist()
    values = np.stack([rng.normal(size=90), rng.exponential(size=90), np.full(90, 0.25)], axis=1)
    for together, column in zip(mean_intervals(values, clusters=names), values.T, strict=True):
        alone = mean_interval(column, clusters=names)
        assert (together.mean, together.n) == (alone.mean, 90)
        assert (together.low, together.high) == pytest.approx((alone.low, alone.high), abs=1e-12)
    with pytest.raises(ValueError, match="quantities"):
        mean_intervals(values[:, 0])


def test_many_pairs_at_once_give_the_p_values_of_each_alone():
    rng = np.random.default_rng(31)
    # Coarse values tie and cancel; some are missing; sixty clusters are beyond the exact distribution.
    values = rng.integers(0, 4, (8, 180)) / 4 + rng.integers(0, 2, (8, 1)) / 4
    values[1, ::7] = values[2, :9] = np.nan
    values[4] = values[3]
    names = np.repeat(np.arange(60), 3).tolist()
    found = pairwise_tests(values, names)[0]
    first, second = np.triu_indices(8, 1)
    expected = []
    for i, j in zip(first, second, strict=True):
        both = np.isfinite(values[i]) & np.isfinite(values[j])
        groups = [c for c, keep in zip(names, both, strict=True) if keep]
        expected.append(paired_difference(values[i][both], values[j][both], clusters=groups).p_value)
    assert found[first, second] == pytest.approx(holm(expected), rel=1e-9)
    assert found[3, 4] == 1


@pytest.mark.parametrize("repeats", [1, 2])  # exact distribution and normal approximation
def test_a_mean_that_a_few_samples_pull_against_the_test_separates_nothing(repeats):
    rng = np.random.default_rng(29)
    gains = np.concatenate([rng.normal(0.01, 0.002, 40), rng.normal(-0.2, 0.01, 4)] * repeats)
    base = rng.normal(0.5, 0.05, gains.size)
    difference = paired_difference(base + gains, base)
    assert difference.mean < 0
    assert difference.p_value < 0.001
    assert difference.direction == 1
    assert [str(rank) for rank in rank_intervals([base, base + gains], True)] == ["1-2", "1-2"]
    assert pairwise_tests([base, base + gains])[1].tolist() == [[0, -1], [1, 0]]


def test_many_observations_are_tested_as_scipy_does():
    rng = np.random.default_rng(31)
    table = rng.normal(size=(4, 90)) + np.array([[0.0], [0.3], [-0.3], [2.0]])
    table[:, :10] = 0
    p_values, directions = pairwise_tests(table)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    expected = holm([stats.wilcoxon(table[i] - table[j], zero_method="pratt").pvalue for i, j in pairs])
    assert [p_values[i, j] for i, j in pairs] == pytest.approx(expected, rel=1e-12)
    assert [directions[i, j] for i, j in pairs] == [int(np.sign(table[i].mean() - table[j].mean())) for i, j in pairs]


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0]])
def test_degenerate_samples_have_no_invented_width(values):
    interval = mean_interval(values)
    assert interval.mean == values[0]
    assert {interval.low, interval.high} <= {None, values[0]}


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [1.0, float("inf")]])
def test_undefined_values_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        mean_interval(values)


def test_pairs_of_one_length_and_their_correction():
    difference = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (difference.mean, difference.p_value) == (0.0, 1.0)
    with pytest.raises(ValueError, match="must match"):
        paired_difference([1.0, 2.0], [1.0])
    assert holm([0.5, 0.6, 0.01]) == [1.0, 1.0, 0.03]
    assert holm([]) == []
