"""Image files of every kind are decoded right or refused; value ranges are guarded (P6)."""

from __future__ import annotations

import io
import os
import re
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from rses.errors import InputError, NonFiniteError
from rses.images.decode import image_size, is_lossy, read_image
from rses.images.file import MAX_BYTES
from rses.images.masks import read_mask
from rses.images.tensors import as_image, resize_image, to_uint8, write_png
from tests.helpers.png import chunk, header, png
from tests.helpers.profiles import P3, profile, rgb_profile
from tests.helpers.refusals import refused

quick = settings(max_examples=40, deadline=None)


def noise(height: int = 12, width: int = 16, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def cmyk_profile() -> bytes:
    """Lut8 profile whose Lab is linear between the 16 corners: paper white, black by K, cyan by C."""
    corners = []
    for index in range(16):
        c, m, y, k = (index >> 3) & 1, (index >> 2) & 1, (index >> 1) & 1, index & 1
        lightness = 100 * (1 - k) * (1 - 0.4 * c) * (1 - 0.5 * m) * (1 - 0.1 * y)
        a, b = (1 - k) * (-40 * c + 70 * m), (1 - k) * (-45 * c + 90 * y)
        corners += [round(lightness * 2.55), round(a) + 128, round(b) + 128]
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(corners) + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    return profile({b"A2B0": lut, b"A2B1": lut, b"wtpt": white}, b"prtr", b"CMYK", b"Lab ")


# Display P3 colorants adapted to D50 (https://www.color.org/chardata/rgb/DisplayP3.xalter).


def named(path: Path, pattern: str) -> None:
    """The message must name the file, and it must be the same sentence for whoever asks."""
    with pytest.raises(InputError, match=pattern) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_plain_modes_decode_to_the_same_pixels(tmp_path, mode):
    grey = noise(channels=1)[..., 0]
    image = Image.fromarray(grey).convert("RGB" if mode in ("RGB", "RGBA") else "L").convert(mode)
    image.save(tmp_path / "a.png")
    expected = np.where(grey > 127, 255, 0) if mode == "1" else grey
    got = read_image(tmp_path / "a.png")
    assert got.dtype == np.uint8
    if mode == "1":
        assert set(np.unique(got)) <= {0, 255}
    else:
        assert np.array_equal(got, np.repeat(expected[..., None], 3, axis=2))
    assert image_size(tmp_path / "a.png") == (12, 16)


def test_colour_palette_is_looked_up(tmp_path):
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    palette = [(255, 0, 0), (1, 2, 3), (0, 200, 9)]
    image = Image.new("P", (2, 2))
    image.putdata(indices.ravel().tolist())
    image.putpalette([value for colour in palette for value in colour])
    image.save(tmp_path / "p.png")
    assert np.array_equal(read_image(tmp_path / "p.png"), np.array(palette, np.uint8)[indices])


@pytest.mark.parametrize(
    "name", ["rgba", "la", "palette", "colour key", "grey key", "16-bit key", "16-bit grey key", "16-bit rgba"]
)
def test_real_transparency_is_refused(tmp_path, name):
    path = tmp_path / "t.png"
    deep = np.full((2, 3, 4), 65535)
    deep[0, 0] = (1, 2, 3, 4)
    if name == "rgba":
        Image.new("RGBA", (4, 4), (1, 2, 3, 254)).save(path)
    elif name == "la":
        Image.new("LA", (4, 4), (9, 0)).save(path)
    elif name == "palette":
        image = Image.new("P", (4, 4), 1)
        image.putpalette([0, 0, 0, 9, 9, 9])
        image.save(path, transparency=1)
    elif name == "colour key":
        path.write_bytes(png(np.full((2, 2, 3), 7), 8, 2, chunk(b"tRNS", struct.pack(">HHH", 7, 7, 7))))
    elif name == "grey key":
        path.write_bytes(png(np.full((2, 2), 7), 8, 0, chunk(b"tRNS", struct.pack(">H", 7))))
    elif name == "16-bit key":
        path.write_bytes(png(deep[..., :3], 16, 2, chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    elif name == "16-bit grey key":
        path.write_bytes(png(deep[..., 0], 16, 0, chunk(b"tRNS", struct.pack(">H", 1))))
    else:
        path.write_bytes(png(deep, 16, 6))
    named(path, "transparent.*(Flatten|Save)")


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_rounded_not_truncated_or_clipped(tmp_path, colour, channels):
    values = np.random.default_rng(1).integers(0, 65536, (9, 11, channels))
    values[0, :9, 0] = [0, 128, 129, 255, 256, 385, 386, 65406, 65535]
    if colour in (4, 6):
        values[..., -1] = 65535
    (tmp_path / "deep.png").write_bytes(png(values if channels > 1 else values[..., 0], 16, colour))
    exact = np.floor(values / 257 + 0.5).astype(np.uint8)
    expected = exact[..., :3] if channels >= 3 else np.repeat(exact[..., :1], 3, axis=2)
    got = read_image(tmp_path / "deep.png")
    assert np.array_equal(got, expected)
    truncated = (values >> 8).astype(np.uint8)
    assert not np.array_equal(got[..., 0], truncated[..., 0])


def test_sixteen_bits_survive_png_filters(tmp_path):
    """Rows filtered by "Sub" (type 1), as real encoders do: the trick of decoding byte planes must undo it."""
    values = np.random.default_rng(2).integers(0, 65536, (4, 6, 3))
    rows = b""
    for row in values:
        data = np.frombuffer(row.astype(">u2").tobytes(), np.uint8).astype(int)
        rows += b"\1" + (data - np.concatenate([np.zeros(6, int), data[:-6]])).astype(np.uint8).tobytes()
    (tmp_path / "f.png").write_bytes(png(values, 16, 2, rows=rows))
    assert np.array_equal(read_image(tmp_path / "f.png"), np.floor(values / 257 + 0.5).astype(np.uint8))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda p: Image.fromarray(np.ones((4, 4), np.int32)).save(p), id="32-bit integers"),
        pytest.param(lambda p: Image.fromarray(np.ones((4, 4), np.float32)).save(p), id="floats"),
        pytest.param(lambda p: Image.new("RGB", (4, 4)).save(p, tiffinfo={274: 6}), id="orientation"),
        pytest.param(
            lambda p: Image.new("L", (4, 4)).save(p, save_all=True, append_images=[Image.new("L", (4, 4))]), id="pages"
        ),
        pytest.param(lambda p: Image.new("LAB", (4, 4)).save(p), id="lab"),
    ],
)
def test_ambiguous_tiffs_are_refused(tmp_path, make):
    make(tmp_path / "a.tif")
    named(tmp_path / "a.tif", "Save")


