"""Pictures and masks in every form that is read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.fuzz.sandbox import Files, Target

SIDE = 16


def photo(mode: str = "RGB", side: int = SIDE) -> Image.Image:
    """Return a picture with noise in it."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).convert(mode)


def region(side: int = SIDE) -> Image.Image:
    """Return a mask, a quarter of the picture."""
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return Image.fromarray(mask)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image file."""
    memory = io.BytesIO()
    image.save(memory, kind, **options)
    return memory.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _photographs() -> list[tuple[str, bytes]]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngInfo()
    text.add_text("Software", "a" * 400, zip=True)
    text.add_itxt("Title", "\u00e9" * 50, zip=True)
    deep = np.random.default_rng(1).integers(0, 65536, (SIDE, SIDE), np.uint16)
    rgba = photo("RGBA")
    rgba.putalpha(255)
    return [
        ("a.png", encoded(photo())),
        ("a.png", encoded(photo("L"))),
        ("a.png", encoded(rgba)),
        ("a.png", encoded(photo("P"))),
        ("a.png", encoded(photo().quantize(4), bits=2)),
        ("a.png", encoded(photo("1"))),
        ("a.png", encoded(Image.fromarray(deep))),
        ("a.png", encoded(photo(), icc_profile=profile, pnginfo=text, exif=_exif(6))),
        ("a.jpg", encoded(photo(), "JPEG", exif=_exif(6), icc_profile=profile)),
        ("a.jpg", encoded(photo(), "JPEG", progressive=True)),
        ("a.jpg", encoded(photo("L"), "JPEG")),
        ("a.webp", encoded(photo(), "WEBP", quality=50)),
        ("a.webp", encoded(photo(), "WEBP", lossless=True, exif=_exif(3))),
        ("a.bmp", encoded(photo(), "BMP")),
        ("a.tif", encoded(photo(), "TIFF", compression="tiff_lzw")),
        ("a.tif", encoded(photo("L"), "TIFF", compression="tiff_adobe_deflate")),
        ("a.tif", encoded(Image.fromarray(deep), "TIFF")),
        ("a.gif", encoded(photo("P"), "GIF")),
        ("a.ppm", encoded(photo(), "PPM")),
        ("a.pgm", encoded(photo("L"), "PPM")),
    ]


def _masks() -> list[tuple[str, bytes]]:
    deep = Image.fromarray(np.asarray(region()).astype(np.uint16) * 257)
    labels = Image.fromarray((np.asarray(region()) > 0).astype(np.uint8))
    labels.putpalette([0, 0, 0, 255, 0, 0] + [0] * 750)
    return [
        ("a.png", encoded(region())),
        ("a.png", encoded(region().convert("1"))),
        ("a.png", encoded(region().convert("RGB"))),
        ("a.png", encoded(labels)),
        ("a.png", encoded(deep)),
        ("a.tif", encoded(region(), "TIFF")),
        ("a.bmp", encoded(region(), "BMP")),
    ]


def _image(folder: Path) -> None:
    from rses.images.decode import image_size, is_lossy, read_image
    from rses.images.tensors import as_image

    path = next(path for path in folder.iterdir() if path.name.startswith("a."))
    size = image_size(path)
    is_lossy(path)
    pixels = read_image(path)
    assert pixels.dtype == np.uint8, pixels.dtype
    assert pixels.shape == (*size, 3), f"{size} by its header, {pixels.shape} decoded"
    if pixels.size < 1 << 20:
        as_image(path)


def _mask(folder: Path) -> None:
    from rses.images.masks import read_mask

    mask = read_mask(next(path for path in folder.iterdir() if path.name.startswith("a.")))
    assert mask.dtype == bool, mask.dtype
    assert mask.ndim == 2, mask.shape


def _scored(which: str) -> list[Files]:
    parts = {"pred": encoded(photo("RGB", 16)), "source": encoded(photo("RGB", 16)), "masks": encoded(region(16))}
    seeds = []
    for name, data in _photographs() if which != "masks" else _masks():
        if name.endswith(".png"):
            own = {f"{place}/a.png": content for place, content in parts.items() if place != which}
            # The others follow its size.
            side = {"pred": photo(), "source": photo(), "masks": region()}
            own = {f"{place}/a.png": encoded(side[place]) for place in parts if place != which}
            seeds.append({**own, f"{which}/a.png": data})
    return seeds


def score_words(folder: Path, *more: str) -> Sequence[str]:
    """Score pixels alone, which needs no network."""
    return ("score", "--pred", str(folder / "pred"), "--masks", str(folder / "masks"), "--source",
            str(folder / "source"), "--style", "pixel art", "--protocol", "rses-mini", "--metrics", "mse_bg,psnr_bg",
            "--out", str(folder / "out"), "--device", "cpu", "--workers", "1", *more)  # fmt: skip


def _score(folder: Path) -> None:
    from rses.scoring.scorer import RSES

    RSES("rses-mini", device="cpu", metrics=["mse_bg", "psnr_bg"], workers=0).score_folder(
        folder / "pred", folder / "masks", folder / "source", "pixel art"
    )


def targets() -> list[Target]:
    """Decoding of pictures and masks, alone and within a scoring."""
    return [
        Target("image", lambda: [{name: data} for name, data in _photographs()], _image, ("",)),
        Target("mask", lambda: [{name: data} for name, data in _masks()], _mask, ("",)),
        Target("score a picture", lambda: _scored("pred"), _score, ("pred/a.png",), score_words),
        Target("score a mask", lambda: _scored("masks"), _score, ("masks/a.png",), score_words),
    ]
