"""Sizes: aligned answers for any aspect ratio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionroute.sizes import choose_bucket, kontext_buckets, resize
from rses.errors import InputError


def test_kontext_buckets_are_fixed_points_of_the_pipeline():
    for width, height in kontext_buckets():
        assert choose_bucket((width, height), kontext_buckets()) == (width, height)
        # What the pipeline makes of the call's arguments when max_area is width * height.
        area, ratio = width * height, width / height
        assert round((area * ratio) ** 0.5) // 16 * 16 == width
        assert round((area / ratio) ** 0.5) // 16 * 16 == height


@settings(max_examples=40, deadline=None)
@given(st.integers(64, 3000), st.integers(64, 3000))
def test_the_bucket_mirrors_with_the_picture(width, height):
    if max(width, height) > 8 * min(width, height):
        return
    chosen = choose_bucket((width, height), kontext_buckets())
    flipped = choose_bucket((height, width), kontext_buckets())
    # Two buckets may be equally near; then both are right.
    assert abs(np.log(chosen[0] / chosen[1]) + np.log(flipped[0] / flipped[1])) < 0.15


def test_a_strip_is_refused():
    with pytest.raises(InputError, match="cannot be edited"):
        choose_bucket((900, 100), kontext_buckets())


def test_resize_keeps_equal_sizes_untouched():
    image = np.random.default_rng(0).integers(0, 255, (6, 9, 3), np.uint8)
    assert resize(image, (9, 6)) is image
    assert resize(image, (4, 8)).shape == (8, 4, 3)
