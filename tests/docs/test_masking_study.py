"""docs/why-masking-matters.md: the committed numbers are those that the code gives, and say what the page says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmark_data.recipes.masking_study import COLUMNS, study

FILE = Path(__file__).resolve().parents[2] / "docs" / "data" / "masking_study.csv"


@pytest.fixture(scope="module")
def committed():
    with FILE.open() as stream:
        return list(csv.DictReader(stream))


def series(rows, column, photo):
    return [float(row[column]) for row in rows if row["photo"] == photo]


def test_committed_numbers_are_reproducible(committed):
    fresh = list(study(photos=["chelsea"], areas=[0.05, 0.75]))
    old = [row for row in committed if row["photo"] == "chelsea" and row["area"] in ("0.05", "0.75")]
    for new, frozen in zip(fresh, old, strict=True):
        for name in COLUMNS[2:]:
            expected = float(frozen[name])
            assert new[name] == pytest.approx(expected, rel=1e-3, nan_ok=True), name


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "chelsea"])
def test_only_the_undiluted_metrics_stay_level(committed, photo):
    psnr, pie, brush = (series(committed, name, photo) for name in ("psnr", "psnr_pie", "psnr_brushbench"))
    assert max(psnr) - min(psnr) < 0.5
    assert pie[-1] - pie[0] > 9
    assert all(a - b == pytest.approx(4.77, abs=0.01) for a, b in zip(psnr, brush, strict=True))
    pie_ssim = series(committed, "ssim_pie", photo)
    assert pie_ssim[-1] - pie_ssim[0] > 0.15
    mse, diluted = series(committed, "mse", photo), series(committed, "mse_pie", photo)
    assert max(mse) / min(mse) < 1.1
    assert diluted[0] / diluted[-1] > 8


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "chelsea"])
def test_lpips_blackout_is_diluted_and_neutral_is_not(committed, photo):
    neutral = series(committed, "lpips_neutral", photo)
    blackout = series(committed, "lpips_blackout", photo)
    unmasked = series(committed, "lpips_unmasked", photo)[0]
    assert blackout[0] / blackout[-1] > 3
    # Up to 75 % of the image; beyond, the background is a strip and every cell also sees equal pixels.
    assert all(abs(value / unmasked - 1) < 0.35 for value in neutral[:4])
