"""Photographs of every kind keep their colours on the way into a suite, or are refused as scoring refuses them."""

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
RAMP = np.arange(W * H, dtype=np.uint16).reshape(H, W)
PIXELS = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
LAB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


PROFILE = rgb_profile(P3, 2.2)


def exif(turn: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = turn
    return tags


def rgba(alpha: int) -> Image.Image:
    picture = Image.fromarray(PIXELS)
    picture.putalpha(alpha)
    return picture


def keyed() -> Image.Image:
    picture = Image.fromarray(PIXELS).quantize(16)
    picture.info["transparency"] = 3
    return picture


RGB = Image.fromarray(PIXELS)
GREY = RGB.convert("L")
KINDS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "plain": ("png", RGB.save),
    "profile png": ("png", lambda file: RGB.save(file, icc_profile=PROFILE)),
    "profile jpeg": ("jpg", lambda file: RGB.save(file, icc_profile=PROFILE)),
    "profile webp": ("webp", lambda file: RGB.save(file, icc_profile=PROFILE, lossless=True)),
    "profile tiff": ("tif", lambda file: RGB.save(file, icc_profile=PROFILE)),
    "profile rgba": ("png", lambda file: rgba(255).save(file, icc_profile=PROFILE)),
    "profile of another space": ("jpg", lambda file: RGB.save(file, icc_profile=LAB_PROFILE)),
    "broken profile": ("png", lambda file: RGB.save(file, icc_profile=b"none")),
    **{
        f"turned {turn} {ending}": (
            ending,
            lambda file, turn=turn: RGB.save(file, exif=exif(turn), icc_profile=PROFILE),  # type: ignore[misc]
        )
        for turn in range(2, 9)
        for ending in ("jpg", "png")
    },
    "turned webp": ("webp", lambda file: RGB.save(file, exif=exif(6), icc_profile=PROFILE)),
    "turned tiff": ("tif", lambda file: RGB.save(file, exif=exif(6))),
    "grey": ("jpg", GREY.save),
    "grey of 16 bits": ("png", lambda file: Image.fromarray(RAMP * 170).save(file)),
    "grey of 16 bits, turned": ("png", lambda file: Image.fromarray(RAMP * 170).save(file, exif=exif(6))),
    "grey tiff of 16 bits": ("tif", lambda file: Image.fromarray(RAMP * 170).save(file)),
    "float tiff": ("tif", lambda file: Image.fromarray((RAMP / 400).astype(np.float32)).save(file)),
    "palette": ("png", lambda file: RGB.quantize(16).save(file)),
    "palette with a clear colour": ("png", lambda file: keyed().save(file, transparency=3)),
    "opaque": ("png", lambda file: rgba(255).save(file)),
    "half clear": ("png", lambda file: rgba(128).save(file)),
    "grey with alpha": ("png", lambda file: rgba(255).convert("LA").save(file)),
    "one bit": ("png", lambda file: GREY.convert("1").save(file)),
    "cmyk": ("jpg", lambda file: RGB.convert("CMYK").save(file)),
    "cmyk tiff": ("tif", lambda file: RGB.convert("CMYK").save(file)),
    "animated webp": ("webp", lambda file: RGB.save(file, save_all=True, append_images=[RGB.rotate(180)])),
    "animated png": ("png", lambda file: RGB.save(file, save_all=True, append_images=[RGB.rotate(180)])),
}


def decoded(file: Path) -> np.ndarray | None:
    try:
        return read_image(file)
    except InputError:
        return None


@pytest.mark.parametrize("kind", KINDS)
def test_suite_image_is_the_original_or_both_are_refused(kind: str, tmp_path: Path) -> None:
    ending, save = KINDS[kind]
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    photograph = tmp_path / "images" / f"a.{ending}"
    save(photograph)
    original = decoded(photograph)
    mask = np.zeros((H, W) if original is None else original.shape[:2], np.uint8)
    mask[2:9, 3:9] = 255
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")

    def build() -> np.ndarray:
        suite = build_folder(tmp_path / "images", tmp_path / "out", ["x"], masks=tmp_path / "masks", thing="cat")
        return read_image(suite.samples[0].image)

    if original is None:
        with pytest.raises(InputError):
            build()
        assert not (tmp_path / "out").exists()
    else:
        np.testing.assert_array_equal(build(), original)


def test_kinds_are_what_they_say(tmp_path: Path) -> None:
    """So that the test above cannot pass with refusals or plain files alone."""
    found = {}
    for number, (kind, (ending, save)) in enumerate(KINDS.items()):
        save(tmp_path / f"{number}.{ending}")
        found[kind] = decoded(tmp_path / f"{number}.{ending}")
    refused = {
        "profile of another space", "broken profile", "turned tiff", "float tiff", "palette with a clear colour",
        "half clear", "cmyk", "cmyk tiff", "animated webp", "animated png",
    }  # fmt: skip
    assert {kind for kind, pixels in found.items() if pixels is None} == refused
    plain = found["plain"]
    for kind in ("profile png", "profile webp", "profile tiff", "profile rgba"):
        assert np.abs(found[kind].astype(int) - plain).max() > 50
    np.testing.assert_array_equal(found["grey of 16 bits"][..., 0], np.round(RAMP * 170 / 257))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_that_is_the_mask_leaves_the_colours_alone(mode: str, tmp_path: Path) -> None:
    inside = np.zeros((H, W), np.uint8)
    inside[2:9, 3:9] = 255
    (tmp_path / "images").mkdir()
    flat = Image.fromarray(PIXELS) if mode == "RGBA" else GREY
    cut = flat.copy()
    cut.putalpha(Image.fromarray(inside))
    # A profile for RGB, as grey files often carry too.
    cut.save(tmp_path / "images" / "a.png", icc_profile=PROFILE, exif=exif(6))
    flat.save(tmp_path / "flat.png", icc_profile=PROFILE, exif=exif(6))
    sample = build_folder(tmp_path / "images", tmp_path / "out", ["x"], alpha=True, thing="cat").samples[0]
    np.testing.assert_array_equal(read_image(sample.image), read_image(tmp_path / "flat.png"))
    np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)), np.rot90(inside, -1))
