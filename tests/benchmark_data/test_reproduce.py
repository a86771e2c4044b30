"""The reproduction, end to end on a tiny base model, and its table from made-up rows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmark_data.recipes.reproduce.pairs import FINDER_SEED, build_finder_scenes
from benchmark_data.recipes.reproduce.plan import CONFIGURATIONS, ROUTED, TRIALS, choose
from benchmark_data.recipes.reproduce.rows import load_rows, read_rows
from benchmark_data.recipes.reproduce.run import Job, training_config
from benchmark_data.recipes.reproduce.study import run_study
from benchmark_data.recipes.reproduce.table import render_hypotheses, render_table, render_trials
from benchmark_data.scenes import make_scene
from regionroute.fitting import mask_iou
from regionroute.pipeline import RegionRoutePipeline
from regionroute.styles import find_style
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.methods import sample_seed
from rses.suites import load_suite, write_manifest
from tests.helpers.refusals import refused


@pytest.fixture
def small_suite(tmp_path):
    """Four samples of the embedded suite, one per style."""
    whole, folder, rows = load_suite("mini"), tmp_path / "suite", []
    for sample in whole.samples[::24]:
        for kind, path in (("images", sample.image), ("masks", sample.mask)):
            write_png(folder / kind / f"{sample.id}.png", read_image(path))
        rows.append(
            {"id": sample.id, "file_name": f"images/{sample.id}.png", "mask_file_name": f"masks/{sample.id}.png",
             "object": sample.object, "style": sample.style, "prompt": sample.prompt, "dataset": "d", "tags": []}
        )  # fmt: skip
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "README.md").write_text("Four.")
    write_manifest(folder, "four", "1", "CC0-1.0")
    return folder


@pytest.mark.slow
def test_a_study_runs_and_goes_on(small_suite, tiny_kontext, tmp_path):
    changes = (
        f"model.base={tiny_kontext}", "data.resolution=64", "optimiser.steps=2", "optimiser.batch_size=2",
        "run.checkpoint_every=2",
    )  # fmt: skip
    said: list[str] = []
    options = {"seeds": 1, "scenes": 2, "changes": changes, "threads": 1, "say": said.append}
    text = run_study(tmp_path / "out", str(small_suite), ["base", "full", "none"], **options)
    assert text.count("| kontext-mini as it is | 1 |") == 1
    assert "exact supervision beats none" in text
    rows = load_rows(tmp_path / "out" / "rows.parquet")
    assert rows == read_rows(tmp_path / "out")
    assert {key: len(own) for key, own in rows.items()} == {("base", 0): 4, ("full", 0): 4, ("none", 0): 4}
    assert all(0 < row["mass"] < 1 and row["mse_bg_pm1"] > 0 for own in rows.values() for row in own)
    assert sum(": training" in line for line in said) == 8
    said.clear()
    assert run_study(tmp_path / "out", str(small_suite), ["base", "full", "none"], **options) == text
    assert not any("training pixel" in line or "editing" in line for line in said)
    assert run_study(tmp_path / "out", str(small_suite), ["base", "full", "none"], **options, workers=2) == text
    text = run_study(tmp_path / "out", str(small_suite), ["guided-full"], **options)
    assert "| full, true CFG 1.5 | base |" in text
    assert text.count("| kontext-mini as it is | 1 |") == 1
    assert not (tmp_path / "out" / "guided-full" / "seed-0" / "training").exists()
    assert len(load_rows(tmp_path / "out" / "rows.parquet")) == 4
    text = run_study(tmp_path / "out", str(small_suite), ["routed-full", "routed-base", "true-mask"], **options)
    rows = read_rows(tmp_path / "out")
    assert all(0 <= row["iou"] <= 1 and 0 < row["mass"] < 1 for row in rows["routed-full", 0])
    assert all(row["iou"] is None and row["mass"] is None for row in rows["true-mask", 0])
    # Nothing outside the true mask, on which the suite's pictures are 128 pixels wide, is touched.
    assert all(row["mse_bg_pm1"] == 0 for row in rows["true-mask", 0])
    assert (tmp_path / "out" / "full" / "seed-0" / "gate.json").exists()
    assert (tmp_path / "out" / "routed-base" / "seed-0" / "gate.json").exists()
    assert "| routed, experts of `full` | full |" in text
    with pytest.raises(InputError, match="other settings"):
        run_study(tmp_path / "out", str(small_suite), None, **{**options, "scenes": 3})


@pytest.mark.slow
def test_the_finders_row_is_routed_editing_as_it_is_embedded(small_suite, tmp_path):
    options = {"seeds": 1, "scenes": 2, "changes": (), "threads": 1, "say": print}
    run_study(tmp_path / "out", str(small_suite), ["routed-finder"], **options)
    rows = read_rows(tmp_path / "out")["routed-finder", 0]
    samples = load_suite(str(small_suite)).samples
    edits = RegionRoutePipeline.from_pretrained("mini").edit(
        [read_image(sample.image) for sample in samples], [sample.prompt for sample in samples],
        seeds=[sample_seed(0, sample.id) for sample in samples], routed=True,
    )  # fmt: skip
    for row, sample, edit in zip(rows, samples, edits, strict=True):
        assert row["iou"] == pytest.approx(mask_iou(edit.mask, read_mask(sample.mask)), abs=1e-3)


def test_the_finders_scenes_have_a_mask_for_every_object(tmp_path):
    samples = load_suite(str(build_finder_scenes(tmp_path / "scenes", 6))).samples
    scenes = [make_scene(FINDER_SEED + number, 128) for number in range(6)]
    wanted = [
        (thing.label, thing.mask > 0.5) for scene in scenes for thing in scene.objects if (thing.mask > 0.5).sum() >= 20
    ]
    assert [sample.object for sample in samples] == [label for label, _ in wanted]
    assert all(np.array_equal(read_mask(s.mask), mask) for s, (_, mask) in zip(samples, wanted, strict=True))
    assert {find_style(sample.prompt).style for sample in samples} > {"pixel art"}
    # No two questions about one scene have the same words.
    assert len({(sample.image, sample.object) for sample in samples}) == len(samples)
    assert not {sample.image.name for sample in samples} - {f"scene-{number:04d}.png" for number in range(6)}


def test_changes_that_nothing_can_be_trained_with_bind_no_folder(small_suite, tmp_path):
    options = {"seeds": 1, "scenes": 2, "threads": 1, "say": print}
    with refused(InputError, "unknown-key", "optimiser.stepz"):
        run_study(tmp_path / "out", str(small_suite), ["full"], changes=("optimiser.stepz=1",), **options)
    assert not (tmp_path / "out").exists()


def test_what_defines_a_row_wins_over_what_is_asked_of_all(tmp_path):
    asked = ("optimiser.steps=50", "attention.focus=0.5", "expert.rank=2")
    suite = load_suite("mini")
    for own in CONFIGURATIONS:
        config = training_config(Job(own, 0, tmp_path, tmp_path, suite, tmp_path, asked), "pixel art").to_dict()
        for key, value in own.changes.items():
            table, name = key.split(".")
            assert config[table][name] == value, (own, key)
        assert config["optimiser"]["steps"] == own.changes.get("optimiser.steps", 50)


def made_up(shift: dict[str, float]):
    rng = np.random.default_rng(0)
    rows = {}
    for name, value in shift.items():
        for seed in range(2):
            rows[name, seed] = [
                {"id": f"s{i}", "rsm": 0.6 + 0.01 * rng.random(), "lpips_bg": value + 0.01 * rng.random(),
                 "mse_bg_pm1": value + 0.01 * rng.random(), "style_correct": 1.0, "object_error": 0.1, "mass": 0.3}
                for i in range(20)
            ]  # fmt: skip
    return rows


def test_verdicts_follow_the_numbers():
    good = render_hypotheses(made_up({"base": 0.4, "full": 0.1, "none": 0.2, "official": 0.2}))
    assert good.count("| yes |") == 7
    bad = render_hypotheses(made_up({"base": 0.4, "full": 0.3, "none": 0.2, "official": 0.1}))
    assert bad.count("| **no** |") == 6
    table = render_table(made_up({"base": 0.4, "full": 0.1}))
    # Nobody measured an IoU: no column; one of two did: an empty cell for the other.
    assert "IoU" not in table
    rows = made_up({"base": 0.4, "full": 0.1})
    for seed in range(2):
        rows["full", seed] = [{**row, "iou": 0.5} for row in rows["full", seed]]
    table = render_table(rows)
    assert "| mass inside | IoU | paper: RSM |" in table
    assert table.count("| 0.500 [0.500, 0.500] |") == 1
    assert "nan" not in table
    assert "| 0.6126 | 0.4546 | 0.1699 |" in table
    assert table.count("\n") == 3


def test_trials_stand_beside_what_they_are_compared_with():
    rows = made_up({"base": 0.4, "full": 0.3, "none": 0.2, "gate": 0.1, "long-none": 0.1})
    text = render_trials(rows)
    assert "| both losses at noise levels of 0.5 and more | none | " in text
    assert "-0.1" in text.split("Differences")[1]
    assert "without both, 900 steps | " in text
    assert render_trials(made_up({"base": 0.4})) == ""


def test_plan():
    known = {own.name for own in (*CONFIGURATIONS, *ROUTED, *TRIALS)}
    assert len(known) == len(CONFIGURATIONS) + len(ROUTED) + len(TRIALS)
    assert all({trial.against, trial.experts} <= {*known, ""} for trial in (*ROUTED, *TRIALS))
    assert [configuration.name for configuration in choose(["none", "full"])] == ["none", "full"]
    assert choose(None) == [*CONFIGURATIONS, *ROUTED]
    assert [own.name for own in CONFIGURATIONS if not own.repeated] == ["double", "single", "rank-8"]
    with pytest.raises(InputError, match='Did you mean "official"'):
        choose(["offical"])
