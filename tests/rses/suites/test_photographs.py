"""Photographs keep their colours on the way into a suite, as bytes or pixels, or are refused as scoring does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from rses.errors import InputError
from rses.images.decode import read_image
from rses.suites.own_folder import build_folder
from tests.helpers.profiles import P3, rgb_profile

W, H = 24, 16
PIXELS = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
LAB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
PROFILE = rgb_profile(P3, 2.2)
RGB = Image.fromarray(PIXELS)
KEPT, STORED, REFUSED = "its bytes are kept", "its pixels are stored", "it is refused"


def exif(turn: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = turn
    return tags


def rgba(alpha: int) -> Image.Image:
    picture = Image.fromarray(PIXELS)
    picture.putalpha(alpha)
    return picture


CASES: list[tuple[str, Callable[[Path], object], str]] = [
    ("png", RGB.save, KEPT),
    ("jpg", lambda file: RGB.save(file, icc_profile=PROFILE), KEPT),
    ("png", lambda file: RGB.save(file, icc_profile=PROFILE), KEPT),
    ("jpg", lambda file: RGB.save(file, icc_profile=LAB_PROFILE), REFUSED),
    ("png", lambda file: RGB.save(file, icc_profile=b"none"), REFUSED),
    ("png", lambda file: RGB.save(file, transparency=(1, 2, 3)), STORED),
    ("webp", lambda file: RGB.save(file, icc_profile=PROFILE, lossless=True), STORED),
    *[(ending, lambda file, turn=turn: RGB.save(file, exif=exif(turn), icc_profile=PROFILE), STORED)  # type: ignore[misc]
      for turn, ending in ((2, "jpg"), (3, "png"), (6, "jpg"), (6, "png"), (6, "webp"), (7, "png"))],
    ("tif", lambda file: RGB.save(file, exif=exif(6)), REFUSED),
    ("png", lambda file: Image.fromarray(np.arange(W * H, dtype=np.uint16).reshape(H, W) * 170).save(file), STORED),
    ("png", lambda file: RGB.quantize(16).save(file), STORED),
    ("png", lambda file: RGB.convert("L").save(file), STORED),
    ("png", lambda file: rgba(255).save(file, icc_profile=PROFILE), STORED),
    ("png", lambda file: rgba(128).save(file), REFUSED),
    ("jpg", lambda file: RGB.convert("CMYK").save(file), REFUSED),
    ("png", lambda file: RGB.save(file, save_all=True, append_images=[RGB.rotate(180)]), REFUSED),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_suite_image_is_the_original_or_both_are_refused(number: int, tmp_path: Path) -> None:
    ending, save, outcome = CASES[number]
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    photograph = tmp_path / "images" / f"a.{ending}"
    save(photograph)
    original = None if outcome == REFUSED else read_image(photograph)
    mask = np.zeros((H, W) if original is None else original.shape[:2], np.uint8)
    mask[2:9, 3:9] = 255
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    arguments = (tmp_path / "images", tmp_path / "out", ["x"])
    if original is None:
        with pytest.raises(InputError):
            read_image(photograph)
        with pytest.raises(InputError):
            build_folder(*arguments, masks=tmp_path / "masks", thing="cat")
        assert not (tmp_path / "out").exists()
        return
    (sample,) = build_folder(*arguments, masks=tmp_path / "masks", thing="cat").samples
    np.testing.assert_array_equal(read_image(sample.image), original)
    assert (sample.image.read_bytes() == photograph.read_bytes()) == (outcome == KEPT)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_that_is_the_mask_leaves_the_colours_alone(mode: str, tmp_path: Path) -> None:
    inside = np.zeros((H, W), np.uint8)
    inside[2:9, 3:9] = 255
    (tmp_path / "images").mkdir()
    flat = RGB if mode == "RGBA" else RGB.convert("L")
    cut = flat.copy()
    cut.putalpha(Image.fromarray(inside))
    # A profile for RGB, as grey files often carry too.
    cut.save(tmp_path / "images" / "a.png", icc_profile=PROFILE, exif=exif(6))
    flat.save(tmp_path / "flat.png", icc_profile=PROFILE, exif=exif(6))
    sample = build_folder(tmp_path / "images", tmp_path / "out", ["x"], alpha=True, thing="cat").samples[0]
    np.testing.assert_array_equal(read_image(sample.image), read_image(tmp_path / "flat.png"))
    np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)), np.rot90(inside, -1))
