"""Sizes are compared upright and masks read strictly wherever a suite is read: verification, sheets, batches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.bench.plan import fixed_batches
from rses.errors import InputError
from rses.images.masks import read_mask
from rses.suites import Suite, verify_suite, write_manifest
from rses.suites.format import read_suite
from rses.suites.segment.base import Facts
from rses.suites.segment.contact import write_mask_sheets
from rses.suites.segment.prompts import read_jobs
from rses.suites.segment.run import MaskRun
from rses.suites.sheet import suite_statistics, write_sheet
from tests.helpers.refusals import refused

REGION = np.zeros((24, 32), bool)
REGION[6:15, 8:20] = True


def _save(path: Path, pixels: np.ndarray, orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, **({} if orientation == 1 else {"exif": exif}))


def _suite(root: Path, mask: np.ndarray, orientation: int = 1) -> Path:
    """A suite that someone else made: one photograph, stored as 24 x 32."""
    _save(root / "images" / "a.png", np.full((32, 24, 3), 90, np.uint8), orientation)
    _save(root / "masks" / "a.png", mask)
    row = {
        "id": "a", "file_name": "images/a.png", "mask_file_name": "masks/a.png", "object": "cat", "style": "ink",
        "prompt": "make it ink", "dataset": "d", "tags": [],
    }  # fmt: skip
    (root / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    (root / "README.md").write_text("card")
    write_manifest(root, "own", "1", "none")
    return root


def _read(root: Path) -> Suite:
    return read_suite(root)


def test_verification_compares_upright_sizes(tmp_path: Path) -> None:
    assert verify_suite(_suite(tmp_path / "a", REGION, 6)).name == "own"
    with pytest.raises(InputError, match=r"masks/a.png: is 24x32, its image is 32x24.*orientation tag 6"):
        verify_suite(_suite(tmp_path / "b", REGION.T.copy(), 6))
    with refused(InputError, "wrong-size", "a.png"):
        verify_suite(_suite(tmp_path / "c", REGION))


def test_verification_refuses_what_the_scorer_refuses(tmp_path: Path) -> None:
    root = _suite(tmp_path / "a", REGION.T.copy())
    (root / "images" / "a.png").write_bytes(b"%!PS-Adobe")
    write_manifest(root, "own", "1", "none")
    with refused(InputError, "unsupported", "a.png"):
        verify_suite(root)


def test_a_sheet_shows_pictures_upright_with_the_scorers_region(tmp_path: Path) -> None:
    suite = _read(_suite(tmp_path / "a", REGION.astype(np.uint8), 6))
    write_sheet(suite, tmp_path / "sheet.png")
    marked = (np.asarray(Image.open(tmp_path / "sheet.png")) == (255, 0, 180)).all(axis=2)
    # Shown at 256 x 192, eight times its size: the outline of 96 x 72.
    assert marked.sum() == 2 * (96 + 72) - 4
    assert (marked.any(axis=0).sum(), marked.any(axis=1).sum()) == (96, 72)
    assert suite_statistics(suite)["area"] == {"10% to 25%": 1}


def test_a_sheet_refuses_a_label_map(tmp_path: Path) -> None:
    labels = np.zeros((32, 24), np.uint8)
    labels[2:9, 2:9] = 100
    labels[12:20, 2:9] = 200
    suite = _read(_suite(tmp_path / "a", labels))
    with refused(InputError, "several-values"):
        write_sheet(suite, tmp_path / "sheet.png")
    with refused(InputError, "several-values"):
        suite_statistics(suite)
    assert not (tmp_path / "sheet.png").exists()


def test_a_contact_sheet_refuses_a_mask_replaced_by_a_label_map(tmp_path: Path) -> None:
    _save(tmp_path / "images" / "a.png", np.full((24, 32, 3), 90, np.uint8))
    (tmp_path / "boxes.csv").write_text("file_name,x,y,width,height\na.png,8,6,12,9\n")
    jobs = read_jobs(tmp_path / "images", boxes=tmp_path / "boxes.csv")
    facts = Facts("classical", "classical", "none", None, "1")
    run = MaskRun(tmp_path, facts, jobs, {"a": {"status": "done", "score": None, "share": 0.1}})
    labels = np.where(REGION, 200, 0).astype(np.uint8)
    _save(tmp_path / "a.png", labels)
    write_mask_sheets(run)
    assert "failed" not in (tmp_path / "check" / "sheet-1.html").read_text("utf-8")
    labels[18:22, 2:30] = 140
    _save(tmp_path / "a.png", labels)
    write_mask_sheets(run)
    assert "areas of the values 0, 140, 200" in (tmp_path / "check" / "sheet-1.html").read_text("utf-8")


def test_batches_hold_pictures_of_one_upright_size(tmp_path: Path) -> None:
    turned = _read(_suite(tmp_path / "a", REGION, 6)).samples[0]
    plain = _read(_suite(tmp_path / "b", REGION.T.copy())).samples[0]
    assert [len(batch) for batch in fixed_batches([turned, plain, turned], 4)] == [2, 1]
    assert read_mask(turned.mask).shape == (24, 32)
