"""What the ladders draw: nothing but what they say, from nothing upwards."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from scipy import ndimage
from skimage.feature import canny

from rses.images.nuisances import LUMA, NUISANCES
from rses.table import METRICS
from rses.validate.ladders import LADDERS, Scene
from rses.validate.renderers import CHOICES, RENDERERS, canny_lines, pixelation


@pytest.fixture(scope="module")
def scene():
    mask = np.zeros((96, 120), bool)
    mask[30:70, 40:90] = True
    return Scene(skimage.data.astronaut()[60:156, 170:290], mask, seed=1)


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.name)
def test_ladders_begin_with_nothing_and_change_their_side_alone(ladder, scene):
    start = scene.image if ladder.start == "source" else scene.edited
    steps = [ladder.draw(scene, step) for step in ladder.steps]
    assert np.array_equal(steps[0], start)
    kept = ~scene.mask if ladder.start == "source" else scene.mask
    changes = [np.abs(step.astype(int) - start).mean() for step in steps[1:]]
    assert 0 < changes[0] < changes[-1]
    assert all(step.dtype == np.uint8 and np.array_equal(step[kept], start[kept]) for step in steps)
    assert np.array_equal(steps[-1], ladder.draw(scene, ladder.steps[-1]))
    assert set(ladder.expected) <= set(METRICS)
    assert set(ladder.expected.values()) <= {"rise", "fall", "stay"}


@pytest.mark.parametrize("name", [*RENDERERS, *NUISANCES])
def test_changes_keep_the_form_and_repeat(name, scene):
    change = NUISANCES.get(name)
    make = RENDERERS[name][1] if change is None else lambda image: change(image, 3)
    made = make(scene.image)
    assert (made.shape, made.dtype) == (scene.image.shape, np.uint8)
    assert (made != scene.image).any(axis=2).mean() > 0.3
    assert np.array_equal(made, make(scene.image))


def test_styles_are_among_the_choices():
    assert {style for style, _ in RENDERERS.values()} <= set(CHOICES)
    assert len(set(CHOICES)) == 10


def test_blocks_are_means():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    means = image.reshape(4, 8, 6, 8, 3).mean(axis=(1, 3))
    assert np.abs(pixelation(image, 8)[::8, ::8] - means).max() <= 1
    assert np.array_equal(pixelation(image, 1), image)


def test_lines_are_those_of_scikit_image(scene):
    ours = canny_lines(scene.image)[..., 0] == 0
    theirs = canny(scene.image @ LUMA, sigma=1.4, low_threshold=20, high_threshold=50, mode="reflect")
    for these, those in ((ours, theirs), (theirs, ours)):
        near = ndimage.binary_dilation(those, iterations=2)
        assert these.any()
        assert near[these].mean() > 0.9
