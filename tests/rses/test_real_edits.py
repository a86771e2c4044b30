"""Twelve real edits whose order is known: `rses score` on a folder, as a user runs it."""

from __future__ import annotations

import pytest

from rses import RSES


@pytest.fixture(scope="module")
def scored(real_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    results = RSES("rses-mini", device="cpu").score_folder(
        real_data / "edits" / "pred", real_data / "edits" / "masks", out=out
    )
    return {sample.id: sample for sample in results.samples}, out


def group(scored, *prefixes):
    return [sample for name, sample in scored[0].items() if name.startswith(prefixes)]


@pytest.mark.parametrize("metric", ["lpips_bg", "mse_bg"])
def test_kept_backgrounds_beat_replaced_ones(scored, metric):
    kept = [getattr(sample, metric) for sample in group(scored, "remove", "fill")]
    replaced = [getattr(sample, metric) for sample in group(scored, "replace")]
    assert len(kept) == 6
    assert len(replaced) == 2
    assert max(kept) < min(replaced)


@pytest.mark.parametrize("metric", ["lpips_bg", "mse_bg"])
def test_local_styles_beat_the_one_that_restyled_the_background(scored, metric):
    local = [getattr(scored[0][name], metric) for name in ("cysmith_00017", "cysmith_02630", "titu_winter_wolf")]
    assert max(local) < getattr(scored[0]["cysmith_02390"], metric)


def test_everything_was_scored_and_written(scored):
    assert len(scored[0]) == 12
    assert all(sample.status == "ok" for sample in scored[0].values())
    written = {path.name for path in scored[1].iterdir() if not path.name.startswith(".")}
    assert written == {"samples.parquet", "summary.json", "journal.jsonl"}