def test_plain_and_deep_grey_tiffs_are_read(tmp_path):
    pixels = noise()
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert np.array_equal(read_image(tmp_path / "a.tif"), pixels)
    deep = np.array([[0, 128, 129, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.tif")
    assert read_image(tmp_path / "b.tif")[0, :, 0].tolist() == [0, 0, 1, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "png-late", "jpg", "webp"])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    stored = np.kron(noise(2, 3, seed=4), np.ones((16, 16, 1), np.uint8))
    turned = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(stored),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix[:4].rstrip('-')}"
    if suffix == "png-late":
        path.write_bytes(png(stored, 8, 2, after=chunk(b"eXIf", exif.tobytes()[6:])))
    else:
        options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}.get(suffix, {})
        Image.fromarray(stored).save(path, exif=exif, **options)
    got = read_image(path)
    assert got.shape == turned.shape
    assert np.abs(got.astype(int) - turned).max() <= (6 if suffix == "jpg" else 0)
    assert image_size(path) == turned.shape[:2]


def test_wide_gamut_profile_is_converted(tmp_path):
    """Against the colorimetry written out: gamma, matrix to XYZ, inverse sRGB matrix, sRGB curve."""
    patches = np.array([[[200, 60, 40], [128, 128, 128], [20, 140, 90], [250, 250, 10]]], np.uint8)
    Image.fromarray(patches).save(tmp_path / "p3.png", icc_profile=rgb_profile(P3, 2.2))
    xyz = (patches / 255) ** 2.2 @ np.array(P3)
    # sRGB colorants adapted to D50, from the ICC's sRGB profile.
    srgb = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]])
    linear = np.clip(xyz @ np.linalg.inv(srgb), 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    expected = np.round(255 * curve).astype(int)
    got = read_image(tmp_path / "p3.png").astype(int)
    assert np.abs(got - expected).max() <= 2
    assert np.abs(got - patches).max() > 15


def test_srgb_profile_changes_nothing(tmp_path):
    """Photographs often carry an sRGB profile and their edits do not: an untouched pixel must stay untouched."""
    from PIL import ImageCms

    pixels = noise(32, 32)
    embedded = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=embedded)
    assert np.array_equal(read_image(tmp_path / "a.png"), pixels)


