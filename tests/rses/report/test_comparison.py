"""Paired differences against scipy by hand, and in every format."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from rses.errors import InputError
from rses.report.comparison import compare_runs, render_comparison
from rses.report.tables import FORMATS
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from tests.helpers.refusals import refused

RNG = np.random.default_rng(0)
BASE = RNG.uniform(0.1, 0.2, 30)
NOISE = RNG.normal(0.02, 0.005, 30)


def run(name: str, mse, ssim=None) -> Results:
    samples = [
        SampleResult(f"s{i:02d}", mse_bg=float(v), ssim_bg=None if ssim is None else float(ssim[i]))
        for i, v in enumerate(mse)
    ]
    return Results(samples, {"method": name})


def test_difference_and_p_value_are_those_of_scipy():
    comparison = compare_runs([run("a", BASE, BASE), run("b", BASE + NOISE, BASE)])
    mse, ssim = comparison.differences
    assert (mse.metric, ssim.metric) == ("mse_bg", "ssim_bg")
    assert mse.mean == pytest.approx(NOISE.mean())
    assert mse.low < NOISE.mean() < mse.high
    assert mse.p_value == pytest.approx(stats.wilcoxon(NOISE).pvalue)
    assert mse.p_corrected == pytest.approx(2 * mse.p_value)
    assert mse.verdict == "worse"
    assert (ssim.mean, ssim.p_corrected, ssim.verdict) == (0.0, 1.0, "")


def test_no_verdict_where_a_few_samples_pull_the_mean_against_the_test():
    gains = np.concatenate([np.full(40, -0.001) - NOISE.mean() / 1000 * np.arange(40), np.full(4, 0.2)])
    base = RNG.uniform(0.1, 0.2, gains.size)
    (mse,) = compare_runs([run("a", base), run("b", base + gains)]).differences
    assert mse.mean > 0
    assert mse.p_corrected < 0.001
    assert mse.verdict == ""


@pytest.mark.parametrize("what", [{"style": "line art"}, {"source": "y.png"}, {"mask_fraction": 0.2}])
def test_equal_ids_of_different_samples_are_not_compared(what):
    facts = {"style": "pixel art", "source": "x.png", "mask_fraction": 0.1}
    first = Results([SampleResult("s", mse_bg=0.1, **facts)], {"method": "a"})
    with refused(InputError, "mismatch", next(iter(what))):
        compare_runs([first, Results([SampleResult("s", mse_bg=0.2, **(facts | what))], {"method": "b"})])
    unknown = Results([SampleResult("s", mse_bg=0.2)], {"method": "b"})
    assert compare_runs([first, unknown]).common == 1


def test_only_common_samples_and_finite_pairs_count():
    first = Results([SampleResult("x", psnr_bg=30.0), SampleResult("y", psnr_bg=float("inf")), SampleResult("z")])
    second = Results([SampleResult("x", psnr_bg=31.0), SampleResult("y", psnr_bg=40.0), SampleResult("w")])
    comparison = compare_runs([first, second])
    assert (comparison.common, comparison.left_out) == (2, 2)
    (psnr,) = comparison.differences
    assert (psnr.metric, psnr.mean, psnr.n) == ("psnr_bg", 1.0, 1)


def test_every_format_says_the_same():
    comparison = compare_runs([run("a", BASE), run("=b|", BASE - NOISE)])
    texts = {format: render_comparison(comparison, format) for format in FORMATS}
    assert json.loads(texts["json"])["differences"][0]["mean"] == comparison.differences[0].mean
    row = next(csv.DictReader(io.StringIO(texts["csv"])))
    assert float(row["difference"]) == comparison.differences[0].mean
    assert (row["run"], row["verdict"]) == ("'=b|", "better")
    for format in ("table", "markdown", "latex"):
        assert f"{comparison.differences[0].mean:.5f}" in texts[format]
        assert "better" in texts[format]


def test_what_cannot_be_compared():
    with refused(InputError, "missing-option"):
        compare_runs([run("a", BASE)])
    other = Results([SampleResult("q", mse_bg=0.1)], {"method": "b"})
    with refused(InputError, "mismatch"):
        compare_runs([run("a", BASE), other])
