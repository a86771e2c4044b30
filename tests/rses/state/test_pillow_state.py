"""What is read does not depend on Pillow's process-wide switches, nor on warnings that were turned into errors."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from rses import RSES
from rses.errors import InputError
from rses.images.decode import image_size, read_image
from rses.images.masks import read_mask
from rses.state.pillow import SWITCHES, nobody_decodes, pillow_defaults
from rses.state.process import MethodState
from tests.helpers.refusals import refused

SAVED = {
    "png": {}, "jpg": {}, "webp": {}, "bmp": {}, "gif": {}, "ppm": {}, "tif": {"compression": "tiff_lzw"},
    "avif": {}, "jfif": {"format": "JPEG"},
}  # fmt: skip


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def save(folder: Path, ending: str, pixels: np.ndarray) -> Path:
    if ending == "avif":
        pytest.importorskip("PIL._avif")
    path = folder / f"a.{ending}"
    Image.fromarray(pixels).save(path, **SAVED[ending])
    return path


@pytest.mark.parametrize("ending", SAVED)
def test_half_a_file_is_refused_whatever_the_switch(tmp_path, monkeypatch, pixels, ending):
    path = save(tmp_path, ending, pixels)
    whole = read_image(path)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert np.array_equal(read_image(path), whole)
    data = path.read_bytes()
    for share in (0.5, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        with refused(InputError, "damaged"):
            read_image(path)


def test_an_opened_picture_is_not_completed_with_grey_either(tmp_path, monkeypatch, pixels):
    path = save(tmp_path, "jpg", pixels)
    path.write_bytes(path.read_bytes()[:700])
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    mask = np.zeros((24, 32), bool)
    mask[4:8, 4:8] = True
    with Image.open(path) as opened, refused(InputError, "damaged"):
        RSES("rses-mini", metrics=["mse_bg"]).score(opened, pixels, mask)


@pytest.mark.parametrize("limit", [1, 400, None])
def test_pixel_limits_of_the_caller_change_nothing(tmp_path, monkeypatch, pixels, limit):
    path = save(tmp_path, "png", pixels)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read_image(path), pixels)
        assert image_size(path) == (24, 32)
        with refused(InputError, "too-large"):
            read_image(path, max_pixels=100)


def test_a_bomb_is_refused_from_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for name, size in (("a.png", (60_000, 60_000)), ("b.gif", (65_535, 65_535)), ("c.bmp", (40_000, 40_000))):
        small = Image.new("P", (1, 1))
        small.save(tmp_path / name)
        data = bytearray((tmp_path / name).read_bytes())
        if name == "a.png":
            data[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
            data[29:33] = __import__("zlib").crc32(data[12:29]).to_bytes(4, "big")
        elif name == "b.gif":
            data[6:10] = size[0].to_bytes(2, "little") * 2
        else:
            data[18:26] = size[0].to_bytes(4, "little") * 2
        (tmp_path / name).write_bytes(bytes(data))
        with refused(InputError, "too-large"):
            read_image(tmp_path / name)


def test_a_mask_in_a_gif_is_read_by_index_under_every_loading_strategy(tmp_path, monkeypatch):
    labels = np.zeros((8, 8), np.uint8)
    labels[2:5, 2:5] = 1
    image = Image.fromarray(labels, "P")
    image.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
    image.save(tmp_path / "m.gif")
    monkeypatch.setattr(GifImagePlugin, "LOADING_STRATEGY", GifImagePlugin.LoadingStrategy.RGB_ALWAYS)
    assert np.array_equal(read_mask(tmp_path / "m.gif"), labels == 1)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (PngImagePlugin, "MAX_TEXT_CHUNK", 1),
        (PngImagePlugin, "MAX_TEXT_MEMORY", 1),
        (BmpImagePlugin, "USE_RAW_ALPHA", True),
        (TiffImagePlugin, "READ_LIBTIFF", True),
    ],
)
def test_other_switches(tmp_path, monkeypatch, pixels, module, name, value):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "long " * 20, zip=True)
    Image.fromarray(pixels).save(tmp_path / "a.png", pnginfo=text)
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 7, np.uint8)])
    Image.fromarray(rgba, "RGBA").save(tmp_path / "b.bmp")
    Image.fromarray(pixels).save(tmp_path / "c.tif")
    before = [read_image(path) for path in sorted(tmp_path.iterdir()) if path.suffix != ".bmp"]
    monkeypatch.setattr(module, name, value)
    after = [read_image(path) for path in sorted(tmp_path.iterdir()) if path.suffix != ".bmp"]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert getattr(module, name) == value


def test_warnings_as_errors_change_nothing(tmp_path):
    image = Image.fromarray(np.zeros((8, 8), np.uint8), "P")
    image.putpalette([9, 9, 9] * 256)
    image.save(tmp_path / "p.png", transparency=bytes([255] * 256))
    Image.new("RGB", (8, 8)).save(tmp_path / "e.jpg", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x09broken")
    expected = [read_image(path) for path in sorted(tmp_path.iterdir())]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [read_image(path) for path in sorted(tmp_path.iterdir())]
        assert warnings.filters[0][0] == "error"
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_the_callers_values_come_back_after_the_last_thread(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with pillow_defaults():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with pillow_defaults():
        thread.start()
        assert inside.wait(10)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    leave.set()
    thread.join()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    with pytest.raises(ZeroDivisionError), pillow_defaults():
        _ = 1 / 0
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_a_thread_that_decodes_puts_back_nothing_of_a_method(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    inside, leave = threading.Event(), threading.Event()

    def decode() -> None:
        with pillow_defaults(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=decode)
    before = list(warnings.filters)
    with MethodState().own():
        warnings.simplefilter("error")
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        thread.start()
        assert inside.wait(10)
        threading.Timer(0.2, leave.set).start()
    thread.join()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert list(warnings.filters) == before


def test_decoding_within_decoding_waits_for_nobody():
    swapped = threading.Event()

    def swap() -> None:
        with nobody_decodes():
            swapped.set()

    thread = threading.Thread(target=swap)
    with pillow_defaults():
        thread.start()
        assert not swapped.wait(0.1)
        with pillow_defaults():
            assert not swapped.is_set()
        with pytest.raises(RuntimeError), nobody_decodes():
            pass
    thread.join(10)
    assert swapped.is_set()


def test_the_defaults_are_those_of_this_pillow(monkeypatch):
    import subprocess
    import sys

    code = (
        "from rses.state.pillow import SWITCHES\n"
        "print([n for (m, n), v in SWITCHES.items() if hasattr(m, n) and getattr(m, n) != v])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    assert len(SWITCHES) >= 8