def test_srgb_profiles_of_real_photographs_change_nothing(real_data):
    photos = [p for p in sorted(real_data.rglob("*.png")) if Image.open(p).info.get("icc_profile")]
    assert photos
    for path in photos:
        assert np.array_equal(read_image(path), np.asarray(Image.open(path).convert("RGB"))), path.name


@pytest.mark.parametrize(
    ("mode", "data", "pattern"),
    [("RGB", b"not a profile" * 20, "cannot be used"), ("RGB", cmyk_profile(), "colour profile for CMYK")],
)
def test_broken_or_foreign_profile_is_refused(tmp_path, mode, data, pattern):
    Image.new(mode, (4, 4), (10, 200, 30)).save(tmp_path / "a.png", icc_profile=data)
    named(tmp_path / "a.png", f"{pattern}.*(?s:.)*Remove the profile")


def test_cmyk_needs_a_profile(tmp_path):
    inks = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    inks.paste((255, 0, 0, 0), (8, 0, 16, 16))
    inks.save(tmp_path / "bare.jpg", quality=100)
    named(tmp_path / "bare.jpg", "CMYK without a colour profile.*RGB")
    inks.save(tmp_path / "good.jpg", quality=100, icc_profile=cmyk_profile())
    got = read_image(tmp_path / "good.jpg")
    assert got[4, 2].min() >= 250
    # Full cyan is Lab (60, -40, -45) in this profile; its red is out of gamut and clips to 0.
    red, green, blue = got[4, 13].astype(int)
    assert (red, green, blue) == pytest.approx((0, 162, 223), abs=6)
    naive = np.asarray(inks.convert("RGB"))[4, 13].astype(int)
    assert abs(naive - got[4, 13].astype(int)).max() > 30


def frames(n: int = 3) -> list[Image.Image]:
    return [Image.fromarray(noise(seed=seed)) for seed in range(n)]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_animations_and_pages_are_refused(tmp_path, suffix):
    first, *rest = frames()
    path = tmp_path / f"a.{suffix}"
    first.save(path, save_all=True, append_images=rest)
    named(path, "expected one")
    with refused(InputError, "ambiguous"):
        image_size(path)


def test_still_gif_and_the_photo_of_a_multi_picture_jpeg_are_read(tmp_path):
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "a.gif")
    assert read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]
    Image.new("RGB", (8, 8), (255, 0, 0)).save(
        tmp_path / "b.jpg", format="MPO", save_all=True, append_images=[Image.new("RGB", (4, 4), (0, 0, 255))]
    )
    assert Image.open(tmp_path / "b.jpg").format == "MPO"
    assert np.abs(read_image(tmp_path / "b.jpg")[0, 0].astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tif"])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_truncated_files_are_refused(tmp_path, suffix, keep):
    stream = io.BytesIO()
    formats = {"jpg": "JPEG", "tif": "TIFF"}
    Image.fromarray(noise(40, 40)).save(stream, format=formats.get(suffix, suffix.upper()))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(stream.getvalue()[: int(keep * len(stream.getvalue()))])
    named(path, "truncated|not an image")


@pytest.mark.parametrize("cut", [1, 4, 12, 13, 16, 17])
def test_png_cut_near_its_end_is_found_from_the_header(tmp_path, cut):
    """Pillow loads these; an interrupted copy must not pass as a finished file."""
    stream = io.BytesIO()
    Image.fromarray(noise(40, 40)).save(stream, format="PNG")
    path = tmp_path / "a.png"
    path.write_bytes(stream.getvalue()[:-cut])
    Image.open(path).load()
    with refused(InputError, "damaged", "a.png"):
        image_size(path)


def test_flipped_bits_are_refused(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(noise(40, 40)).save(stream, format="PNG")
    data = bytearray(stream.getvalue())
    data[500] ^= 255
    (tmp_path / "a.png").write_bytes(data)
    named(tmp_path / "a.png", "damaged")


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"hello, not an image\n" * 9, "not an image"),
        (b"\x89PNG\r\n\x1a\n", "."),
        # Pillow would hand PostScript to an interpreter.
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "is a PostScript file, which is not read"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(60), "is a HEIC file, which is not read. Save it as PNG"),
        (b"\x00\x00\x00\x18ftypmif1" + bytes(60), "is a HEIC file"),
        (b"\x00\x00\x00\x0cjP  \r\n" + bytes(60), "is a JPEG 2000 file"),
        (b"\xff\x0a\x00" + bytes(60), "is a JPEG XL file"),
        (b"8BPS\x00\x01" + bytes(60), "is a Photoshop file"),
        (b"<svg xmlns=" + bytes(60), "is a SVG.* file"),
        (b"\x00\x00\x01\x00\x01\x00" + bytes(60), "is a icon file"),
    ],
)
def test_files_that_are_no_images_are_refused_by_name(tmp_path, content, pattern):
    (tmp_path / "a.png").write_bytes(content)
    named(tmp_path / "a.png", pattern)
    with pytest.raises(InputError):
        image_size(tmp_path / "a.png")


