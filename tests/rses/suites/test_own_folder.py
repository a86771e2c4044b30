"""Suites of one's own photographs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.images import read_image
from rses.suites import verify_suite
from rses.suites.own_folder import build_folder

sys.path.insert(0, str(Path(__file__).parents[1]))
from profiles import P3, rgb_profile


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
    with pytest.raises(InputError, match="is empty" if size == (20, 10) else "is 9x9, its photograph a.png is 20x10"):
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("template", ["turn it {style}", "{object} {style} {0}", "{object} {style"])
def test_bad_template(folder: Path, template: str) -> None:
    with pytest.raises(InputError, match="template"):
        build_folder(folder / "images", folder / "o", ["x"], masks=folder / "masks", thing="c", template=template)


def _photographs(folder: Path) -> None:
    """One of every kind that programs show in two ways, each 24 x 16 as it is shown."""
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 255, (4, 6, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    picture, exif = Image.fromarray(pixels), Image.Exif()
    profile = rgb_profile(P3, 2.2)
    exif[0x0112] = 3
    picture.save(folder / "turned.jpg", exif=exif, icc_profile=profile, quality=95)
    picture.save(folder / "kept.png", icc_profile=profile)
    picture.convert("L").save(folder / "grey.png")
    picture.convert("RGBA").save(folder / "opaque.png", icc_profile=profile)
    Image.fromarray(rng.integers(0, 65535, (16, 24), dtype=np.uint16)).save(folder / "deep.png")
    picture.save(folder / "lossless.webp", lossless=True, icc_profile=profile)


def test_photographs_are_stored_as_the_scorer_reads_them(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    _photographs(images)
    paths = sorted(images.iterdir())
    for path in paths:
        mask = np.zeros((16, 24), np.uint8)
        mask[4:8, 4:8] = 255
        Image.fromarray(mask).save(masks / f"{path.stem}.png")
    suite = build_folder(images, tmp_path / "suite", ["x"], masks=masks, thing="cat", name="own")
    assert len(suite) == len(paths) == 6
    for sample, path in zip(sorted(suite.samples, key=lambda s: s.id), paths, strict=True):
        assert np.array_equal(read_image(sample.image), read_image(path)), path.name


@pytest.mark.parametrize("kind", ["transparent", "CMYK"])
def test_photographs_that_the_scorer_refuses_are_refused(tmp_path: Path, kind: str) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    Image.fromarray(np.full((16, 24), 255, np.uint8)).save(masks / "a.png")
    if kind == "CMYK":
        Image.new("CMYK", (24, 16), (10, 20, 30, 40)).save(images / "a.jpg")
    else:
        Image.new("RGBA", (24, 16), (10, 20, 30, 40)).save(images / "a.png")
    with pytest.raises(InputError, match=kind):
        build_folder(images, tmp_path / "suite", ["x"], masks=masks, thing="cat", name="own")
    assert not (tmp_path / "suite").exists()


@pytest.mark.parametrize(
    ("names", "styles"), [("a", "Ink,ink"), ("a", "pixel art,pixel-art"), ("a,a-pixel", "pixel art,art")]
)
def test_names_that_would_be_one_are_told_apart_before_anything_is_written(
    tmp_path: Path, names: str, styles: str
) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for name in names.split(","):
        Image.new("RGB", (20, 10), "red").save(images / f"{name}.png")
        Image.fromarray(np.eye(10, 20, dtype=np.uint8) * 255).save(masks / f"{name}.png")
    with pytest.raises(InputError, match=r'would both be called "a-.*Rename one'):
        build_folder(images, tmp_path / "suite", styles.split(","), masks=masks, thing="cat", name="own")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]
