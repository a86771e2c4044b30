"""``regionroute train`` and ``edit`` as a user types them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import regionroute
from regionroute.cli.main import main
from rses.images.decode import read_image
from rses.images.tensors import write_png


@pytest.fixture
def training(tiny_kontext, tiny_pairs, tmp_path):
    return [
        "train", "--config", "mini", "--pairs", str(tiny_pairs), "--style", "pixel art", "--out", str(tmp_path / "run"),
        "--set", f"model.base={tiny_kontext}", "--set", "data.resolution=64", "--set", "optimiser.steps=2",
        "--set", "optimiser.batch_size=2",
    ]  # fmt: skip


def test_train_then_edit(training, tiny_kontext, tmp_path, capsys):
    assert main(training) == 0
    path = capsys.readouterr().out.strip()
    assert path.endswith("pixel-art.safetensors")
    source = np.random.default_rng(0).integers(0, 255, (50, 90, 3), np.uint8)
    write_png(tmp_path / "photo.png", source)
    edit = [
        "edit", "--image", str(tmp_path / "photo.png"), "--prompt", "make the cat in pixel-art style",
        "--variant", str(tiny_kontext), "--experts", str(tmp_path / "run"), "--dtype", "float32",
    ]  # fmt: skip
    assert main([*edit, "--attention-map", str(tmp_path / "map.png")]) == 0
    written = capsys.readouterr().out.strip()
    assert written == str(tmp_path / "photo-pixel-art.png")
    assert read_image(written).shape == source.shape
    assert read_image(tmp_path / "map.png").shape == source.shape
    out, mask = tmp_path / "routed.png", tmp_path / "mask.png"
    assert main([*edit, "--routed", "--mask", str(mask), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    kept = read_image(mask)[..., 0] == 0
    assert np.array_equal(read_image(out)[kept], source[kept])
    # The overlay is the source where the mask is full, and grey where it is empty.
    shown, full = read_image(tmp_path / "mask-overlay.png"), read_image(mask)[..., 0] == 255
    assert np.array_equal(shown[full], source[full])
    assert (shown[kept] == shown[kept][:, :1]).all()


@pytest.mark.slow
def test_two_processes_train_what_one_does(training, tmp_path):
    own = ["--set", "optimiser.accumulation=2", "--set", "run.checkpoint_every=1", "--set", "run.overlay_every=1"]
    root = str(Path(regionroute.__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    launched = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
         "-m", "regionroute.cli.main", *training, *own],
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert launched.returncode == 0, launched.stderr
    assert launched.stdout.split() == [str(tmp_path / "run" / "pixel-art.safetensors")]
    alone = ["--out", str(tmp_path / "alone"), "--set", "optimiser.batch_size=4"]
    assert main([*training, *own, *alone]) == 0
    runs = [safetensors.torch.load_file(tmp_path / name / "pixel-art.safetensors") for name in ("run", "alone")]
    for key, value in runs[0].items():
        torch.testing.assert_close(value, runs[1][key], atol=2e-4, rtol=1e-2)
    logs = [(tmp_path / name / "train.jsonl").read_text().splitlines() for name in ("run", "alone")]
    for one, other in zip(*logs, strict=True):
        assert json.loads(one) == pytest.approx(json.loads(other), rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--style", "oil"], "must be one of pixel art"),
        (["--set", "expert.rnk=4"], 'Did you mean "rank"'),
        (["--pairs", "nowhere"], "nowhere"),
        (["--pairs", "2024"], "2024 does not exist"),
        (["--config", "nothing.toml"], "There is no configuration"),
        (["--set", "model.base=nowhere/at-all"], "cannot load the weights nowhere/at-all"),
    ],
)
def test_bad_training_requests(training, change, message, tmp_path, capsys, monkeypatch):
    # The log of diffusers may still hold the stream of the test that imported it, which is closed by now.
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert main([*training, *change]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "run").exists()


def test_folders_may_be_named_like_numbers(training, tiny_pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2024").symlink_to(tiny_pairs)
    assert main([*training, "--pairs", "2024", "--out", "5", "--set", "optimiser.steps=1"]) == 0
    assert capsys.readouterr().out.split() == [str(Path("5") / "pixel-art.safetensors")]


@pytest.mark.parametrize(
    ("prompt", "extra", "message"),
    [
        ("make the cat red", [], "pixel art"),
        ("make the cat in pixel art style", ["--image", "none.png"], "none.png"),
        ("make the cat in pixel art style", ["--experts", "nowhere"], "holds no expert"),
        ("make the cat in pixel art style", ["--dtype", "int8"], "--dtype must be"),
        ("make the cat in pixel art style", ["--mask", "m.png"], "Add --routed"),
        ("make the cat in pixel art style", ["--style", "finder"], 'no style "finder"'),
        ("make the cat in pixel art style", ["--style", "pixel/art"], 'no style "pixel/art"'),
        ("make the cat in pixel art style", ["--out", "m.png", "--attention-map", "m.png"], "a file of its own"),
        ("make the cat in pixel art style", ["--routed", "--out", "m-overlay.png", "--mask", "m.png"], "of its own"),
    ],
)
def test_bad_edit_requests(prompt, extra, message, tiny_kontext, tmp_path, capsys):
    write_png(tmp_path / "photo.png", np.zeros((64, 64, 3), np.uint8))
    arguments = ["edit", "--image", str(tmp_path / "photo.png"), "--prompt", prompt, "--variant", str(tiny_kontext)]
    assert main([*arguments, "--experts", str(tmp_path), *extra]) == 2
    _, err = capsys.readouterr()
    assert message in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    ("prompt", "extra", "message"),
    [
        ("make the cat in pixel art style", ["--out", "photo.png"], "a file of its own"),
        ("make the cat in pixel art style", ["--routed", "--style", "line art"], "it cannot have that of line art"),
        (f"make the {'small and very furry ' * 12}cat in pixel art style", [], "cut off"),
    ],
)
def test_edits_that_would_not_be_what_is_asked_for(
    prompt, extra, message, tiny_kontext, tiny_experts, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_png(Path("photo.png"), np.zeros((64, 64, 3), np.uint8))
    before = Path("photo.png").read_bytes()
    arguments = ["edit", "--image", "photo.png", "--prompt", prompt, "--variant", str(tiny_kontext)]
    assert main([*arguments, "--experts", str(tiny_experts), "--dtype", "float32", *extra]) == 2
    assert message in capsys.readouterr().err
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_the_embedded_model_says_once_that_it_knows_no_photographs(
    tmp_path, monkeypatch, capsys, tiny_kontext, tiny_experts
):
    write_png(tmp_path / "photo.png", np.zeros((64, 64, 3), np.uint8))
    edit = ["edit", "--image", str(tmp_path / "photo.png"), "--prompt", "make the cat in pixel art style",
            "--experts", str(tiny_experts)]  # fmt: skip
    assert main([*edit, "--variant", str(tiny_kontext), "--dtype", "float32"]) == 0
    assert "photographs" not in capsys.readouterr().err
    monkeypatch.setattr("regionroute.base.base_source", lambda base: str(tiny_kontext))
    monkeypatch.setattr("regionroute.pipeline.base_source", lambda base: str(tiny_kontext))
    assert main(edit) == 0
    assert capsys.readouterr().err.count("photographs") == 1


def test_a_damaged_expert_is_refused(tiny_kontext, tmp_path, capsys):
    (tmp_path / "experts").mkdir()
    (tmp_path / "experts" / "pixel-art.safetensors").write_bytes(json.dumps({}).encode())
    write_png(tmp_path / "photo.png", np.zeros((64, 64, 3), np.uint8))
    arguments = ["edit", "--image", str(tmp_path / "photo.png"), "--prompt", "make the cat in pixel art style"]
    assert main([*arguments, "--variant", str(tiny_kontext), "--experts", str(tmp_path / "experts")]) == 2
    assert "pixel-art.safetensors" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experts", "photo.png"]
