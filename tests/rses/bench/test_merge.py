"""Shards: run apart, merged, and the same as the whole."""

from __future__ import annotations

import json

import pytest

from rses import RSES
from rses.bench import Shard, merge_runs, run_bench
from rses.errors import InputError


@pytest.fixture(scope="module")
def scorer():
    return RSES("rses-mini", device="cpu", metrics=["mse_bg", "boundary_mse"])


def shards(folder, scorer, count=3, **changes):
    runs = []
    for number in range(1, count + 1):
        out = folder / f"part-{number}"
        run_bench("jpeg-identity", "mini", out, scorer=scorer, limit=7, shard=Shard(number, count), **changes)
        runs.append(out)
    return runs


def test_merged_shards_equal_the_whole(tmp_path, scorer):
    whole = run_bench("jpeg-identity", "mini", tmp_path / "whole", scorer=scorer, limit=7)
    merged = merge_runs(shards(tmp_path, scorer), tmp_path / "merged")
    assert (tmp_path / "merged" / "samples.parquet").read_bytes() == (
        tmp_path / "whole" / "samples.parquet"
    ).read_bytes()
    assert merged.summary["metrics"] == whole.summary["metrics"]
    assert merged.info["generation"] == whole.info["generation"]
    for path in (tmp_path / "whole" / "images").iterdir():
        assert (tmp_path / "merged" / "images" / path.name).read_bytes() == path.read_bytes()


def test_what_does_not_belong_together_is_refused(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    with pytest.raises(InputError, match="hold 5 of 7 samples"):
        merge_runs(runs[:2], tmp_path / "merged")
    assert len(merge_runs(runs[:2], tmp_path / "partial", allow_missing=True).samples) == 5
    with pytest.raises(InputError, match="both hold 3 samples"):
        merge_runs([*runs, runs[0]], tmp_path / "merged")
    other = tmp_path / "other"
    run_bench("jpeg-identity", "mini", other, scorer=scorer, limit=7, shard=Shard(3, 3), seed=1)
    with pytest.raises(InputError, match="differs from .* in method_card"):
        merge_runs([*runs[:2], other], tmp_path / "merged")
    with pytest.raises(InputError, match="at least one"):
        merge_runs([], tmp_path / "merged")
    with pytest.raises(InputError, match="not a finished run"):
        merge_runs([tmp_path / "nowhere"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_edits_of_an_earlier_run_in_the_folder_give_way(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    run_bench("identity", "mini", tmp_path / "merged", scorer=scorer, limit=7)
    merge_runs(runs, tmp_path / "merged")
    for run in runs:
        for path in (run / "images").iterdir():
            assert (tmp_path / "merged" / "images" / path.name).read_bytes() == path.read_bytes()
    with pytest.raises(InputError, match="one of the runs to merge"):
        merge_runs(runs, runs[0])


def test_the_command_line_merges(tmp_path, scorer, capsys):
    from rses.cli.main import main

    runs = shards(tmp_path, scorer)
    assert main(["merge", *map(str, runs), "--out", str(tmp_path / "merged"), "--format", "json"]) == 0
    assert "7 samples of 3 runs" in capsys.readouterr().err
    summary = json.loads((tmp_path / "merged" / "summary.json").read_text())
    assert summary["coverage"]["n"] == 7


def test_merging_again_takes_the_new_edits(tmp_path, scorer):
    runs = shards(tmp_path / "old", scorer)
    merge_runs(runs, tmp_path / "merged")
    new = []
    for number in range(1, 4):
        new.append(tmp_path / f"new-{number}")
        run_bench("identity", "mini", new[-1], scorer=scorer, limit=7, shard=Shard(number, 3))
    merged = merge_runs(new, tmp_path / "merged")
    for part in new:
        for path in (part / "images").iterdir():
            assert (tmp_path / "merged" / "images" / path.name).read_bytes() == path.read_bytes()
    assert len(merged.samples) == 7
