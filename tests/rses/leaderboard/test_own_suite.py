"""Runs on suites and folders of one's own: sources of one file name, runs without a suite, names stored apart."""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from rses import RSES
from rses.bench import Shard, merge_runs, run_bench
from rses.bench.predictions import Predictions
from rses.cli.main import main
from rses.errors import InputError
from rses.images.tensors import write_png
from rses.leaderboard.pack import add_run, pack_run
from rses.leaderboard.verify import verify
from rses.report.inputs import run_files
from rses.runs.results import load_run
from rses.suites import load_suite, write_manifest
from tests.helpers.refusals import refused

COMPOSED = "caf\u00e9"
APART = unicodedata.normalize("NFD", COMPOSED)


@pytest.fixture(scope="module")
def scorer():
    return RSES("rses-mini", device="cpu", metrics=["mse_bg", "boundary_mse"])


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def suite(tmp_path) -> Path:
    """Two sources called 0.png, in folders a and b, each with two styles; one id has an accent."""
    root, rows = tmp_path / "suite", []
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 255
    for number, folder in enumerate("ab"):
        write_png(root / "images" / folder / "0.png", picture(number))
        for style in ("pixel art", "line art"):
            name = f"{COMPOSED}-{folder}-{style.split()[0]}"
            write_png(root / "masks" / f"{name}.png", mask)
            rows.append(
                {
                    "id": name, "file_name": f"images/{folder}/0.png", "mask_file_name": f"masks/{name}.png",
                    "object": "cat", "style": style, "prompt": "make it so", "dataset": "own", "tags": [],
                }
            )  # fmt: skip
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    write_manifest(root, "own", "1", "CC0-1.0")
    return root


def edits(suite: Path, folder: Path, form: str = "NFC", ending: str = ".png") -> Path:
    for sample in load_suite(suite).samples:
        write_png(folder / "x.png", np.roll(picture(0), 1, 0))
        (folder / "x.png").rename(folder / f"{unicodedata.normalize(form, sample.id)}{ending}")
    return folder


def test_sources_of_one_file_name_are_told_apart_and_verify(suite, tmp_path, scorer):
    """The scorer recorded a/0.png, verification expected 0.png and refused every honest run."""
    run_bench("jpeg-identity", suite, tmp_path / "bench", scorer=scorer)
    run = load_run(tmp_path / "bench")
    assert sorted({sample.source for sample in run.samples}) == ["a/0.png", "b/0.png"]
    assert verify(tmp_path / "bench", suite=suite).rescored == 4
    packed = pack_run(tmp_path / "bench", tmp_path / "packed", images=True, suite=suite).folder
    assert verify(packed, suite=suite).rescored == 4
    scored = scorer.score_folder(tmp_path / "bench" / "images", suite=suite, method="jpeg-identity")
    assert [s.source for s in scored.samples] == [s.source for s in run.samples]


