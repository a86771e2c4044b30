"""Each picture is opened once in scoring, whoever needs it: checks, hashes, decoding, warnings."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses import RSES
from rses.images.file import FileCache
from rses.images.tensors import write_png
from rses.suites import write_manifest

_counted: list[Counter[str]] = []


def _count(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _counted and isinstance(arguments[0], (str, Path)):
        _counted[-1][str(arguments[0])] += 1


sys.addaudithook(_count)  # no hook can be removed; this one counts while asked to


@pytest.fixture
def opened():
    counts: Counter[str] = Counter()
    _counted.append(counts)
    yield counts
    _counted.remove(counts)


@pytest.fixture
def suite(tmp_path):
    """Three samples, two of which share a source; a 16-bit source, a JPEG and a palette mask among them."""
    rng, root = np.random.default_rng(0), tmp_path / "suite"
    rows = []
    for index, source in enumerate(("a", "a", "b")):
        image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        mask = np.zeros((32, 32), bool)
        mask[8:16, 8 : 16 + index] = True
        write_png(root / "images" / f"{source}.png", image)
        write_png(root / "masks" / f"{index}.png", mask)
        write_png(tmp_path / "pred" / f"{index}.png", 255 - image)
        rows.append({
            "id": str(index), "file_name": f"images/{source}.png", "mask_file_name": f"masks/{index}.png",
            "object": "thing", "style": "pixel art", "prompt": "p", "dataset": "d", "tags": [],
        })  # fmt: skip
    deep = rng.integers(0, 65536, (32, 32), dtype=np.uint16)
    Image.fromarray(deep).save(root / "images" / "b.png")
    (tmp_path / "pred" / "2.png").unlink()
    Image.new("RGB", (32, 32)).save(tmp_path / "pred" / "2.jpg")
    (root / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (root / "README.md").write_text("x")
    write_manifest(root, "own", "1", "CC0-1.0")
    return root


@pytest.mark.parametrize("named", ["suite", "masks"])
def test_each_picture_is_opened_once(suite, opened, named):
    where = suite if named == "suite" else suite / "masks"
    options = {named: where, "out": suite.parent / "run"}
    scorer = RSES("rses-mini", device="cpu", metrics="mse_bg,boundary_mse")
    opened.clear()
    results = scorer.score_folder(suite.parent / "pred", **options)
    assert [sample.status for sample in results.samples] == ["ok"] * 3
    pictures = {path: count for path, count in opened.items() if Path(path).parent.name in ("pred", "masks", "images")}
    assert len(pictures) == 3 + 3 + 2
    assert set(pictures.values()) == {1}


def test_methods_share_what_was_opened(suite, opened):
    pred = suite.parent / "pred"
    other = shutil.copytree(pred, suite.parent / "other" / "pred")
    scorer = RSES("rses-mini", device="cpu", metrics="mse_bg,boundary_mse")
    opened.clear()
    scorer.score_folders({"one": pred, "two": other}, suite=suite, out=suite.parent / "runs")
    pictures = {path: count for path, count in opened.items() if Path(path).parent.name in ("pred", "masks", "images")}
    assert len(pictures) == 2 * 3 + 3 + 2
    assert set(pictures.values()) == {1}


def test_one_edit_opens_each_picture_once(suite, opened):
    pred, image, mask = suite.parent / "pred" / "1.png", suite / "images" / "a.png", suite / "masks" / "1.png"
    assert RSES("rses-mini", device="cpu", metrics="mse_bg").score(pred, image, mask).status == "ok"
    assert [opened[str(path)] for path in (pred, image, mask)] == [1, 1, 1]


def test_what_does_not_fit_is_read_again(suite, opened):
    files, paths = FileCache(limit=1), sorted((suite / "masks").iterdir())
    assert [files(path).sha256 for path in (*paths, *paths)]
    assert {opened[str(path)] for path in paths} == {2}
