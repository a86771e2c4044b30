"""Properties of the number that tables are sorted by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rses.functional.combined import preservation, regional_score, style_success
from rses.statistics import mean_interval

gains = st.floats(-1, 1)
distances = st.floats(0, 3)
scales = st.sampled_from([8.867, 100.0])


def score(gain: float, distance: float, scale: float = 100.0) -> float:
    return regional_score(style_success(gain, scale), preservation(distance))


@given(gains, distances, scales)
def test_it_lies_between_minus_one_and_one(gain, distance, scale):
    assert -1 < score(gain, distance, scale) < 1


@given(distances, scales)
def test_no_change_of_style_scores_exactly_0(distance, scale):
    assert score(0.0, distance, scale) == 0


@given(gains, st.floats(1, 100), scales)
def test_any_style_over_a_destroyed_background_scores_exactly_0(gain, distance, scale):
    assert score(gain, distance, scale) == 0


@given(gains, gains, distances, distances, scales)
def test_it_is_monotone_in_each_part(gain, other, distance, further, scale):
    """More style is never worse; a better kept background makes gained style count more, and lost style no less."""
    low, high = sorted((gain, other))
    assert score(low, distance, scale) <= score(high, distance, scale)
    near, far = sorted((distance, further))
    assert abs(score(gain, near, scale)) >= abs(score(gain, far, scale))


@given(st.lists(st.tuples(gains, distances), min_size=6, max_size=40), scales)
def test_gains_of_mean_zero_score_zero_within_the_interval(samples, scale):
    """What changes no style moves cosines to both sides; cut off at 0, half of the noise was rewarded."""
    values = [score(side * gain, distance, scale) for gain, distance in samples for side in (1, -1)]
    interval = mean_interval(values, clusters=[number for number, _ in enumerate(samples) for _ in range(2)])
    assert interval.mean == pytest.approx(0, abs=1e-12)
    assert interval.low - 1e-12 <= 0 <= interval.high + 1e-12


def test_noise_of_nuisances_scores_zero_within_the_interval():
    rng = np.random.default_rng(0)
    values = [score(gain, 0.05, 8.867) for gain in rng.normal(0, 0.03, 96)]
    interval = mean_interval(values)
    assert interval.low < 0 < interval.high
    assert abs(interval.mean) < 0.06
    assert np.mean(np.maximum(values, 0)) > 0.08  # what the cut-off made of the same noise


def test_half_perfect_and_half_destroyed_samples_are_not_rewarded():
    """One half restyled over ruins, the other kept without style: each part has mean 1/2, the score none."""
    gain, distance = [0.2, 0.0] * 8, [2.0, 0.0] * 8
    success = np.mean([style_success(g, 100) for g in gain])
    kept = np.mean([preservation(d) for d in distance])
    assert (success, kept) == (pytest.approx(0.5), pytest.approx(0.5))
    assert np.mean([score(g, d) for g, d in zip(gain, distance, strict=True)]) == 0


@pytest.mark.parametrize(
    ("gain", "distance", "expected"),
    [
        (0.0, 0.0, 0.0),
        (0.01, 0.0, 0.7616),
        (0.01, 0.4, 0.4570),
        (-0.01, 0.0, -0.7616),
        (0.05, 0.1, 0.8999),
        (0.1, 1, 0),
    ],
)
def test_worked_examples_of_the_documentation(gain, distance, expected):
    assert score(gain, distance) == pytest.approx(expected, abs=5e-5)
