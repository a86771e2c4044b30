"""Suites of one's own photographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import verify_suite
from rses.suites.own_folder import build_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (20, 10), "red").save(tmp_path / "images" / f"{name}.png")
        mask = np.zeros((10, 20), np.uint8)
        mask[2:5, 3:9] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def test_masks_boxes_outlines_and_alpha_give_the_same_regions(folder: Path) -> None:
    images, box = folder / "images", {"x": 3, "y": 2, "width": 6, "height": 3}
    (folder / "boxes.csv").write_text("file_name,x,y,width,height,object\na.png,3,2,6,3,cat\nb.png,3,2,6,3,dog\n")
    rows = [{"file_name": "a.png", **box}, {"file_name": "b.png", "points": [3, 2, 9, 2, 9, 5, 3, 5]}]
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "alpha").mkdir()
    for name in ("a", "b"):
        picture = Image.open(images / f"{name}.png")
        picture.putalpha(Image.open(folder / "masks" / f"{name}.png"))
        picture.save(folder / "alpha" / f"{name}.png")
    suites = [
        build_folder(images, folder / "1", ["x"], masks=folder / "masks", thing="cat"),
        build_folder(images, folder / "2", ["x"], regions=folder / "boxes.csv"),
        build_folder(images, folder / "3", ["x"], regions=folder / "rows.json", thing="cat"),
        build_folder(folder / "alpha", folder / "4", ["x"], alpha=True, thing="cat"),
    ]
    expected = np.asarray(Image.open(folder / "masks" / "a.png"))
    for suite in suites:
        verify_suite(suite.root)
        for sample in suite.samples:
            np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)), expected)
            assert Image.open(sample.image).mode == "RGB"
    assert [sample.object for sample in suites[1].samples] == ["cat", "dog"]


def test_turned_photograph_is_stored_upright(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((20, 10, 3), np.uint8)
    pixels[0, 0] = 255
    Image.fromarray(pixels).save(folder / "images" / "a.png", exif=exif)
    suite = build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    stored = np.asarray(Image.open(suite.samples[0].image))
    assert stored.shape == (10, 20, 3)
    assert stored[0, 19].tolist() == [255, 255, 255]


def test_command_with_a_template(folder: Path) -> None:
    arguments = ["suite", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    arguments += ["--out", str(folder / "out"), "--styles", "neon", "--object", "cup"]
    assert main([*arguments, "--template", "turn the {object} {style}"]) == 0
    assert verify_suite(folder / "out").samples[0].prompt == "turn the cup neon"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"file_name": "a.png", "x": 15, "y": 2, "width": 6, "height": 3}, "outside the image of 20x10"),
        ({"file_name": "../a.png"}, "leads outside"),
        ({"file_name": "/a.png"}, "absolute"),
        ({"file_name": "c.png"}, "listed but absent"),
        ({"file_name": "a.png", "x": "k"}, "needs numbers"),
    ],
)
def test_bad_regions(folder: Path, row: dict, message: str) -> None:
    (folder / "images" / "b.png").unlink()
    (folder / "rows.json").write_text(json.dumps([row]))
    with pytest.raises(InputError, match=message):
        build_folder(folder / "images", folder / "out", ["x"], regions=folder / "rows.json", thing="cat")
    assert not (folder / "out").exists()


def test_all_faults_at_once_and_nothing_written(folder: Path) -> None:
    (folder / "masks" / "a.png").unlink()
    (folder / "images" / "b.png").write_bytes(b"no image")
    before = sorted(folder.iterdir())
    with pytest.raises(InputError) as caught:
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert len(caught.value.problems) == 2
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("size", [(20, 10), (9, 9)])
def test_empty_mask_and_mask_of_another_size(folder: Path, size: tuple[int, int]) -> None:
    Image.new("L", size).save(folder / "masks" / "a.png")
    with pytest.raises(InputError, match="is empty" if size == (20, 10) else "mask is for 9x9"):
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("template", ["turn it {style}", "{object} {style} {0}", "{object} {style"])
def test_bad_template(folder: Path, template: str) -> None:
    with pytest.raises(InputError, match="template"):
        build_folder(folder / "images", folder / "o", ["x"], masks=folder / "masks", thing="c", template=template)
