"""Contact sheets of masks."""

from __future__ import annotations

import numpy as np
from PIL import Image

from rses.suites.segment import Facts, Job, MaskRun, Prompt
from rses.suites.segment.base import CLASSICAL
from rses.suites.segment.contact import overlay, write_mask_sheets

FACTS = Facts("classical", CLASSICAL)
DONE = {"status": "done", "score": None, "share": 0.25}


def test_overlay_marks_region_box_and_clicks():
    image, mask = np.full((40, 60, 3), 100, np.uint8), np.zeros((40, 60), bool)
    mask[10:20, 20:40] = True
    prompt = Prompt(box=(15, 5, 45, 25), points=((50.0, 35.0),), labels=(False,))
    shown = np.asarray(overlay(image, mask, prompt))
    assert shown.shape == image.shape
    assert shown[15, 30].tolist() == [100, 100, 100]
    assert shown[2, 2].tolist() == [50, 50, 50]
    outline = (shown == (255, 0, 180)).all(axis=2)
    assert outline.sum() == 2 * 20 + 2 * 8
    assert outline[10, 20:40].all()
    assert shown[5, 15].tolist() == shown[24, 44].tolist() == [255, 220, 0]
    assert shown[35, 50].tolist() == [255, 60, 40]
    plain = np.asarray(overlay(image, None, Prompt(box=(15, 5, 45, 25))))
    assert plain[2, 2].tolist() == [100, 100, 100]


def test_large_pictures_shrink():
    image = np.zeros((600, 300, 3), np.uint8)
    assert overlay(image, np.ones((600, 300), bool), Prompt(box=(0, 0, 300, 600))).size == (128, 256)


def _run(folder, photographs, names):
    jobs = [Job(name, photographs / f"{name}.png", Prompt(box=(5, 4, 17, 14))) for name in names]
    return MaskRun(folder, FACTS, jobs, dict.fromkeys(names, DONE))


def test_pages(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr("rses.suites.segment.contact.PER_PAGE", 2)
    (photographs / "<i>.png").write_bytes((photographs / "a.png").read_bytes())
    run = _run(tmp_path / "out", photographs, ["a", "b", "<i>"])
    run.folder.mkdir()
    mask = np.zeros((20, 30), np.uint8)
    mask[4:14, 5:17] = 255
    Image.fromarray(mask).save(run.path("a"))
    Image.fromarray(mask[:5]).save(run.path("b"))
    run.records["<i>"] = {"status": "failed", "error": "the mask is empty"}
    files = write_mask_sheets(run)
    assert [path.name for path in files] == ["sheet-1.png", "sheet-1.html", "sheet-2.png", "sheet-2.html"]
    first, second = (path.read_text() for path in files[1::2])
    assert first.count("<figure>") == 2
    assert "Masks by classical (no learned weights), 1 of 2" in first
    assert "25.0% of the picture" in first
    assert "b.png is 30x5, its photograph 30x20" in first
    assert "&lt;i&gt;.png</b> failed: the mask is empty" in second
    assert "<i>" not in second
    assert np.asarray(Image.open(files[0])).shape == (20 + 256 + 76, 512, 3)
    files = write_mask_sheets(_run(tmp_path / "out", photographs, ["a"]))
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["sheet-1.html", "sheet-1.png"]
