"""Shards: run apart, merged, and the same as the whole."""

from __future__ import annotations

import json
import shutil

import pytest

from rses import RSES
from rses.bench import Shard, merge_runs, run_bench
from rses.errors import InputError
from rses.suites import export_suite
from tests.helpers.refusals import refused


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
    with refused(InputError, "missing-samples"):
        merge_runs(runs[:2], tmp_path / "merged")
    assert len(merge_runs(runs[:2], tmp_path / "partial", allow_missing=True).samples) == 5
    with refused(InputError, "used-twice", "part-1"):
        merge_runs([*runs, runs[0]], tmp_path / "merged")
    other = tmp_path / "other"
    run_bench("jpeg-identity", "mini", other, scorer=scorer, limit=7, shard=Shard(3, 3), seed=1)
    with refused(InputError, "mismatch", "method_card"):
        merge_runs([*runs[:2], other], tmp_path / "merged")
    with refused(InputError, "missing-option"):
        merge_runs([], tmp_path / "merged")
    with refused(InputError, "missing-file", "nowhere"):
        merge_runs([tmp_path / "nowhere"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder): path.read_bytes() for path in files}


def holds_the_edits(folder, runs):
    edits = {path.name: path.read_bytes() for run in runs for path in (run / "images").iterdir()}
    return {path.name: path.read_bytes() for path in (folder / "images").iterdir()} == edits


def test_another_run_in_the_folder_is_replaced_only_when_asked(tmp_path, scorer):
    runs, target = shards(tmp_path, scorer), tmp_path / "merged"
    run_bench("identity", "mini", target, scorer=scorer, limit=9)
    before = contents(target)
    with refused(InputError, "already-there", "merged"):
        merge_runs(runs, target)
    assert contents(target) == before
    merge_runs(runs, target, fresh=True)
    assert holds_the_edits(target, runs)
    assert not (target / "generation.jsonl").exists()
    with refused(InputError, "overlap", "part-1"):
        merge_runs(runs, runs[0])


def test_a_suite_and_strange_pictures_are_never_replaced(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    export_suite("mini", tmp_path / "suite")
    before = contents(tmp_path / "suite")
    for fresh in (False, True):
        with refused(InputError, "overlap", "suite"):
            merge_runs(runs, tmp_path / "suite", fresh=fresh)
    assert contents(tmp_path / "suite") == before
    (tmp_path / "mine" / "images").mkdir(parents=True)
    name = next((runs[0] / "images").iterdir()).name
    (tmp_path / "mine" / "images" / name).write_bytes(b"mine")
    for fresh in (False, True):
        with refused(InputError, "unknown-file", "mine"):
            merge_runs(runs, tmp_path / "mine", fresh=fresh)
    # A merge that was killed before its results were written goes on.
    (tmp_path / "mine" / "images" / name).write_bytes((runs[0] / "images" / name).read_bytes())
    merge_runs(runs, tmp_path / "mine")
    assert holds_the_edits(tmp_path / "mine", runs)


def test_a_merge_inside_a_suite_or_a_folder_of_pictures_is_refused(tmp_path, scorer):
    runs = shards(tmp_path, scorer, 2)
    root = export_suite("mini", tmp_path / "suite")
    before = sorted(root.rglob("*"))
    for place, code in ((root / "images" / "merged", "overlap"), (runs[0].parent / "edits", "not-empty")):
        if place.name == "edits":
            shutil.copytree(root / "images", place)
        with refused(InputError, code, place):
            merge_runs(runs, place, fresh=True)
    assert sorted(root.rglob("*")) == before
    assert not (tmp_path / "edits" / "summary.json").exists()


def test_a_merge_inside_one_of_its_runs_is_refused(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    before = contents(runs[0])
    with refused(InputError, "overlap", "merged"):
        merge_runs(runs, runs[0] / "images" / "merged")
    assert contents(runs[0]) == before


def test_the_command_line_merges(tmp_path, scorer, capsys):
    from rses.cli.main import main

    runs = shards(tmp_path, scorer)
    assert main(["merge", *map(str, runs), "--out", str(tmp_path / "merged"), "--format", "json"]) == 0
    assert "7 samples of 3 runs" in capsys.readouterr().err
    summary = json.loads((tmp_path / "merged" / "summary.json").read_text())
    assert summary["coverage"]["n"] == 7


def test_merging_again_takes_the_new_edits(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    merge_runs(runs, tmp_path / "merged")
    kept = tmp_path / "merged" / "images" / next((runs[0] / "images").iterdir()).name
    kept.unlink()
    kept.write_bytes(b"another edit of before")
    merge_runs(runs, tmp_path / "merged")
    assert holds_the_edits(tmp_path / "merged", runs)
    others = []
    for number in range(1, 4):
        others.append(tmp_path / f"new-{number}")
        run_bench("identity", "mini", others[-1], scorer=scorer, limit=7, shard=Shard(number, 3))
    with refused(InputError, "already-there", "merged"):
        merge_runs(others, tmp_path / "merged")
    assert holds_the_edits(tmp_path / "merged", runs)
    assert len(merge_runs(others, tmp_path / "merged", fresh=True).samples) == 7
    assert holds_the_edits(tmp_path / "merged", others)


def test_shards_of_other_libraries_are_refused(tmp_path, scorer):
    runs = shards(tmp_path, scorer)
    for number, run in enumerate(runs):
        summary = json.loads((run / "summary.json").read_text())
        summary["info"]["generation"] |= {"loaded": {"sha256": "aa"}, "versions": {"diffusers": f"0.{number // 2}"}}
        (run / "summary.json").write_text(json.dumps(summary))
    with refused(InputError, "mismatch", "generation.versions"):
        merge_runs(runs, tmp_path / "merged")
