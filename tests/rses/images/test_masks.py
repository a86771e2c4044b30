"""Masks in every form agree (P4) or are refused; geometry against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw
from scipy import ndimage

from rses.errors import InputError
from rses.images.masks import as_mask, read_mask
from rses.images.regions import Window, boundary_band, bounding_box, dilate, region_crop, square_window
from rses.images.tensors import resize_image, write_png
from tests.helpers.png import COLOUR, GREY, png
from tests.helpers.refusals import refused

quick = settings(max_examples=60, deadline=None)
shapes = st.tuples(st.integers(5, 14), st.integers(5, 14))
bools = hnp.arrays(bool, shapes)


def disc(size: int = 64, radius: float = 15, scale: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Antialiased disc and the same disc drawn exactly."""
    big = Image.new("L", (size * scale, size * scale))
    centre, r = size * scale / 2 + 3, radius * scale
    ImageDraw.Draw(big).ellipse((centre - r, centre - r, centre + r, centre + r), fill=255)
    soft = np.asarray(big.resize((size, size), Image.Resampling.BOX))
    return soft, soft >= 127.5


@quick
@given(bools)
def test_p4_every_form_of_a_mask_agrees(mask):
    byte = mask.astype(np.uint8)
    forms = [
        mask,
        byte,
        byte * 255,
        mask.astype(np.float32),
        mask.astype(np.float64),
        mask.astype(np.int64),
        mask.astype(np.int64) * 255,
        mask[..., None],
        byte[None] * 255,
        np.repeat(byte[..., None], 3, axis=2) * 255,
        np.repeat(byte[None], 3, axis=0),
        np.dstack([byte * 255] * 3 + [np.full_like(byte, 255)]),
        torch.from_numpy(mask),
        torch.from_numpy(mask)[None].float(),
        torch.from_numpy(mask)[None, None],
        torch.from_numpy(mask).to(torch.bfloat16),
        torch.from_numpy(byte * 255),
        Image.fromarray(byte * 255),
        Image.fromarray(mask),
        Image.fromarray(byte * 255).convert("RGB"),
        Image.fromarray(byte * 255).convert("RGBA"),
    ]
    expected = torch.from_numpy(mask).float()[None]
    for index, form in enumerate(forms):
        got = as_mask(form, size=mask.shape)
        assert got.dtype == torch.float32
        assert torch.equal(got, expected), index


@settings(max_examples=15, deadline=None)
@given(mask=bools, kind=st.sampled_from(["1", "L", "RGB", "RGBA", "P", "I;16", "label", "tif"]))
def test_p4_every_kind_of_mask_file_agrees(tmp_path_factory, mask, kind):
    # A file of nothing but the value 15 may mean anything; it is refused.
    assume(kind != "label" or not mask.all())
    path = tmp_path_factory.mktemp("mask") / ("m.tif" if kind == "tif" else "m.png")
    if kind == "I;16":
        Image.fromarray(mask.astype(np.uint16) * 65535).save(path)
    elif kind == "label":
        image = Image.fromarray(mask.astype(np.uint8) * 15).convert("L")
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([0, 0, 0] + [(37 * i) % 256 for i in range(3, 768)])
        image.save(path)
    else:
        image = Image.fromarray(mask.astype(np.uint8) * 255)
        (image if kind == "tif" else image.convert(kind)).save(path)
    got = read_mask(path)
    assert got.dtype == np.bool_
    assert np.array_equal(got, mask)


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 0, 0)])
def test_a_palette_is_read_by_index_only_where_index_0_is_black(tmp_path, background):
    disc_ = disc()[1]
    image = Image.fromarray(disc_.astype(np.uint8))
    image.putpalette([*background, 0, 255, 0])
    image.save(tmp_path / "m.png")
    if background == (0, 0, 0):
        assert np.array_equal(read_mask(tmp_path / "m.png"), disc_)
    else:
        with refused(InputError, "coloured-mask"):
            read_mask(tmp_path / "m.png")
        with refused(InputError, "coloured-mask"):
            as_mask(Image.open(tmp_path / "m.png"))


