"""Pictures and masks in every form that is read, alone and within a scoring."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from rses.images.decode import image_size, is_lossy, read_image
from rses.images.masks import read_mask
from rses.images.tensors import as_image
from rses.scoring.scorer import RSES
from tests.fuzz.sandbox import Files, Target
from tests.helpers.small import encoded, photo, region


def exif(orientation: int) -> Image.Exif:
    facts = Image.Exif()
    facts[0x0112] = orientation
    return facts


def photographs() -> list[Files]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngInfo()
    text.add_text("Software", "a" * 400, zip=True)
    text.add_itxt("Title", "\u00e9" * 50, zip=True)
    deep = Image.fromarray(np.random.default_rng(1).integers(0, 65536, (16, 16), np.uint16))
    opaque = photo("RGBA")
    opaque.putalpha(255)
    return [
        *({"a.png": encoded(picture)} for picture in (photo(), photo("L"), opaque, photo("P"), photo("1"), deep)),
        {"a.png": encoded(photo().quantize(4), bits=2)},
        {"a.png": encoded(photo(), icc_profile=profile, pnginfo=text, exif=exif(6))},
        {"a.jpg": encoded(photo(), "JPEG", exif=exif(6), icc_profile=profile)},
        {"a.jpg": encoded(photo(), "JPEG", progressive=True)},
        {"a.jpg": encoded(photo("L"), "JPEG")},
        {"a.webp": encoded(photo(), "WEBP", quality=50)},
        {"a.webp": encoded(photo(), "WEBP", lossless=True, exif=exif(3))},
        {"a.bmp": encoded(photo(), "BMP")},
        {"a.tif": encoded(photo(), "TIFF", compression="tiff_lzw")},
        {"a.tif": encoded(photo("L"), "TIFF", compression="tiff_adobe_deflate")},
        {"a.tif": encoded(deep, "TIFF")},
        {"a.gif": encoded(photo("P"), "GIF")},
        {"a.ppm": encoded(photo(), "PPM")},
        {"a.pgm": encoded(photo("L"), "PPM")},
    ]


def masks() -> list[Files]:
    deep = Image.fromarray(np.asarray(region()).astype(np.uint16) * 257)
    labels = Image.fromarray((np.asarray(region()) > 0).astype(np.uint8))
    labels.putpalette([0, 0, 0, 255, 0, 0] + [0] * 750)
    forms = (region(), region().convert("1"), region().convert("RGB"), labels, deep)
    return [
        *({"a.png": encoded(form)} for form in forms),
        {"a.tif": encoded(region(), "TIFF")},
        {"a.bmp": encoded(region(), "BMP")},
    ]


def decode(folder: Path) -> None:
    path = next(folder.glob("a.*"))
    size = image_size(path)
    is_lossy(path)
    pixels = read_image(path)
    assert pixels.dtype == np.uint8, pixels.dtype
    assert pixels.shape == (*size, 3), f"{size} by its header, {pixels.shape} decoded"
    if pixels.size < 1 << 20:
        as_image(path)


def decode_mask(folder: Path) -> None:
    mask = read_mask(next(folder.glob("a.*")))
    assert (mask.dtype, mask.ndim) == (bool, 2), (mask.dtype, mask.shape)


def scored(role: str) -> list[Files]:
    """Return a folder for each PNG as the prediction or the mask of a sound sample."""
    sound = {"pred/a.png": encoded(photo()), "source/a.png": encoded(photo()), "masks/a.png": encoded(region())}
    forms = masks() if role == "masks" else photographs()
    return [{**sound, f"{role}/a.png": form["a.png"]} for form in forms if "a.png" in form]


def score(folder: Path) -> None:
    scorer = RSES("rses-mini", device="cpu", metrics=["mse_bg", "psnr_bg"], workers=0)
    scorer.score_folder(folder / "pred", folder / "masks", folder / "source", "pixel art")


SCORE = (
    "rses score --pred @/pred --masks @/masks --source @/source --style 'pixel art' --protocol rses-mini "
    "--metrics mse_bg,psnr_bg --out @/out --device cpu --workers 1"
)
TARGETS = [
    Target("image", photographs, decode, ("",)),
    Target("mask", masks, decode_mask, ("",)),
    Target("score a picture", functools.partial(scored, "pred"), score, ("pred/a.png",), SCORE),
    Target("score a mask", functools.partial(scored, "masks"), score, ("masks/a.png",), SCORE),
]  # fmt: skip