def test_absent_file_and_folder_are_refused(tmp_path):
    named(tmp_path / "no.png", "does not exist")
    (tmp_path / "dir.png").mkdir()
    named(tmp_path / "dir.png", "is a folder")


def test_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path)

    def deny(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    # The administrator may read everything, so that file modes would test nothing there.
    monkeypatch.setattr(Path, "read_bytes", deny)
    named(path, "permission denied.*chmod")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (12_000, 12_000), (2**31 - 1, 1)])
def test_huge_images_are_refused_from_the_header(tmp_path, width, height):
    data = header(width, height) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (tmp_path / "big.png").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named(tmp_path / "big.png", "too large.*at most 67 million.*Scale it down")
        with refused(InputError, "too-large"):
            image_size(tmp_path / "big.png")


def test_files_larger_than_any_image_are_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    named(tmp_path / "a.png", "too large: 1024 MB")


def test_max_pixels_is_a_limit_not_a_hint(tmp_path):
    write_png(tmp_path / "a.png", noise(10, 10))
    assert read_image(tmp_path / "a.png", max_pixels=100).shape == (10, 10, 3)
    with refused(InputError, "too-large"):
        read_image(tmp_path / "a.png", max_pixels=99)


def test_gamma_chunk_is_ignored(tmp_path):
    pixels = noise()
    (tmp_path / "g.png").write_bytes(png(pixels, 8, 2, chunk(b"gAMA", struct.pack(">I", 100_000))))
    assert np.array_equal(read_image(tmp_path / "g.png"), pixels)


@pytest.mark.parametrize(
    ("suffix", "options", "lossy"),
    [
        ("png", {}, False),
        ("jpg", {}, True),
        ("webp", {}, True),
        ("webp", {"lossless": True}, False),
        ("webp", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}, True),
        ("bmp", {}, False),
        ("tif", {"compression": "jpeg"}, True),
        ("tif", {}, False),
    ],
)
def test_is_lossy(tmp_path, suffix, options, lossy):
    Image.fromarray(noise()).save(tmp_path / f"a.{suffix}", **options)
    assert is_lossy(tmp_path / f"a.{suffix}") is lossy


def test_reading_in_threads_keeps_the_warning_filters(tmp_path):
    for index in range(8):
        write_png(tmp_path / f"{index}.png", noise(seed=index))
    before = list(warnings.filters)
    results: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        results[index] = read_image(tmp_path / f"{index}.png")

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[index], noise(seed=index)) for index in range(8))
    assert warnings.filters == before


# --- as_image -------------------------------------------------------------------------------------------------


@quick
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_every_form_of_an_image_agrees(pixels):
    if pixels.max() == 1 and pixels.min() == 0:
        return
    expected = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(2, 0, 1)
    forms = [
        pixels,
        Image.fromarray(pixels),
        torch.from_numpy(pixels).permute(2, 0, 1),
        pixels / 255,
        pixels.astype(np.float32) / np.float32(255),
        (pixels.astype(np.float32) / np.float32(255)).astype(">f4"),
        expected.clone(),
        expected.double(),
    ]
    for form in forms:
        got = as_image(form)
        assert got.dtype == torch.float32
        assert got.is_contiguous()
        assert torch.equal(got, expected)
    assert np.array_equal(to_uint8(as_image(pixels)), pixels)


def test_path_grey_and_half_precision_forms(tmp_path):
    pixels = noise()
    write_png(tmp_path / "a.png", pixels)
    assert torch.equal(as_image(tmp_path / "a.png"), as_image(pixels))
    assert torch.equal(as_image(str(tmp_path / "a.png")), as_image(pixels))
    grey = pixels[..., 0]
    assert torch.equal(as_image(grey), as_image(np.repeat(grey[..., None], 3, axis=2)))
    assert as_image(torch.full((3, 2, 2), 0.5, dtype=torch.bfloat16)).unique().tolist() == [0.5]