@pytest.mark.parametrize("levels", [(0, 100, 200), (0, 1, 1000), (0, 26000, 26001), (0, 200, 300), (0, 1, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_labels_of_16_bits_are_not_merged(tmp_path, levels, channels):
    values = np.zeros((30, 30), np.uint16)
    values[:, 10:20], values[:, 20:] = levels[1:]
    save_16_bits(tmp_path / "m.png", values, channels)
    with pytest.raises(InputError, match=rf"areas of the values {', '.join(map(str, levels))}, expected two"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("level", [1, 255, 300, 26001, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_level_of_16_bits_is_the_region(tmp_path, level, channels):
    region = disc()[1]
    save_16_bits(tmp_path / "m.png", region.astype(np.uint16) * level, channels)
    assert np.array_equal(read_mask(tmp_path / "m.png"), region)
    soft = disc()[0].astype(np.uint16) * 257
    save_16_bits(tmp_path / "soft.png", soft, channels)
    assert np.array_equal(read_mask(tmp_path / "soft.png"), region)


def save_16_bits(path, values, channels):
    samples = np.repeat(values[..., None], channels, axis=2)
    path.write_bytes(png(samples, 16, GREY if channels == 1 else COLOUR))


@pytest.mark.parametrize("levels", [(0, 40, 255), (0, 220, 255), (0, 30, 30)])
def test_labels_in_a_jpeg_are_not_taken_for_its_noise(tmp_path, levels):
    values = np.full((120, 120), levels[0], np.uint8)
    values[:, 40:80], values[:, 80:] = levels[1:]
    Image.fromarray(values).save(tmp_path / "m.jpg", quality=95)
    with refused(InputError, "several-values"):
        read_mask(tmp_path / "m.jpg")


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 95])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_noise_of_a_jpeg_is_no_label(tmp_path, quality, mode):
    region = disc()[1]
    Image.fromarray(region.astype(np.uint8) * 255).convert(mode).save(tmp_path / "m.jpg", quality=quality)
    assert (read_mask(tmp_path / "m.jpg") != region).mean() < 0.01


def test_a_pil_image_is_turned_as_its_file_is(tmp_path):
    region = np.zeros((20, 30), np.uint8)
    region[:5, :9] = 255
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        Image.fromarray(region).save(tmp_path / "m.png", exif=exif)
        with Image.open(tmp_path / "m.png") as image:
            assert torch.equal(as_mask(image), as_mask(tmp_path / "m.png")), orientation


def test_antialiased_masks_are_cut_at_half(tmp_path):
    soft, hard = disc()
    assert len(np.unique(soft)) > 20
    write_png(tmp_path / "m.png", soft)
    assert np.array_equal(read_mask(tmp_path / "m.png"), hard)
    assert torch.equal(as_mask(soft / 255), as_mask(hard))
    assert abs(int(hard.sum()) - np.pi * 15**2) < 12


def test_half_counts_as_edit_for_floats_and_bytes():
    ramp = np.array([[0, 0, 127, 255, 255], [0, 0, 128, 255, 255]], np.uint8)
    assert as_mask(ramp)[0].tolist() == [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]
    floats = np.array([[0, 0, 0.49, 1, 1], [0, 0, 0.5, 1, 1]])
    assert as_mask(floats)[0].tolist() == [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]


def test_jpeg_masks_lose_their_ringing(tmp_path):
    soft, hard = disc()
    Image.fromarray(hard.astype(np.uint8) * 255).save(tmp_path / "m.jpg", quality=75)
    stored = np.asarray(Image.open(tmp_path / "m.jpg"))
    assert len(np.unique(stored)) > 10
    assert np.array_equal(read_mask(tmp_path / "m.jpg"), hard)


@pytest.mark.parametrize("levels", [(0, 128, 255), (0, 1, 2), (0, 15, 255), (10, 200, 255), (7, 240)])
@pytest.mark.parametrize("form", ["file", "array", "float"])
def test_label_maps_are_refused_and_their_values_named(tmp_path, levels, form):
    labels = np.repeat(np.repeat(np.array(levels, np.uint8), 8)[None], 20, axis=0)
    if form == "file":
        write_png(tmp_path / "m.png", labels)
        x = tmp_path / "m.png"
    else:
        x = labels if form == "array" else labels / 255
    with refused(InputError, "several-values") as caught:
        as_mask(x)
    named = [level / 255 for level in levels] if form == "float" else levels
    assert all(f"{level:g}" in str(caught.value) for level in named)
    assert "label" in str(caught.value)
    if form == "file":
        assert str(tmp_path / "m.png") in str(caught.value)


def test_label_maps_of_pascal_voc_are_refused(real_data):
    paths = sorted((real_data / "voc_layout").glob("Segmentation*/*.png"))
    assert len(paths) == 6
    for path in paths:
        with pytest.raises(InputError, match="label map"):
            read_mask(path)


def test_one_object_with_the_void_ring_of_pascal_voc_is_refused():
    labels = np.zeros((40, 40), np.uint8)
    labels[8:32, 8:32] = 255
    labels[10:30, 10:30] = 15
    with refused(InputError, "several-values"):
        as_mask(labels)


def test_real_masks_are_read_exactly(real_data):
    paths = sorted(real_data.glob("*/masks/*.png"))
    assert len(paths) == 28
    for path in paths:
        assert np.array_equal(read_mask(path), np.asarray(Image.open(path)) == 255), path.name


@pytest.mark.parametrize("name", ["photo", "feather", "saliency"])
def test_soft_masks_are_refused(name):
    rng = np.random.default_rng(0)
    soft, _ = disc()
    values = {
        "photo": rng.integers(0, 256, (64, 64)).astype(np.uint8),
        "feather": ndimage.gaussian_filter(soft.astype(float), 6).astype(np.uint8),
        "saliency": (255 * np.clip(ndimage.gaussian_filter(rng.normal(size=(64, 64)), 8) * 20, 0, 1)).astype(np.uint8),
    }[name]
    with pytest.raises(InputError, match="[Tt]hreshold"):
        as_mask(values)


@pytest.mark.parametrize(
    ("x", "hint"),
    [
        (np.full((4, 4), 255.0), r"outside \[0, 1\] \(255 to 255\)"),
        (np.full((4, 4), -0.1), r"outside \[0, 1\]"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), 300), "0/1 or 0/255"),
        (np.array([[-1, 1]]), "0/1 or 0/255"),
        (np.dstack([np.zeros((4, 4)), np.ones((4, 4)), np.ones((4, 4))]), "coloured"),
        (np.zeros((4, 4, 4), np.uint8), "two opposite meanings"),
        (Image.new("LA", (4, 4), (255, 0)), "two opposite meanings"),
        (Image.new("CMYK", (4, 4)), 'colour mode "CMYK"'),
        (np.zeros((2, 4, 5), bool), r"must have shape \(H, W\)"),
        (np.zeros((0, 4), bool), "no pixels"),
        (np.zeros((4, 4), complex), "must be bool"),
        ("missing.png", "missing.png does not exist"),
        ([[0, 1]], "got list"),
    ],
)
def test_other_masks_are_refused_with_a_remedy(x, hint):
    with pytest.raises(InputError, match=hint):
        as_mask(x)


def test_another_size_is_refused_by_name(tmp_path):
    write_png(tmp_path / "m.png", np.eye(8, dtype=bool))
    with refused(InputError, "wrong-size"):
        as_mask(tmp_path / "m.png", size=(8, 9))
    assert as_mask(tmp_path / "m.png", size=(8, 8)).shape == (1, 8, 8)


def test_mask_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    mask = np.zeros((4, 6), bool)
    mask[0, :3] = True
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "m.png", exif=exif)
    assert np.array_equal(read_mask(tmp_path / "m.png"), np.rot90(mask, -1))


def test_empty_and_full_masks_are_read_not_refused():
    for value, expected in [(0, 0), (255, 1), (1, 1)]:
        assert as_mask(np.full((4, 4), value, np.uint8)).unique().tolist() == [expected]
    assert as_mask(np.ones((4, 4), np.float32)).min() == 1


# --- geometry -------------------------------------------------------------------------------------------------


@quick
@given(bools)
def test_bounding_box_equals_brute_force(mask):
    assume(mask.any())
    rows, columns = np.nonzero(mask)
    expected = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    assert bounding_box(mask) == bounding_box(torch.from_numpy(mask).float()) == expected


def test_bounding_box_of_nothing_is_an_error():
    with refused(ValueError, "empty"):
        bounding_box(np.zeros((4, 4), bool))
    with refused(ValueError, "wrong-shape"):
        bounding_box(np.ones((1, 4, 4), bool))


@quick
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    pad=st.floats(0, 1),
)
def test_square_window_properties(size, corners, pad):
    height, width = size
    top, bottom = sorted((int(corners[0] * (height - 1)), int(corners[1] * (height - 1))))
    left, right = sorted((int(corners[2] * (width - 1)), int(corners[3] * (width - 1))))
    mask = np.zeros(size, bool)
    mask[top : bottom + 1, left : right + 1] = True
    window = square_window(mask, pad)
    margin = int(np.floor(pad * max(bottom + 1 - top, right + 1 - left) + 0.5))
    box = (
        max(0, top - margin),
        max(0, left - margin),
        min(height, bottom + 1 + margin),
        min(width, right + 1 + margin),
    )
    assert window.side == max(box[2] - box[0], box[3] - box[1])
    assert window.top <= box[0]
    assert window.left <= box[1]
    assert window.top + window.side >= box[2]
    assert window.left + window.side >= box[3]
    for start, limit, low, high in [(window.top, height, box[0], box[2]), (window.left, width, box[1], box[3])]:
        end = start + window.side
        if window.side <= limit:
            assert start >= 0
            assert end <= limit
            centred = abs((low - start) - (end - high)) <= 1
            assert centred or start == 0 or end == limit
        else:
            assert abs(-start - (end - limit)) <= 1


