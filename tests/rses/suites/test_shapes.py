"""Polygons and run lengths against independent references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from rses.suites.shapes import draw_polygons, run_lengths, unfold_runs


def compress(counts: list[int]) -> str:
    """Write counts as rleToString of the COCO API does."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            code = value & 0x1F
            value >>= 5
            more = value != -1 if code & 0x10 else value != 0
            text += chr((code | 0x20 if more else code) + 48)
    return text


@given(st.lists(st.integers(0, 100_000), max_size=30))
def test_compressed_counts_round_trip(counts: list[int]) -> None:
    assert run_lengths(compress(counts)) == counts


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_runs_go_down_columns(width: int, height: int, data: st.DataObject) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    counts, value = [0], False
    for pixel in flat:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    expected = np.array([[flat[x * height + y] for x in range(width)] for y in range(height)])
    np.testing.assert_array_equal(unfold_runs(counts, width, height), expected)
    np.testing.assert_array_equal(unfold_runs(compress(counts), width, height), expected)


@pytest.mark.parametrize("counts", [[3], [-1, 7], [1.5, 4.5], None, "1", "P", "~"])
def test_unsound_runs_are_refused(counts: object) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        unfold_runs(counts, 3, 2)


@given(st.lists(st.tuples(st.floats(-3, 23), st.floats(-3, 18)), min_size=3, max_size=7))
def test_polygon_takes_pixels_whose_centre_is_inside(points: list[tuple[float, float]]) -> None:
    # Quarter steps off the pixel centres, so that no centre lies on an edge's end.
    shape = np.round(np.array(points) * 2) / 2 + np.array([0.13, 0.29])
    mask = draw_polygons([shape.ravel().tolist()], 20, 15)
    centres = np.array([(x + 0.5, y + 0.5) for y in range(15) for x in range(20)])
    expected = points_in_poly(centres, shape).reshape(15, 20)
    assert (mask != expected).sum() <= 1  # A centre exactly on an edge may go either way.
