"""Runs scored again: the same to the bit, or what differs by column and sample; and several methods in one command."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rses import RSES
from rses.bench import run_bench
from rses.cli.main import main
from rses.images.tensors import write_png
from rses.leaderboard.again import Change, some_of, verify_run
from rses.runs.results import Results, load_run
from tests.rses.leaderboard.test_own_suite import suite as suite  # noqa: PLC0414

METRICS = "mse_bg,boundary_mse"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two methods with edits of four pictures, scored by one command."""
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    rng = np.random.default_rng(0)
    for name in "abcd":
        source = rng.integers(0, 200, (32, 32, 3), dtype=np.uint8)
        write_png(tmp_path / "images" / f"{name}.png", source)
        write_png(tmp_path / "masks" / f"{name}.png", mask)
        write_png(tmp_path / "edits" / "a=b" / f"{name}.png", source + np.uint8(3))
        write_png(tmp_path / "edits" / "other" / f"{name}.png", source + np.uint8(7))
    assert main([*score(), "--pred", "one=edits/a=b", "--pred", "two=edits/other", "--out", "runs"]) == 0
    return tmp_path


def score() -> list[str]:
    return ["score", "--masks", "masks", "--source", "images", "--metrics", METRICS, "--protocol", "rses-mini"]


def test_each_method_has_a_run_with_the_numbers_that_it_has_alone(place):
    assert main([*score(), "--pred", "edits/a=b", "--method-name", "one", "--out", "alone"]) == 0
    assert load_run("runs/one").samples == load_run("alone").samples
    runs = RSES("rses-mini", metrics=METRICS).score_folders(
        {"one": "edits/a=b", "two": "edits/other"}, masks="masks", source="images"
    )
    assert runs["two"].samples == load_run("runs/two").samples
    command = json.loads(Path("runs/two/inputs.json").read_text("utf-8"))["command"]
    assert command[0].startswith("rses score --masks masks --source images --metrics mse_bg,boundary_mse")


@pytest.mark.parametrize(
    "preds",
    [("x=edits/other", "x=edits/a=b"), ("edits/other", "x=edits/a=b"), ("../x=edits/other", "y=edits/a=b"),
     ("x=edits/none", "y=edits/other")],
)  # fmt: skip
def test_methods_that_cannot_be_told_apart_are_refused(place, preds, capsys):
    assert main([*score(), *(part for pred in preds for part in ("--pred", pred)), "--out", "new"]) == 2
    assert not Path("new").exists()


def test_unchanged_run_is_the_same(place, capsys):
    assert main(["verify", "runs/one"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("one: same, 4 samples scored again")
    assert "same     mse_bg, boundary_mse" in out
    assert "rses score" in out
    assert verify_run("runs/one", rescore=2).scored == 2


def test_changed_edit_is_named_by_column_and_sample(place, capsys):
    write_png(Path("edits/a=b/c.png"), np.zeros((32, 32, 3), np.uint8))
    assert main(["verify", "runs/one"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "mse_bg in" in line]
    assert "in 1 samples" in line
    assert ": c " in line
    assert "now" in line


def test_forged_number_and_summary_are_found(place):
    results = load_run("runs/one")
    forged = [dataclasses.replace(results.samples[0], mse_bg=0.0), *results.samples[1:]]
    summary = Path("runs/one/summary.json").read_bytes()
    Results(forged, results.info).save("runs/one")
    (change,) = verify_run("runs/one").changes
    assert (change.id, change.column, change.said) == ("a", "mse_bg", 0.0)
    results.save("runs/one")
    Path("runs/one/summary.json").write_bytes(summary.replace(b'"mean": 0.', b'"mean": 1.', 1))
    found = verify_run("runs/one")
    assert (found.changes, found.same) == ((), False)
    assert "summary.json: metrics" in str(found)


def test_rounding_is_told_from_a_difference():
    slight, large = Change("a", "lpips_bg", 0.1, 0.1 + 1e-9), Change("a", "lpips_bg", 0.1, 0.11)
    assert (slight.slight, large.slight, Change("a", "style_correct", True, False).slight) == (True, False, False)
    assert Change("a", "psnr_bg", None, 3.0).slight is False


def test_runs_of_the_bench_and_on_a_suite_are_scored_again(suite, tmp_path, capsys):
    scorer = RSES("rses-mini", device="cpu", metrics=METRICS)
    run_bench("identity", suite, tmp_path / "bench", scorer=scorer)
    found = verify_run(tmp_path / "bench", suite=suite)
    assert (found.scored, found.same, found.changes) == (4, True, ())
    shutil.rmtree(tmp_path / "bench" / "images")
    assert main(["verify", str(tmp_path / "bench"), "--suite", str(suite)]) == 2


def test_some_of_all():
    assert some_of("abc", None, None) == ["a", "b", "c"]
    assert len(some_of("abc", 2, 0)) == 2