@pytest.mark.parametrize(
    ("box", "size", "pad", "window"),
    [
        ((40, 40, 60, 60), (100, 100), 0.1, Window(38, 38, 24)),
        ((40, 0, 60, 50), (100, 200), 0.1, Window(23, 0, 55)),
        ((0, 0, 30, 4), (30, 90), 0.0, Window(0, 0, 30)),
        ((0, 86, 30, 90), (30, 90), 0.0, Window(0, 60, 30)),
        ((5, 10, 15, 80), (30, 90), 0.0, Window(-20, 10, 70)),
    ],
)
def test_square_window_known_answers(box, size, pad, window):
    mask = torch.zeros(size)
    mask[box[0] : box[2], box[1] : box[3]] = 1
    assert square_window(mask, pad) == window
    assert square_window(mask.bool().numpy(), pad) == window


def test_region_crop_equals_slicing_and_resizing():
    x = torch.rand(1, 3, 50, 80)
    m = torch.zeros(1, 1, 50, 80)
    m[..., 10:30, 20:50] = 1
    expected = resize_image(x[..., 5:35, 20:50], (16, 16))
    assert torch.equal(region_crop(x, m, 16, pad=0), expected)


def test_region_crop_letterboxes_with_the_fill_colour():
    x = torch.ones(1, 3, 10, 30)
    got = region_crop(x, torch.ones(1, 1, 10, 30), 30, pad=0, fill=(0.25, 0.5, 0.75))
    assert got[0, :, 0, 0].tolist() == got[0, :, -1, -1].tolist() == [0.25, 0.5, 0.75]
    assert torch.equal(got[..., 10:20, :], x)
    assert (got[0, 0, :10] == 0.25).all()
    assert (got[0, 0, 20:] == 0.25).all()


