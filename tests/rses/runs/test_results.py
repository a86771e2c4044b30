from __future__ import annotations

import json

import pytest

from rses import Results, SampleResult, load_run
from rses.errors import InputError
from rses.runs.summary import SCHEMA, mask_size_bin
from tests.helpers.refusals import refused


def samples() -> list[SampleResult]:
    return [
        SampleResult("a", style="x", mse_bg=0.1, psnr_bg=10.0, style_correct=True, mask_fraction=0.01, tags=("small",)),
        SampleResult("b", style="x", mse_bg=0.0, psnr_bg=float("inf"), style_correct=False, mask_fraction=0.1),
        SampleResult("c", style="y", mse_bg=0.2, psnr_bg=7.0, mask_fraction=0.5),
        SampleResult("d", style="y", status="missing"),
    ]


def test_save_and_load_lose_nothing(tmp_path):
    results = Results(samples(), {"method": "m", "suite": {"name": "s"}})
    results.save(tmp_path / "run")
    again = load_run(tmp_path / "run")
    assert again.samples == results.samples
    assert again.summary == results.summary


def test_summary_counts_and_groups():
    summary = Results(samples(), {}).summary
    assert summary["coverage"] == {"n": 3, "N": 4, "statuses": {"missing": 1, "ok": 3}}
    assert summary["metrics"]["mse_bg"]["mean"] == pytest.approx(0.1)
    assert summary["metrics"]["psnr_bg"]["mean"] == pytest.approx(8.5)
    assert summary["metrics"]["psnr_bg"]["perfect"] == 1
    assert summary["metrics"]["style_accuracy"]["n"] == 2
    sizes = {name: group["n"] for name, group in summary["by_mask_size"].items()}
    assert sizes == {"large": 1, "medium": 1, "small": 1}
    assert summary["by_style"]["y"]["n"] == 1
    json.dumps(summary, allow_nan=False)


def test_all_perfect_has_no_mean_instead_of_infinity():
    entry = Results([SampleResult("a", psnr_bg=float("inf"))], {}).summary["metrics"]["psnr_bg"]
    assert entry == {"mean": None, "low": None, "high": None, "n": 0, "perfect": 1}


def test_a_folder_that_is_no_run_says_what_is_missing(tmp_path):
    with refused(InputError, "missing-file"):
        load_run(tmp_path)


def test_a_newer_schema_is_refused(tmp_path):
    Results(samples(), {}).save(tmp_path)
    path = tmp_path / "summary.json"
    path.write_text(path.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99'))
    with pytest.raises(InputError, match="upgrade"):
        load_run(tmp_path)


def test_pandas_has_one_row_a_sample():
    frame = Results(samples(), {}).to_pandas()
    assert frame["id"].tolist() == ["a", "b", "c", "d"]
    assert frame["mse_bg"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("fraction", "name"),
    [(0.0, "small"), (0.0299, "small"), (0.03, "medium"), (0.1499, "medium"), (0.15, "large"), (1.0, "large")],
)
def test_mask_size_bin(fraction, name):
    assert mask_size_bin(fraction) == name
