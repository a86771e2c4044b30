"""Scores made again from the images: true ones pass, every kind of lie about a number is found."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from rses.cli.main import main
from rses.errors import InputError
from rses.leaderboard.pack import pack_run
from rses.leaderboard.verify import verify
from rses.report.inputs import remember_inputs
from rses.runs.results import Results, load_run
from rses.scoring.scorer import RSES
from rses.suites import load_suite, write_manifest
from tests.helpers.refusals import refused


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A suite of three samples, and a run on it scored for real."""
    root = tmp_path_factory.mktemp("rescore")
    suite, mini = root / "suite", load_suite("mini")
    for name in ("images", "masks", "pred"):
        (suite / name).mkdir(parents=True) if name != "pred" else (root / name).mkdir()
    rows = []
    for sample, other in zip(mini.samples[:3], mini.samples[3:6], strict=True):
        shutil.copy(sample.image, suite / "images")
        shutil.copy(sample.mask, suite / "masks")
        # The picture of another sample: an edit that damages everything.
        shutil.copy(other.image, root / "pred" / f"{sample.id}.png")
        rows.append({
            "id": sample.id, "file_name": f"images/{sample.image.name}", "mask_file_name": f"masks/{sample.mask.name}",
            "object": sample.object, "style": sample.style, "prompt": sample.prompt, "dataset": sample.dataset,
            "tags": list(sample.tags),
        })  # fmt: skip
    (suite / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    write_manifest(suite, "three", "1", "CC0-1.0")
    run = root / "run"
    RSES("rses-mini").score_folder(root / "pred", suite=suite, out=run, method="swap")
    remember_inputs(run, pred=root / "pred", suite=suite)
    return run, suite


def forged(run, folder, name, value):
    """A copy of a run with one number changed and the summary computed from it: consistent, and untrue."""
    results = load_run(run)
    first = results.samples[0]
    changes = {name: value}
    if name == "clip_cosine":
        changes["rsm"] = (1 + value) / 2
    if name == "mse_bg":
        import math

        changes.update(mse_bg_pm1=4 * value, psnr_bg=-10 * math.log10(value))
    samples = [dataclasses.replace(first, **changes), *results.samples[1:]]
    Results(samples, results.info).save(folder)
    shutil.copy(run / "inputs.json", folder)
    places = json.loads((folder / "inputs.json").read_text("utf-8"))
    places.update({key: str((run / value).resolve()) for key, value in places.items()})
    (folder / "inputs.json").write_text(json.dumps(places), "utf-8")
    return folder


def test_true_scores_pass_as_run_folder_and_as_submission(scored, tmp_path, capsys):
    run, suite = scored
    assert [s.source for s in load_run(run).samples] == [s.image.name for s in load_suite(suite).samples]
    assert verify(run, suite=suite).rescored == 3
    submission = pack_run(run, tmp_path / "s", images=True)
    assert verify(submission.folder, suite=suite, rescore=2, seed=0).rescored == 2
    assert main(["leaderboard", "verify", str(submission.folder), "--suite", str(suite), "--rescore", "1"]) == 0
    assert "1 images scored again" in capsys.readouterr().out
    without = pack_run(run, tmp_path / "bare")
    verdict = verify(without.folder, suite=suite)
    assert (verdict.rescored, any("no images" in note for note in verdict.notes)) == (0, True)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("clip_cosine", 1.05), ("lpips_bg", 0.98), ("mse_bg", 0.98), ("ssim_bg", 1.05),
        ("leakage", 1.5), ("boundary_mse", 0.98), ("mask_fraction", 1.05),
    ],
)  # fmt: skip
def test_a_consistent_lie_about_one_number_is_found(scored, tmp_path, name, factor):
    run, suite = scored
    true = getattr(load_run(run).samples[0], name)
    lie = forged(run, tmp_path / "lie", name, true * factor)
    verify(lie, suite=suite, rescore=0)
    with refused(InputError, "contradiction", name):
        verify(lie, suite=suite)


def test_a_gain_that_its_success_contradicts_is_refused_without_images(scored, tmp_path):
    run, suite = scored
    true = load_run(run).samples[0].rsm_gain
    with refused(InputError, "contradiction", "style_success"):
        verify(forged(run, tmp_path / "lie", "rsm_gain", true * 1.5), suite=suite, rescore=0)


def test_a_lie_about_style_is_found(scored, tmp_path):
    run, suite = scored
    true = load_run(run).samples[0].style_correct
    with refused(InputError, "contradiction", "style_correct"):
        verify(forged(run, tmp_path / "lie", "style_correct", not true), suite=suite)


def test_another_image_under_a_new_digest_is_found(scored, tmp_path):
    run, suite = scored
    folder = pack_run(run, tmp_path / "s", images=True, previews=0).folder
    first, second = sorted((folder / "images").iterdir())[:2]
    shutil.copy(second, first)
    manifest = json.loads((folder / "submission.json").read_text("utf-8"))
    manifest["images"][first.stem] = manifest["images"][second.stem]
    (folder / "submission.json").write_text(json.dumps(manifest), "utf-8")
    verify(folder, suite=suite, rescore=0)
    with pytest.raises(InputError, match=rf"{first.stem}: \w+ is .*, scored again"):
        verify(folder, suite=suite)


def test_warnings_neither_refuse_a_run_nor_have_to_be_there(scored, tmp_path):
    run, suite = scored
    warned = [dataclasses.replace(s, warnings=("unedited", "of another version")) for s in load_run(run).samples]
    Results(warned, load_run(run).info).save(tmp_path / "warned")
    remember_inputs(tmp_path / "warned", pred=run.parent / "pred", suite=suite)
    assert verify(tmp_path / "warned", suite=suite, rescore=0).method == "swap"
    packed = pack_run(tmp_path / "warned", tmp_path / "packed", previews=0, suite=suite)
    assert packed.results.samples[0].warnings == ("unedited", "of another version")
    shutil.copytree(run, tmp_path / "old")
    summary = json.loads((run / "summary.json").read_text())
    del summary["warnings"]
    (tmp_path / "old" / "summary.json").write_text(json.dumps(summary))
    remember_inputs(tmp_path / "old", pred=run.parent / "pred", suite=suite)
    assert verify(tmp_path / "old", suite=suite, rescore=0).method == "swap"


@pytest.mark.parametrize("codes", ["unedited", [1], ["x" * 5000], ["a"] * 5000])
def test_warnings_of_a_submission_are_short_texts(codes):
    from rses.leaderboard.fields import sample_problems

    row = {"id": "a", "status": "ok", "mse_bg": 0.1, "mse_bg_pm1": 0.4, "tags": [], "warnings": codes}
    (problem,) = sample_problems(row)
    assert problem.place.field.startswith("warnings")
