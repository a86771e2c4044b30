"""Targets: the styled picture inside, the source outside, and a blend only where it was asked for."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionroute.data.composite import composite
from rses.errors import InputError
from rses.images.regions import dilate
from tests.helpers.refusals import refused


def pictures(seed: int = 0, size: tuple[int, int] = (40, 56)):
    rng = np.random.default_rng(seed)
    source, styled = (rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2))
    mask = np.zeros(size, bool)
    mask[10:30, 15:45] = True
    return source, styled, mask


def grown(mask, pixels):
    return dilate(torch.from_numpy(mask), pixels).numpy()


def test_a_hard_cut_is_exact_on_both_sides():
    source, styled, mask = pictures()
    before = source.copy(), styled.copy(), mask.copy()
    target = composite(source, styled, mask)
    np.testing.assert_array_equal(target[mask], styled[mask])
    np.testing.assert_array_equal(target[~mask], source[~mask])
    assert target.dtype == np.uint8
    assert all(np.array_equal(a, b) for a, b in zip(before, (source, styled, mask), strict=True))


@settings(max_examples=40, deadline=None)
@given(feather=st.floats(0, 12), seed=st.integers(0, 20), share=st.floats(0.01, 0.9))
def test_beyond_the_feather_nothing_changes(feather, seed, share):
    source, styled, _ = pictures(seed, (24, 31))
    mask = np.random.default_rng(seed).random((24, 31)) < share
    mask[3, 4] = True
    target = composite(source, styled, mask, feather)
    outside = ~grown(mask, int(np.ceil(feather)))
    inside = ~grown(~mask, int(np.ceil(feather)))
    np.testing.assert_array_equal(target[outside], source[outside])
    np.testing.assert_array_equal(target[inside], styled[inside])
    low, high = np.minimum(source, styled), np.maximum(source, styled)
    assert bool(((target >= low) & (target <= high)).all())


def test_the_blend_is_a_ramp_centred_on_the_edge():
    source, styled = np.zeros((1, 16, 3), np.uint8), np.full((1, 16, 3), 240, np.uint8)
    mask = (np.arange(16) >= 8)[None]
    ramp = composite(source, styled, mask, 4)[0, :, 0].tolist()
    assert ramp == [0, 0, 0, 0, 15, 45, 75, 105, 135, 165, 195, 225, 240, 240, 240, 240]


def test_the_picture_border_is_no_edge():
    source, styled, _ = pictures()
    mask = np.ones((40, 56), bool)
    np.testing.assert_array_equal(composite(source, styled, mask, 5), styled)
    mask[:, 28:] = False
    np.testing.assert_array_equal(composite(source, styled, mask, 5)[:, :22], styled[:, :22])


def test_bad_input_is_named():
    source, styled, mask = pictures()
    for arguments, code in [
        ((source, styled, np.zeros_like(mask)), "empty"),
        ((source, styled[:-1], mask), "wrong-size"),
        ((source, styled, mask[:, 1:]), "wrong-size"),
        ((source / 255.0, styled, mask), "wrong-shape"),
        ((source, styled[..., 0], mask), "wrong-shape"),
        ((source, styled, mask * 255), "wrong-shape"),
        ((source, styled, mask, -1), "out-of-range"),
        ((source, styled, mask, float("nan")), "out-of-range"),
    ]:
        with refused(InputError, code):
            composite(*arguments)
