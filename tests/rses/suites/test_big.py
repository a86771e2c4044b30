"""BIG: pairs of files, read as the scorer reads them, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.suites.readers import BigReader
from tests.helpers import layouts
from tests.helpers.refusals import refused

REGION = np.zeros((24, 32), bool)
REGION[6:15, 8:20] = True


def test_pairs_and_faults(tmp_path: Path) -> None:
    layouts.big(tmp_path)
    reader = BigReader(tmp_path)
    assert [reader.read(key).instances[0].label for key in sorted(reader.keys())] == ["aeroplane", "cow"]
    assert reader.read("cow_2").instances[0].mask().sum() == 15 * 12
    (tmp_path / "cow_2_gt.png").unlink()
    layouts.photograph(tmp_path / "thing_im.jpg")
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "thing_gt.png")
    (tmp_path / "classes.csv").write_text("name;object\nthing;kite\n")
    assert BigReader(tmp_path, classes=tmp_path / "classes.csv").read("thing").instances[0].label == "kite"
    reader = BigReader(tmp_path)
    assert reader.keys() == ["aeroplane_1"]
    absent, unnamed = (entry.detail for entry in reader.left_out)
    assert str(tmp_path) not in absent
    assert "no mask" in absent
    assert "no class in the name" in unnamed
    (tmp_path / "aeroplane_1_im.jpg").unlink()
    with pytest.raises(InputError) as caught:
        BigReader(tmp_path)
    assert len(caught.value.problems) == 3


def _pair(root: Path, key: str, mask: np.ndarray, photograph: int = 1, turn: int = 1) -> None:
    root.mkdir(exist_ok=True)
    pixels = np.full((24, 32, 3) if photograph == 1 else (32, 24, 3), 90, np.uint8)
    for name, array, orientation in ((f"{key}_im.png", pixels, photograph), (f"{key}_gt.png", mask, turn)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(array).save(root / name, exif=exif)


def test_masks_are_read_as_the_scorer_reads_them(tmp_path: Path) -> None:
    _pair(tmp_path, "dog_1", REGION.astype(np.uint8))
    labels = np.where(REGION, 200, 0).astype(np.uint8)
    labels[18:22, 2:30] = 140
    _pair(tmp_path, "dog_2", labels)
    _pair(tmp_path, "dog_3", REGION.astype(np.uint8) * 255, photograph=6)
    _pair(tmp_path, "dog_4", np.rot90(REGION).astype(np.uint8) * 255, turn=6)
    reader = BigReader(tmp_path)
    for key in ("dog_1", "dog_3", "dog_4"):
        picture = reader.read(key)
        assert (picture.width, picture.height) == (32, 24), key
        assert np.array_equal(picture.instances[0].mask(), REGION), key
    with refused(InputError, "several-values"):
        reader.read("dog_2").instances[0].mask()


def test_links_are_followed_and_two_files_of_one_name_named(tmp_path: Path) -> None:
    _pair(tmp_path / "big", "dog_1", REGION.astype(np.uint8) * 255)
    (tmp_path / "big" / "dog_1_im.png").rename(tmp_path / "x.png")
    (tmp_path / "big" / "dog_1_im.png").symlink_to(tmp_path / "x.png")
    assert BigReader(tmp_path / "big").read("dog_1").width == 32
    Image.fromarray(REGION).save(tmp_path / "big" / "dog_1_gt.bmp")
    with refused(InputError, "ambiguous"):
        BigReader(tmp_path / "big")
