"""``rses bench``: folders of predictions, options of methods, shards, failures, wrong words."""

from __future__ import annotations

import json

import pytest

from rses.cli.main import main
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.suites import load_suite

COMMON = ["bench", "--suite", "mini", "--protocol", "rses-mini", "--device", "cpu", "--format", "json"]


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_a_folder_of_predictions_is_benched(tmp_path, capsys):
    edits = tmp_path / "mine"
    for sample in load_suite("mini").samples[:2]:
        write_png(edits / f"{sample.id}.png", read_image(sample.image))
    assert main([*COMMON, "--predictions", str(edits), "--limit", "3", "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    assert "1 failed" in shown.err
    assert "is missing" in shown.err
    found = summary(tmp_path / "run")
    assert found["method"] == "mine"
    assert found["coverage"] == {"n": 2, "N": 96, "statuses": {"failed": 1, "ok": 2}}
    assert found["metrics"]["mse_bg"]["mean"] == 0.0
    assert "sha256" in found["info"]["generation"]["loaded"]


def test_a_run_of_files_that_changed_since_is_not_taken_for_theirs(tmp_path, capsys):
    edits, sample = tmp_path / "mine", load_suite("mini").samples[0]
    words = [*COMMON, "--predictions", str(edits), "--limit", "1", "--out", str(tmp_path / "run")]
    write_png(edits / f"{sample.id}.png", read_image(sample.image))
    assert main(words) == 0
    assert main(words) == 0
    write_png(edits / f"{sample.id}.png", read_image(sample.image) // 2)
    capsys.readouterr()
    assert main(words) == 2
    assert "other weights or files" in capsys.readouterr().err
    assert main([*words, "--fresh"]) == 0
    assert summary(tmp_path / "run")["metrics"]["mse_bg"]["mean"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either --method NAME"),
        (["--method", "identity", "--predictions", "."], "either --method NAME"),
        (["--predictions", "nowhere"], "no folder of predictions"),
        (["--predictions", ".", "--set", "steps=3"], "belong to a method"),
        (["--method", "identity", "--set", "steps"], "key=value"),
        (["--method", "identity", "--set", "name=x"], "name"),
        (["--method", "identity", "--shard", "3/2"], "i/n"),
        (["--method", "identity", "--batch-size", "many"], "--batch-size"),
        (["--method", "identity", "--dtype", "float8"], "--dtype"),
        (["--method", "qwen-image-edit"], "needs a GPU with about 64 GB"),
        (["--method", "qwen-image-edit", "--variant", "mini"], "no embedded model"),
        (["--method", "style-editor"], "authors' program"),
    ],
)
def test_mistakes_exit_2_with_one_message(words, message, tmp_path, capsys):
    assert main([*COMMON, *words, "--limit", "1", "--out", str(tmp_path / "run")]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_the_list_says_what_a_reader_must_know(capsys):
    assert main(["methods"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "gated, about 38 GB" in lines["flux-kontext"]
    assert "embedded kontext-mini" in lines["flux-kontext"]
    assert "mask used" in lines["sd2-inpainting"]
    assert "MIT" in lines["instruct-pix2pix"]
    assert "2023" in lines["instruct-pix2pix"]


def test_shards_do_not_replace_each_other_in_the_default_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert main([*COMMON, "--method", "identity", "--limit", "4", "--shard", f"{number}/2"]) == 0
    parts = [tmp_path / "runs" / "mini" / "identity" / "shards" / f"{number}-of-2" for number in (1, 2)]
    assert [summary(part)["coverage"]["n"] for part in parts] == [2, 2]
    assert main(["merge", *map(str, parts), "--out", "runs/mini/identity"]) == 0
    assert summary(tmp_path / "runs" / "mini" / "identity")["coverage"]["n"] == 4
    assert main(["merge", str(parts[0]), "--out", "half"]) == 2
    assert "hold 2 of 4 samples" in capsys.readouterr().err


def test_predictions_are_not_read_from_where_the_run_writes(tmp_path, capsys):
    edits = tmp_path / "run" / "images"
    edits.mkdir(parents=True)
    words = [*COMMON, "--predictions", str(edits), "--out", str(tmp_path / "run")]
    assert main([*words, "--fresh"]) == 2
    assert "apart from what is read" in capsys.readouterr().err
