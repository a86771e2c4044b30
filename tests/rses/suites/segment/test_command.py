"""``rses suites mask`` from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.images.masks import read_mask
from rses.suites import load_suite


@pytest.fixture
def boxes(photographs, tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("file_name,x,y,width,height,object\n" + "".join(f"{n}.png,3,2,16,14,cup\n" for n in "abc"))
    return path


def _words(photographs, tmp_path, *more):
    return ["suites", "mask", "--images", str(photographs), "--out", str(tmp_path / "masks"), *map(str, more)]


def test_classical_masks_become_a_suite(photographs, boxes, tmp_path, capsys):
    words = _words(photographs, tmp_path, "--boxes", boxes, "--segmenter", "classical")
    assert main(words) == 0
    assert "3 masks in" in (out := capsys.readouterr().out)
    assert "classical (no learned weights)" in out
    truth = np.zeros((20, 30), bool)
    truth[4:14, 5:17] = True
    np.testing.assert_array_equal(read_mask(tmp_path / "masks" / "a.png"), truth)
    lines = (tmp_path / "masks" / "masks.jsonl").read_text().splitlines()
    assert {json.loads(line).get("kind") for line in lines[1:]} == {"classical"}
    assert (tmp_path / "masks" / "check" / "sheet-1.html").is_file()
    build = ["suites", "build", "folder", "--images", str(photographs), "--masks", str(tmp_path / "masks")]
    build += ["--objects", str(boxes), "--styles", "x", "--out", str(tmp_path / "suite")]
    assert main(build) == 0
    assert len(load_suite(str(tmp_path / "suite")).samples) == 3
    assert main(words) == 0


def test_segment_anything_is_the_default(photographs, sam_file, tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("file_name,x,y\na.png,8,8\n")
    words = _words(photographs, tmp_path, "--points", points, "--weights", sam_file, "--device", "cpu")
    assert main(words) in (0, 1)
    captured = capsys.readouterr()
    assert "segment-anything, tiny.pth" in captured.out
    assert "got no mask (2): b.png, c.png" in captured.err
    header, record = map(json.loads, (tmp_path / "masks" / "masks.jsonl").read_text().splitlines())
    assert header["settings"]["prompts"] == "points"
    assert record["prompt"] == {"points": [[8.0, 8.0]], "labels": [1]}
    assert len(record["weights_sha256"]) == 64


def test_an_empty_mask_is_told_by_the_exit_status(photographs, boxes, tmp_path, capsys):
    Image.new("RGB", (30, 20), "grey").save(photographs / "b.png")
    assert main(_words(photographs, tmp_path, "--boxes", boxes, "--segmenter", "classical")) == 1
    captured = capsys.readouterr()
    assert "2 masks in" in captured.out
    assert "b: the mask is empty" in captured.err
    assert not (tmp_path / "masks" / "b.png").exists()


def test_refusals_leave_nothing_behind(photographs, boxes, tmp_path, capsys):
    assert main(_words(photographs, tmp_path, "--boxes", boxes)) == 2
    assert "sam_vit_b_01ec64.pth" in capsys.readouterr().err
    boxes.write_text("file_name,x,y,width,height\n../a.png,1,1,2,2\na.png,1,1,99,2\nno.png,1,1,2,2\n")
    assert main(_words(photographs, tmp_path, "--boxes", boxes, "--segmenter", "classical")) == 2
    err = capsys.readouterr().err
    assert all(words in err for words in ("leads outside", "outside the image", "listed but absent"))
    assert not (tmp_path / "masks").exists()


def test_ctrl_c_keeps_what_is_done(photographs, boxes, tmp_path, capsys, monkeypatch):
    from rses.suites.segment.classical import ClassicalSegmenter

    whole = ClassicalSegmenter.segment

    def stop_at_c(self, images, prompts):
        if images[0][0, 0, 0] == 2:
            raise KeyboardInterrupt
        return whole(self, images, prompts)

    monkeypatch.setattr(ClassicalSegmenter, "segment", stop_at_c)
    words = _words(photographs, tmp_path, "--boxes", boxes, "--segmenter", "classical")
    assert main(words) == 130
    assert f"kept in {tmp_path / 'masks'}" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "masks").glob("*.png")) == ["a.png", "b.png"]
    monkeypatch.setattr(ClassicalSegmenter, "segment", whole)
    assert main(words) == 0