def test_as_image_does_not_share_memory_or_gradients():
    x = torch.rand(3, 4, 4, requires_grad=True)
    got = as_image(x)
    got.zero_()
    assert not got.requires_grad
    assert float(x.detach().sum()) > 0


@quick
@given(
    st.floats(-300, -1e-4) | st.floats(1 + 1e-4, 300),
    st.integers(0, 3 * 4 * 5 - 1),
    st.sampled_from(["tensor", "array", "double"]),
)
def test_p6_one_value_outside_the_range_is_an_error(value, where, form):
    pixels = np.full((4, 5, 3), 0.5, np.float64 if form == "double" else np.float32)
    pixels.ravel()[where] = value
    x = torch.from_numpy(pixels).permute(2, 0, 1) if form == "tensor" else pixels
    with refused(InputError, "out-of-range"):
        as_image(x)


def test_p6_float_rounding_is_forgiven_and_removed():
    x = torch.tensor([-1e-7, 0.5, 1 + 1.2e-7]).reshape(1, 1, 3).expand(3, 1, 3)
    assert as_image(x)[0, 0].tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [
        (-1, 1, r"In \[-1, 1\]\? Apply \(x \+ 1\) / 2"),
        (0, 255, r"In 0\.\.255\? Pass uint8 or divide by 255"),
        (-0.02, 1.03, "Clamp"),
        (-2.1, 2.6, "mean and standard deviation"),
    ],
)
def test_p6_the_message_names_range_and_likely_cause(low, high, hint):
    x = torch.linspace(low, high, 48).reshape(3, 4, 4)
    with pytest.raises(InputError, match=hint) as caught:
        as_image(x)
    assert re.search(rf"\[{low:g}, {high:g}\]", str(caught.value))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_p6_non_finite_values_have_their_own_error(value):
    x = torch.full((3, 4, 4), 0.5)
    x[1, 2, 3] = value
    with pytest.raises(NonFiniteError):
        as_image(x)
    with pytest.raises(NonFiniteError):
        as_image(x.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("form", ["array", "tensor"])
def test_p6_floats_cast_to_uint8_are_noticed(form):
    cast = (noise(8, 8) > 128).astype(np.uint8)
    with refused(InputError, "out-of-range"):
        as_image(cast if form == "array" else torch.from_numpy(cast).permute(2, 0, 1))
    assert as_image(np.zeros((4, 4, 3), np.uint8)).max() == 0
    assert as_image(np.ones((4, 4, 3), np.uint8)).max() == pytest.approx(1 / 255)


@pytest.mark.parametrize(
    ("x", "hint"),
    [
        (np.zeros((3, 8, 9), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((8, 9, 4), np.uint8), "alpha"),
        (np.zeros((1, 8, 9, 3), np.uint8), r"x\[0\]"),
        (torch.zeros(8, 9, 3), r"permute\(2, 0, 1\)"),
        (torch.zeros(1, 3, 8, 9), r"x\[0\]"),
        (torch.zeros(1, 8, 9), r"\(3, H, W\)"),
        (np.zeros((8, 9, 3), np.int64), "uint8 in 0..255 or floating point"),
        (np.zeros((8, 9, 3), np.uint16), "uint8 in 0..255 or floating point"),
        (np.zeros((8, 9, 3), bool), "uint8 in 0..255 or floating point"),
        (torch.zeros(3, 8, 9, dtype=torch.int64), "uint8 in 0..255 or floating point"),
        (np.zeros((0, 9, 3), np.uint8), "no pixels"),
        (np.zeros((8, 9, 3), complex), "floating point"),
        (Image.new("F", (4, 4)), "no declared range"),
        (Image.new("RGBA", (4, 4)), "transparent"),
        ([1, 2, 3], "got list"),
    ],
)
def test_other_forms_are_refused_with_a_remedy(x, hint):
    with pytest.raises(InputError, match=hint):
        as_image(x)


# --- resizing and writing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(7, 9), (20, 30), (31, 64), (32, 48)])
def test_resize_equals_pillow_bicubic(size):
    """Pillow's float bicubic is antialiased and independent of torch."""
    pixels = np.random.default_rng(3).random((32, 48, 3), dtype=np.float32)
    got = resize_image(torch.from_numpy(pixels).permute(2, 0, 1)[None], size)[0]
    for channel in range(3):
        plane = Image.fromarray(pixels[..., channel]).resize(size[::-1], Image.Resampling.BICUBIC)
        assert np.allclose(got[channel].numpy(), np.clip(np.asarray(plane), 0, 1), atol=2e-6)


def test_resize_depends_neither_on_neighbours_nor_on_memory_layout():
    x = torch.rand(5, 3, 33, 41)
    together = resize_image(x, (16, 20))
    channels_last = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.equal(resize_image(channels_last, (16, 20)), together)
    for index in range(5):
        assert torch.equal(resize_image(x[index : index + 1], (16, 20)), together[index : index + 1])


def test_resize_clamps_and_is_the_identity_at_the_same_size():
    edge = torch.zeros(1, 3, 16, 16)
    edge[..., 8:] = 1
    big = resize_image(edge, (64, 64))
    assert big.min() == 0
    assert big.max() == 1
    assert resize_image(edge, (16, 16)) is edge
    with refused(ValueError, "out-of-range"):
        resize_image(edge, (0, 4))


def test_write_png_is_exact_and_atomic(tmp_path, monkeypatch):
    path = tmp_path / "new" / "a.png"
    pixels = noise()
    write_png(path, pixels)
    assert np.array_equal(np.asarray(Image.open(path)), pixels)

    def crash(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with refused(InputError, "unwritable"):
        write_png(path, 255 - pixels)
    assert np.array_equal(read_image(path), pixels)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]


def test_write_png_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with refused(InputError, "unwritable"):
        write_png(tmp_path / "file" / "a.png", noise())
    with refused(InputError, "wrong-shape"):
        write_png(tmp_path / "a.png", noise() / 255)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_pil_image_is_what_its_file_is(tmp_path, ending):
    pixels = np.random.default_rng(5).integers(0, 255, (16, 24, 3), np.uint8)
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        Image.fromarray(pixels).save(tmp_path / f"i.{ending}", exif=exif)
        with Image.open(tmp_path / f"i.{ending}") as image:
            assert torch.equal(as_image(image), as_image(tmp_path / f"i.{ending}")), orientation
            assert torch.equal(as_image(ImageOps.exif_transpose(image)), as_image(tmp_path / f"i.{ending}"))


def test_a_damaged_file_as_a_pil_image_is_one_message(tmp_path):
    Image.fromarray(np.random.default_rng(5).integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "i.png")
    content = (tmp_path / "i.png").read_bytes()
    (tmp_path / "i.png").write_bytes(content[: len(content) // 2])
    with Image.open(tmp_path / "i.png") as image, refused(InputError, "damaged"):
        as_image(image)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_tiff_is_refused_in_memory_as_it_is_as_a_file(tmp_path, orientation):
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[3:9, 4:20] = 200
    Image.fromarray(pixels).save(tmp_path / "t.tif", tiffinfo={274: orientation})
    with Image.open(tmp_path / "t.tif") as opened, refused(InputError, "unsupported"):
        as_image(opened)
    named(tmp_path / "t.tif", "TIFF with an orientation tag")


def test_a_dangling_link_is_named_and_another_is_followed(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "there.png")
    (tmp_path / "a.png").symlink_to(tmp_path / "there.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    assert read_image(tmp_path / "a.png").shape == (2, 3, 3)
    named(tmp_path / "b.png", "is a link to a file that does not exist")


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_avif_is_turned_as_its_tag_says(tmp_path, orientation):
    pytest.importorskip("PIL._avif")
    pixels = np.full((48, 64, 3), 30, np.uint8)
    pixels[:16, :16] = 220
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.avif", exif=exif, quality=95)
    expected = {1: pixels, 3: pixels[::-1, ::-1], 6: np.rot90(pixels, -1)}[orientation]
    assert image_size(tmp_path / "a.avif") == expected.shape[:2]
    assert np.abs(read_image(tmp_path / "a.avif").astype(int) - expected)[4:-4, 4:-4].mean() < 3


def test_a_palette_picture_without_its_palette_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.new("P", (16, 16), 1).save(path)
    data = path.read_bytes()
    start = data.index(b"PLTE") - 4
    length = int.from_bytes(data[start : start + 4], "big")
    path.write_bytes(data[:start] + data[start + 12 + length :])
    with refused(InputError, "damaged", "a.png"):
        read_image(path)
    with refused(InputError, "damaged", "a.png"):
        read_mask(path)