def test_masked_region_hides_everything_outside_before_resizing():
    m = torch.zeros(1, 1, 40, 40)
    m[..., 10:30, 12:20] = 1
    x = torch.rand(1, 3, 40, 40)
    other = torch.where(m > 0, x, torch.rand(1, 3, 40, 40))
    a, b = (region_crop(image, m, 13, region="masked") for image in (x, other))
    assert torch.equal(a, b)
    a, b = (region_crop(image, m, 13, region="crop") for image in (x, other))
    assert not torch.equal(a, b)
    window = square_window(m[0, 0], 0.1)
    same = region_crop(x, m, window.side, region="masked", fill=(0.1, 0.2, 0.3))
    inside = m[..., window.top : window.top + window.side, window.left : window.left + window.side].bool()
    assert torch.equal(same[:, 1:2][~inside], torch.full_like(same[:, 1:2][~inside], 0.2))


@pytest.mark.parametrize("region", ["crop", "masked"])
def test_region_crop_of_a_sample_ignores_its_batch(region):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(6, 3, 48, 64, generator=generator)
    m = torch.zeros(6, 1, 48, 64)
    for index in range(6):
        m[index, :, 3 + index : 20 + 4 * index, 5 * index : 20 + 7 * index] = 1
    together = region_crop(x, m, 24, region=region)
    assert together.shape == (6, 3, 24, 24)
    for order in ([5], [2, 0], [4, 3, 1]):
        assert torch.equal(region_crop(x[order], m[order], 24, region=region), together[order])
    layout = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.equal(region_crop(layout, m, 24, region=region), together)
    assert torch.equal(region_crop(x, m.bool(), 24, region=region), together)


def test_region_crop_refuses_what_it_cannot_mean():
    x, m = torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    with refused(ValueError, "unknown-value"):
        region_crop(x, m, 4, region="frame")
    with refused(ValueError, "wrong-shape"):
        region_crop(x, m[0], 4)
    with refused(ValueError, "empty"):
        region_crop(x, m * 0, 4)
    with refused(ValueError, "out-of-range"):
        region_crop(x, m, 4, pad=-1)


@quick
@given(bools, st.integers(0, 5))
def test_dilate_equals_scipy(mask, k):
    expected = ndimage.binary_dilation(mask, np.ones((3, 3)), iterations=k) if k else mask
    x = torch.from_numpy(mask)
    assert np.array_equal(dilate(x, k).numpy(), expected)
    assert np.array_equal(dilate(x[None, None].float(), k)[0, 0].numpy(), expected.astype(np.float32))
    assert np.array_equal(boundary_band(x, k).numpy(), expected & ~mask)
    assert torch.equal(boundary_band(x.float(), k), boundary_band(x, k).float())


def test_dilate_keeps_samples_apart_and_refuses_negative_widths():
    m = torch.zeros(2, 1, 6, 6)
    m[0, 0, 2, 2] = 1
    assert dilate(m, 9)[0].min() == 1
    assert dilate(m, 9)[1].max() == 0
    with refused(ValueError, "out-of-range"):
        dilate(m, -1)
