"""The classical styles: exact masks, determinism, monotone strength, readable errors, distinct looks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from baselines.classical import PHRASES, STYLES, sheet, stylize
from baselines.classical.common import jittered_cells, kuwahara, streamlines
from rses.errors import InputError

# Mean red, green and blue and the overall deviation of the 64-pixel astronaut at seed 5. The embedded weights are
# trained on these looks: a style that drifts from them needs new weights.
LOOKS = {
    "pixel art": (161.5, 97.7, 80.0, 92.2),
    "cyberpunk": (63.2, 59.5, 105.4, 60.5),
    "expressionism": (121.1, 85.6, 64.0, 66.5),
    "line art": (203.1, 203.1, 203.1, 98.4),
    "watercolor": (188.2, 151.6, 138.4, 55.3),
    "oil painting": (151.5, 89.8, 66.1, 85.9),
    "pencil sketch": (145.9, 146.6, 148.2, 89.5),
    "charcoal drawing": (90.9, 90.0, 88.2, 67.0),
    "cartoon": (149.7, 103.9, 80.0, 100.8),
    "pop art": (177.5, 121.3, 99.6, 92.2),
    "mosaic": (180.0, 151.1, 137.5, 60.1),
    "stained glass": (94.7, 59.7, 48.5, 82.9),
    "halftone comic": (131.2, 83.2, 65.9, 106.3),
    "pointillism": (166.2, 114.3, 100.1, 76.7),
    "low poly": (156.6, 107.8, 94.9, 78.5),
    "sepia photograph": (155.8, 119.8, 80.0, 61.4),
    "ink wash painting": (148.8, 141.4, 130.6, 69.8),
    "blueprint": (73.0, 111.3, 183.8, 78.3),
    "woodcut": (115.2, 114.3, 110.8, 112.0),
    "vaporwave": (167.6, 157.3, 226.9, 56.5),
}
NAMES = list(LOOKS)


def photo(name: str = "astronaut", height: int = 64, width: int = 64) -> np.ndarray:
    picture = Image.fromarray(getattr(skimage.data, name)())
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX))


def mean_change(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.mark.parametrize("style", NAMES)
def test_same_seed_same_bytes_and_the_input_is_untouched(style):
    source = photo()
    before = source.copy()
    first = stylize(source, style, seed=7)
    np.random.default_rng(0).random(10)
    assert first.dtype == np.uint8
    assert first.shape == source.shape
    assert np.array_equal(first, stylize(source, style, seed=7))
    assert np.array_equal(source, before)


@pytest.mark.parametrize("style", NAMES)
def test_seeds_vary_a_style_but_keep_it_away_from_the_photo(style):
    source = photo("coffee", 128, 128)
    looks = [stylize(source, style, seed=seed) for seed in range(4)]
    # Line art and cartoon have no random texture: their seeds only change line width and vividness.
    least = 0.1 if style in ("line art", "cartoon") else 5.0
    for a, b in itertools.combinations(looks, 2):
        assert mean_change(a, b) > least
    assert all(mean_change(look, source) > 8 for look in looks)


@pytest.mark.parametrize("style", NAMES)
def test_the_look_is_the_one_the_embedded_weights_know(style):
    styled = stylize(photo(), style, seed=5).astype(float)
    assert np.allclose([*styled.mean((0, 1)), styled.std()], LOOKS[style], atol=1.0)


@pytest.mark.parametrize("style", NAMES)
@pytest.mark.parametrize("size", [(16, 16), (16, 61), (97, 23), (150, 40)])
def test_any_size_from_sixteen_pixels(style, size):
    source = photo("chelsea", *size)
    styled = stylize(source, style)
    assert styled.shape == source.shape
    assert mean_change(styled, source) > 3


@pytest.mark.parametrize("style", NAMES)
@pytest.mark.parametrize("value", [0, 127, 255])
def test_flat_images_do_not_break_a_style(style, value):
    source = np.full((20, 33, 3), value, np.uint8)
    with np.errstate(all="raise", under="ignore"):
        assert stylize(source, style).shape == source.shape


@settings(max_examples=20, deadline=None)
@given(
    style=st.sampled_from(NAMES),
    height=st.integers(16, 40),
    width=st.integers(16, 40),
    seed=st.integers(0, 2**32),
    density=st.floats(0, 1),
    strength=st.floats(0.1, 2),
)
def test_mask_is_exact(style, height, width, seed, density, strength):
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask = rng.random((height, width)) < density
    masked = stylize(source, style, mask=mask, strength=strength, seed=seed)
    assert np.array_equal(masked[~mask], source[~mask])
    # Inside, the region looks as if everything were styled.
    assert np.array_equal(masked[mask], stylize(source, style, strength=strength, seed=seed)[mask])


@pytest.mark.parametrize("style", NAMES)
def test_more_strength_changes_more_up_to_the_full_style(style):
    for name in ("astronaut", "coffee", "rocket"):
        source = photo(name)
        looks = {s: stylize(source, style, strength=s) for s in (0.2, 0.5, 0.8, 1.0)}
        changes = [mean_change(look, source) for look in looks.values()]
        assert all(b > a for a, b in itertools.pairwise(changes)), changes
        assert changes[3] > 4 * changes[0]
        assert np.abs(looks[0.5] - (source + looks[1.0].astype(float)) / 2).max() <= 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"style": "pixle art"}, ["pixle art", 'Did you mean "pixel art"?']),
        ({"image": np.zeros((32, 32, 3), np.float32)}, ["uint8", "float32", "255"]),
        ({"image": np.zeros((32, 32), np.uint8)}, ["(H, W, 3)", "(32, 32)"]),
        ({"image": np.zeros((32, 32, 4), np.uint8)}, ["(H, W, 3)", "(32, 32, 4)"]),
        ({"image": "cat.png"}, ["numpy array", "str"]),
        ({"image": np.zeros((15, 32, 3), np.uint8)}, ["at least 16", "(15, 32)"]),
        ({"mask": np.ones((32, 31), bool)}, ["(32, 32)", "(32, 31)"]),
        ({"mask": np.ones((32, 32), np.uint8)}, ["boolean", "uint8", "mask > 0"]),
        ({"strength": 0.0}, ["strength", "0.0"]),
        ({"strength": float("nan")}, ["strength", "nan"]),
        ({"seed": -1}, ["seed", "-1"]),
    ],
)
def test_errors_say_what_came_and_what_to_do(arguments, words):
    call = {"image": np.zeros((32, 32, 3), np.uint8), "style": "mosaic", **arguments}
    with pytest.raises(InputError) as caught:
        stylize(call.pop("image"), call.pop("style"), **call)
    assert len(caught.value.problems) == 1
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_phrases_are_many_and_belong_to_one_style():
    assert list(PHRASES) == list(STYLES) == NAMES
    assert all(len(phrases) >= 8 and phrases[0] == style for style, phrases in PHRASES.items())
    plain = [" ".join(p.lower().replace("-", " ").split()) for phrases in PHRASES.values() for p in phrases]
    owners = [style for style, phrases in PHRASES.items() for _ in phrases]
    owner_of: dict[str, str] = {}
    for phrase, owner in zip(plain, owners, strict=True):
        assert owner_of.setdefault(phrase, owner) == owner, phrase


def test_feature_sizes_follow_the_image_size():
    small, large = (stylize(photo("coffee", side, side), "pixel art", seed=2) for side in (128, 512))
    runs = [int((np.abs(np.diff(image.astype(int), axis=1)).sum(axis=(0, 2)) > 0).sum()) for image in (small, large)]
    assert runs[0] == runs[1]


def test_cells_are_voronoi_cells_of_their_seeds():
    cells = jittered_cells((40, 30), 7.0, 0.0, np.random.default_rng(0))
    rows, columns = np.mgrid[:40, :30]
    own = np.hypot(rows - cells.rows[cells.labels], columns - cells.columns[cells.labels])
    inside = (cells.rows[cells.labels] % 39 != 0) & (cells.columns[cells.labels] % 29 != 0)
    # Stored seeds are rounded to pixels, hence the tolerance of a pixel's diagonal.
    assert np.abs(own - cells.nearest)[inside].max() < 0.75
    assert (cells.second >= cells.nearest).all()


def test_streamlines_average_along_the_flow_only():
    stripes = np.tile((np.arange(32) % 2).astype(np.float32)[:, None], (1, 32))
    zero, one = np.zeros((32, 32), np.float32), np.ones((32, 32), np.float32)
    assert np.allclose(streamlines(stripes, (zero, one), 6), stripes)
    across = streamlines(stripes, (one, zero), 6)
    assert np.abs(across[8:-8] - 0.5).max() < 0.05


def test_kuwahara_keeps_a_step_edge_and_flattens_noise():
    step = np.zeros((20, 20, 3), np.float32)
    step[:, 10:] = 1
    assert np.abs(kuwahara(step, 4) - step).max() < 1e-6
    noise = np.random.default_rng(0).random((40, 40, 3), dtype=np.float32)
    assert kuwahara(noise, 4).std() < 0.5 * noise.std()


def test_sheet_is_written(tmp_path):
    out = tmp_path / "new" / "sheet.png"
    sheet.main(["--out", str(out), "--size", "32", "--photos", "coffee", "rocket", "--styles", "mosaic", "woodcut"])
    with Image.open(out) as picture:
        assert picture.size == (4 * 36 + 4, 2 * (18 + 36) + 4)
