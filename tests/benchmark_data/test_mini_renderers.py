"""Training data of the embedded style encoder: renderers and photographs held out, nuisances, groups and views.

Only the recipe needs OpenCV and ImageMagick; without them these tests are skipped.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="needs OpenCV: pip install opencv-python-headless")
if shutil.which("convert", path="/usr/bin") is None:
    pytest.skip("needs ImageMagick: apt-get install imagemagick", allow_module_level=True)

from PIL import Image

from baselines.classical import STYLES
from benchmark_data.recipes.mini import content, data, photographs, quiet
from benchmark_data.recipes.mini.held_out import HELD_OUT_PHOTOS
from benchmark_data.recipes.mini.nuisances import FIXED, disturb
from benchmark_data.recipes.mini.renderers import HELD_OUT, TRAINING
from benchmark_data.recipes.mini.unseen import FIXED_TEST, TEN
from benchmark_data.recipes.mini.views import MEAN_COLOUR, group_views


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.ascontiguousarray(content.skimage_photo("coffee.png")[80:176, 200:296])


@pytest.fixture
def pictures(tmp_path):
    """One photograph and one cut-out object, in place of the downloaded ones."""
    for name in ("photos", "cutouts"):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (200, 260, 3), dtype=np.uint8)).save(tmp_path / "photos" / "a.jpg")
    disc = np.zeros((80, 80, 4), np.uint8)
    disc[20:60, 10:70] = (200, 30, 30, 255)
    Image.fromarray(disc).save(tmp_path / "cutouts" / "b.png")
    yield tmp_path
    photographs.photographs.cache_clear()
    photographs.cutouts.cache_clear()


def test_no_renderer_is_both_trained_on_and_held_out():
    trained = {r.__name__ for renderers in TRAINING.values() for r in renderers}
    held_out = {r.__name__ for renderers in HELD_OUT.values() for r in renderers}
    assert not trained & held_out
    assert set(TRAINING) == set(HELD_OUT) == set(STYLES)
    assert min(len(r) for r in TRAINING.values()) >= 4
    assert min(len(r) for r in HELD_OUT.values()) >= 2


@pytest.mark.parametrize("style", list(STYLES))
def test_renderers_keep_the_size_repeat_and_change_the_picture(style, picture):
    for renderer in (*TRAINING[style], *HELD_OUT[style]):
        first = renderer(picture, np.random.default_rng(3))
        assert first.shape == picture.shape, renderer.__name__
        assert first.dtype == np.uint8, renderer.__name__
        assert np.array_equal(first, renderer(picture, np.random.default_rng(3))), renderer.__name__
        assert np.abs(first.astype(int) - picture).mean() > 2, renderer.__name__


def test_the_fixed_test_pixelates_as_pillow_does():
    ramp = np.repeat(np.arange(0, 240, 5, dtype=np.uint8)[None], 48, axis=0)
    image = np.repeat(ramp[..., None], 3, axis=2)
    style, edit = FIXED_TEST["pixelation 16 px"]
    assert style == "pixel art"
    assert edit(image)[0, ::16, 0].tolist() == [38, 118, 198]
    assert len(np.unique(edit(image))) == 3
    assert len(TEN) == len(set(TEN)) == 10
    assert {s for s, _ in FIXED_TEST.values()} <= set(TEN)


def test_nuisances_keep_the_size_and_repeat(picture):
    for seed in range(25):
        first = disturb(picture, np.random.default_rng(seed))
        assert first.shape == picture.shape
        assert first.dtype == np.uint8
        assert np.array_equal(first, disturb(picture, np.random.default_rng(seed)))
    for name, nuisance in FIXED.items():
        assert np.array_equal(nuisance(picture), nuisance(picture)), name
    assert FIXED["brighter"](np.full((4, 4, 3), 100, np.uint8))[0, 0, 0] == 131  # 100 + 0.12 * 255, rounded


def test_every_kind_of_nuisance_changes_the_view_and_repeats(pictures):
    for seed in (4, 5):  # a content, an object of a scene
        views = quiet.quiet_views(seed, pictures, 64, (0.5, 0.5, 0.5))
        assert views.shape == (1 + len(quiet.KINDS), 3, 64, 64)
        assert torch.equal(views, quiet.quiet_views(seed, pictures, 64, (0.5, 0.5, 0.5)))
        assert all((view != views[0]).any() for view in views[1:])


def test_training_opens_no_held_out_photograph(monkeypatch, pictures):
    assert not set(content.TRAINING_PHOTOS) & set(HELD_OUT_PHOTOS)
    opened: list[str] = []
    original = content.skimage_photo
    monkeypatch.setattr(content, "skimage_photo", lambda name: opened.append(name) or original(name))
    for seed in range(40):
        content.make_content(seed, pictures)
    assert opened
    assert set(opened) <= set(content.TRAINING_PHOTOS)


def test_groups_repeat_and_hold_different_styles(pictures):
    first, again = data.make_group(5, pictures), data.make_group(5, pictures)
    assert np.array_equal(first.styled, again.styled)
    assert first.source.shape == (data.SIDE, data.SIDE, 3)
    assert len(set(first.labels.tolist())) == data.STYLES_A_CONTENT
    assert 0 not in first.labels


def test_views_cut_all_versions_alike_and_hide_what_they_should():
    side = data.SIDE
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    source = np.repeat(np.stack(np.broadcast_arrays(ramp[:, None], ramp[None])[:1], axis=-1), 3, axis=2)
    masks = np.zeros((2, side, side), np.uint8)
    masks[:, 60:200, 90:230] = 255
    versions = np.repeat(source[None], data.NUISANCES_A_CONTENT, axis=0)
    group = data.Group(source, masks, versions, versions[:2], np.array([1, 2]))
    corners = []
    for seed in range(40):
        views = group_views(np.random.default_rng(seed), group, 64)
        assert views.shape == (1 + data.NUISANCES_A_CONTENT + 2, 64, 64, 3)
        assert all(np.array_equal(view, views[0]) for view in views)
        corners.append(tuple(views[0, 0, 0].tolist()))
    assert tuple(MEAN_COLOUR.tolist()) in corners
    assert len(set(corners)) > 3
