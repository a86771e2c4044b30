"""The recipes of boards and experts: what is run, which samples are shown, what is written into the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark_data.recipes import boards
from benchmark_data.recipes.boards import SUITES, jobs_below
from benchmark_data.recipes.regionroute_mini.card import renew_card
from benchmark_data.recipes.regionroute_mini.sheet import by_hash
from regionroute.fitting import Fit
from regionroute.gate import Gate
from rses.methods import get_method
from rses.suites import load_suite

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("suite", SUITES)
def test_the_stored_submissions_are_those_that_the_recipe_runs(suite):
    jobs = [job for job in jobs_below(Path("runs")) if job.suite == suite]
    assert len({job.folder for job in jobs}) == len(jobs)
    names = {
        get_method(job.entry.method, **job.entry.options).card.name + (f"-seed{job.seed}" if job.seed else "")
        for job in jobs
    }
    stored = {path.name for path in (ROOT / "leaderboards" / "results" / f"{suite}--rses-mini").iterdir()}
    assert stored == names
    # Nothing may be downloaded for them.
    assert {job.entry.options.get("segmenter") for job in jobs if job.entry.method == "segment-then-paste"} == {
        "classical"
    }


def test_a_part_of_the_runs_is_named_by_the_beginning_of_its_folders(monkeypatch, tmp_path, capsys):
    ran = []
    monkeypatch.setattr(boards, "side_by_side", lambda work, jobs, workers, threads: ran.extend(jobs) or ())
    boards.main(["--out", str(tmp_path), "--only", "regionroute-routed"])
    assert {job.folder.name for job in ran} == {f"regionroute-routed-seed{seed}" for seed in (0, 1, 2)}
    assert {job.suite for job in ran} == set(SUITES)
    with pytest.raises(SystemExit):
        boards.main(["--out", str(tmp_path), "--only", "nothing"])
    assert "nothing" in capsys.readouterr().err


def test_the_samples_shown_depend_on_their_ids_alone():
    samples = load_suite("mini").samples
    chosen = by_hash(samples)
    assert len({sample.id for sample in chosen}) == 24
    assert by_hash(samples[::-1]) == chosen
    assert by_hash(samples, 4) == chosen[:4]
    assert len({sample.style for sample in chosen}) == 4


def test_the_card_of_the_experts_gets_table_and_gate_between_its_marks(tmp_path):
    card = ROOT / "benchmark_data" / "models" / "regionroute-mini" / "README.md"
    (tmp_path / "README.md").write_text(card.read_text("utf-8"), "utf-8")
    summaries = {"one": {"metrics": {"rsm": {"mean": 0.5, "low": 0.4, "high": 0.6}, "lpips_bg": {"mean": 0.25}}}}
    renew_card(tmp_path, summaries, Fit(Gate(3.5, -3.0), 0.6, 120))
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "| one | 0.5000 [0.4000, 0.6000] |  |  | 0.2500 |" in text
    assert "Slope 3.5, bias -3, attention of the first 2 steps; mean IoU **0.600** on 120 pairs" in text
    assert "| regionroute |" not in text
    assert text.splitlines()[0] == card.read_text("utf-8").splitlines()[0]