def test_copies_of_a_suites_sources_keep_its_names(suite, tmp_path, scorer):
    for sample in load_suite(suite).samples:
        shutil.copy(sample.image, tmp_path / f"{sample.id}.png")
    (tmp_path / "copies").mkdir()
    for path in tmp_path.glob("*.png"):
        path.rename(tmp_path / "copies" / path.name)
    found = scorer.score_folder(edits(suite, tmp_path / "mine"), suite=suite, source=tmp_path / "copies")
    assert sorted({sample.source for sample in found.samples}) == ["a/0.png", "b/0.png"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_stored_apart_are_found_by_every_command(suite, tmp_path, scorer, form):
    mine = edits(suite, tmp_path / "mine", form)
    (mine / "method.json").write_text('\ufeff{"name": "m", "mask_used": false}', "utf-8")
    benched = run_bench(Predictions(mine), suite, tmp_path / "run", scorer=scorer)
    assert {sample.status for sample in benched.samples} == {"ok"}
    scored = scorer.score_folder(mine, suite=suite)
    assert [s.mse_bg for s in scored.samples] == [s.mse_bg for s in benched.samples]
    packed = pack_run(tmp_path / "run", tmp_path / "packed", images=True, suite=suite).folder
    for path in [*(packed / "images").iterdir(), *(packed / "previews").iterdir()]:
        path.rename(path.with_name(unicodedata.normalize(form, path.name)))
    assert verify(packed, suite=suite).rescored == 4


def test_edits_of_other_kinds_are_benched_as_they_are_scored(suite, tmp_path, scorer):
    mine = edits(suite, tmp_path / "mine", ending=".webp")
    benched = run_bench(Predictions(mine), suite, tmp_path / "run", scorer=scorer)
    scored = scorer.score_folder(mine, suite=suite)
    assert [s.mse_bg for s in scored.samples] == [s.mse_bg for s in benched.samples]
    first = next(iter(sorted(mine.iterdir())))
    shutil.copy(first, first.with_suffix(".png"))
    with refused(InputError, "ambiguous", "mine"):
        Predictions(mine)


def own_run(tmp_path: Path, capsys) -> Path:
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 255
    for number, name in enumerate(("a", "b")):
        write_png(tmp_path / "images" / f"{name}.png", picture(number))
        write_png(tmp_path / "pred" / f"{name}.png", np.roll(picture(number), 1, 0))
        write_png(tmp_path / "masks" / f"{name}.png", mask)
    words = ["score", "--protocol", "rses-mini", "--style", "pixel art", "--format", "json", "--metrics", "mse_bg,rsm"]
    for name, folder in (("pred", "pred"), ("masks", "masks"), ("source", "images"), ("out", "run")):
        words += [f"--{name}", str(tmp_path / folder)]
    assert main(words) == 0
    capsys.readouterr()
    return tmp_path / "run"


def test_a_run_of_own_folders_is_verified_from_what_it_recorded(tmp_path, capsys):
    """It failed with the path of a temporary folder."""
    run = own_run(tmp_path, capsys)
    verdict = verify(run)
    assert verdict.rescored == 2
    assert any("no board" in note for note in verdict.notes)
    write_png(tmp_path / "pred" / "a.png", picture(9))
    with refused(InputError, "contradiction", "mse_bg"):
        verify(run)
    (tmp_path / "pred" / "a.png").unlink()
    with refused(InputError, "missing-file", "run"):
        verify(run)
    shutil.rmtree(tmp_path / "masks")
    with pytest.raises(InputError, match=r"masks \(.*masks\)\. Put them back, or score again with `rses score --pred"):
        verify(run)
    (run / "inputs.json").unlink()
    with refused(InputError, "missing-option", "run") as caught:
        verify(run)
    assert "rses-verify-" not in str(caught.value)


def test_a_run_of_own_folders_gets_no_board(tmp_path, capsys):
    run = own_run(tmp_path, capsys)
    with pytest.raises(InputError, match="Score it with --suite NAME"):
        add_run(run, tmp_path / "boards", allow_missing=True)
    assert not (tmp_path / "boards" / "results").exists()


def test_what_cannot_be_submitted_is_named_by_its_run(tmp_path, capsys, suite, scorer):
    run_bench("identity", suite, tmp_path / "bench", scorer=scorer)
    summary = json.loads((tmp_path / "bench" / "summary.json").read_text("utf-8"))
    summary["info"]["method_card"]["year"] = "2026"
    (tmp_path / "bench" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(InputError) as caught:
        pack_run(tmp_path / "bench", tmp_path / "packed", suite=suite)
    assert [(p.code, p.place.field) for p in caught.value.problems] == [("wrong-type", "info.method_card.year")]
    assert str(caught.value).startswith(f"{tmp_path / 'bench'} cannot be submitted")
    assert ".packing" not in str(caught.value)


def test_a_merged_run_knows_where_its_pictures_lie(suite, tmp_path, capsys):
    """The report of a merged run had no gallery where the suite was a folder."""
    words = ["bench", "--method", "identity", "--suite", str(suite), "--protocol", "rses-mini", "--format", "json"]
    parts = [tmp_path / f"part-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, start=1):
        assert main([*words, "--shard", f"{number}/2", "--out", str(part)]) == 0
    assert main(["merge", *map(str, parts), "--out", str(tmp_path / "all"), "--format", "json"]) == 0
    files = run_files(tmp_path / "all", load_run(tmp_path / "all"))
    assert len(files) == 4
    assert all(place.pred.is_file() and place.source.is_file() for place in files.values())
    assert main(["report", str(tmp_path / "all")]) == 0
    assert "4 of 4 scored samples" in (tmp_path / "all" / "report.html").read_text("utf-8")


def test_a_shard_says_that_it_is_a_part(suite, tmp_path, scorer):
    part = run_bench("identity", suite, tmp_path / "part", scorer=scorer, shard=Shard(1, 2))
    assert part.summary["coverage"] == {"n": 2, "N": 4, "statuses": {"ok": 2}}
    other = run_bench("identity", suite, tmp_path / "other", scorer=scorer, shard=Shard(2, 2))
    whole = merge_runs([tmp_path / "part", tmp_path / "other"], tmp_path / "all")
    assert len(other.samples) == 2
    assert whole.summary["coverage"] == {"n": 4, "N": 4, "statuses": {"ok": 4}}
