"""Bringing cells to pixels, and putting the edit there."""

from __future__ import annotations

import numpy as np
import pytest

from regionroute.matting import blend, refine_mask


def scene(width=128, height=96, left=35, right=79):
    """A red block on noise-free green; its edges lie off the grid of cells of 8 pixels."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 1] = 120
    picture[20:70, left:right] = (200, 30, 30)
    return picture, (picture[..., 0] > 100)


def cells_of(mask, side=8):
    height, width = mask.shape
    return mask.reshape(height // side, side, width // side, side).mean((1, 3))


def iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def test_edges_of_the_source_sharpen_the_cells():
    picture, truth = scene()
    cells = cells_of(truth)
    blocks = cells.repeat(8, 0).repeat(8, 1) > 0.5
    fine = refine_mask(cells, picture, (128, 96))
    assert fine.shape == truth.shape
    assert fine.dtype == np.float32
    assert fine.min() == 0
    assert fine.max() == 1
    assert iou(fine > 0.5, truth) > 0.97
    assert iou(fine > 0.5, truth) > iou(blocks, truth)


def test_far_from_the_object_the_mask_is_zero_exactly():
    picture, truth = scene()
    rng = np.random.default_rng(0)
    noisy = (picture + rng.integers(0, 20, picture.shape)).astype(np.uint8)
    cells = np.maximum(cells_of(truth), 0.04)  # A logistic is never 0.
    fine = refine_mask(cells, noisy, (128, 96))
    assert not fine[:, 112:].any()
    assert not fine[90:].any()


@pytest.mark.parametrize("size", [(64, 48), (300, 217), (128, 96)])
def test_the_mask_has_the_size_of_the_source_and_lies_on_top_of_it(size):
    width, height = size
    picture, truth = scene()
    from PIL import Image

    source = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    fine = refine_mask(cells_of(truth), source, (128, 96))
    assert fine.shape == (height, width)
    rows, columns = np.nonzero(fine > 0.5)
    assert columns.mean() / width == pytest.approx(np.nonzero(truth)[1].mean() / 128, abs=0.01)
    assert rows.mean() / height == pytest.approx(np.nonzero(truth)[0].mean() / 96, abs=0.01)


def test_nothing_and_everything_stay_so():
    picture, _ = scene()
    assert not refine_mask(np.zeros((12, 16)), picture, (128, 96)).any()
    assert (refine_mask(np.ones((12, 16)), picture, (128, 96)) == 1).all()


def test_blending_keeps_the_pixels_of_both_sides():
    rng = np.random.default_rng(0)
    source, edit = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    mask = np.zeros((8, 8), np.float32)
    mask[2:5], mask[5] = 1, 0.25
    mixed = blend(source, edit, mask)
    assert np.array_equal(mixed[mask == 0], source[mask == 0])
    assert np.array_equal(mixed[mask == 1], edit[mask == 1])
    assert np.array_equal(mixed[5], np.round(0.75 * source[5].astype(float) + 0.25 * edit[5]).astype(np.uint8))
