"""Masks without weights: the cut against an exact one, and regions that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow
from skimage.color import rgb2lab

from rses.suites.segment import Prompt
from rses.suites.segment.classical import lab_of, least_cut, segment_by_colour


def _price(region, cost, across, down):
    edges = (across[:, :-1] * (region[:, 1:] != region[:, :-1])).sum() + (down[:-1] * (region[1:] != region[:-1])).sum()
    return float(cost[region].sum() + edges)


def _least_price(cost, across, down):
    """Price of the least cut, by the maximum flow through the grid."""
    height, width = cost.shape
    source, sink = cost.size, cost.size + 1
    node = np.arange(cost.size).reshape(cost.shape)
    ends = [(source, n, max(0, -int(c))) for n, c in zip(node.ravel(), cost.ravel(), strict=True)]
    ends += [(n, sink, max(0, int(c))) for n, c in zip(node.ravel(), cost.ravel(), strict=True)]
    for y in range(height):
        for x in range(width):
            if x + 1 < width:
                ends += [(node[y, x], node[y, x + 1], across[y, x]), (node[y, x + 1], node[y, x], across[y, x])]
            if y + 1 < height:
                ends += [(node[y, x], node[y + 1, x], down[y, x]), (node[y + 1, x], node[y, x], down[y, x])]
    rows, columns, values = (np.array(part, dtype=np.int32) for part in zip(*ends, strict=True))
    graph = csr_matrix((values, (rows, columns)), shape=(cost.size + 2,) * 2)
    return maximum_flow(graph, source, sink).flow_value + float(cost[cost < 0].sum())


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_cut_is_least(seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(-30, 30, (6, 7)).astype(float)
    across, down = rng.integers(0, 20, (6, 7)).astype(float), rng.integers(0, 20, (6, 7)).astype(float)
    across[:, -1], down[-1] = 0, 0
    found = least_cut(cost, across, down, np.zeros((6, 7)), steps=600) > 0.5
    assert _price(found, cost, across, down) == pytest.approx(_least_price(cost, across, down), abs=1e-6)


def test_colours_are_those_of_scikit_image():
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    image = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 17, 3)
    np.testing.assert_allclose(lab_of(image), rgb2lab(image), atol=1e-9)


def _disc(height=120, width=160, centre=(60, 70), radius=30):
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def _iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def scene():
    """A noisy red disc before noisy green and blue."""
    rng = np.random.default_rng(1)
    mask = _disc()
    image = np.where(np.arange(160)[None, :, None] < 80, (40, 120, 50), (50, 60, 140)) + rng.normal(
        0, 12, (120, 160, 3)
    )
    image[mask] = (190, 50, 40) + rng.normal(0, 12, (int(mask.sum()), 3))
    return image.clip(0, 255).astype(np.uint8), mask


def test_a_disc_is_found_from_a_loose_box_and_from_clicks(scene):
    image, mask = scene
    assert _iou(segment_by_colour(image, Prompt(box=(32, 22, 110, 98))), mask) > 0.97
    assert _iou(segment_by_colour(image, Prompt(points=((70.5, 60.5),), labels=(True,))), mask) > 0.97
    clicks = Prompt(points=((70.5, 60.5), (20.5, 20.5)), labels=(True, False))
    assert _iou(segment_by_colour(image, clicks), mask) > 0.97


def test_large_pictures_are_segmented_at_their_own_size(scene):
    image, mask = scene
    large = np.asarray(Image.fromarray(image).resize((800, 600), Image.Resampling.BICUBIC))
    truth = np.asarray(Image.fromarray(mask).resize((800, 600)))
    found = segment_by_colour(large, Prompt(box=(160, 110, 550, 490)))
    assert found.shape == (600, 800)
    assert _iou(found, truth) > 0.96


def test_nothing_outside_the_box_and_the_same_every_time(scene):
    image, _ = scene
    box = (60.0, 40.0, 150.0, 110.0)
    found = segment_by_colour(image, Prompt(box=box))
    assert not found[:40].any()
    assert not found[:, :60].any()
    assert not found[110:].any()
    np.testing.assert_array_equal(found, segment_by_colour(image, Prompt(box=box)))


@pytest.mark.parametrize("size", [(30, 40), (200, 300)])
def test_a_flat_picture_has_no_region(size):
    flat = np.full((*size, 3), 99, np.uint8)
    assert not segment_by_colour(flat, Prompt(box=(5, 5, 20, 20))).any()
    assert not segment_by_colour(flat, Prompt(box=(0, 0, size[1], size[0]))).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 50), (9, 4)])
def test_tiny_pictures(size):
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    for prompt in (Prompt(box=(0, 0, size[1], size[0])), Prompt(points=((0.5, 0.5),), labels=(True,))):
        assert segment_by_colour(image, prompt).shape == size


def test_real_photographs(real_data):
    ious = []
    for name in ("lemur", "cpsp_motorbike", "rembg_animal-1", "u2_whisk"):
        image = np.asarray(Image.open(real_data / "photos" / "images" / f"{name}.png").convert("RGB"))
        mask = np.asarray(Image.open(real_data / "photos" / "masks" / f"{name}.png").convert("L")) > 127
        rows, columns = np.nonzero(mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        ious.append(_iou(segment_by_colour(image, Prompt(box=box)), mask))
    assert min(ious) > 0.85
    assert np.mean(ious) > 0.92
