"""Polygons and run lengths against independent references."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from rses.suites.shapes import draw_coco_polygons, draw_polygons, run_lengths, unfold_runs

GOLDEN = json.loads((Path(__file__).parent / "coco_polygons.json").read_text())["cases"]


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
    # Half steps and an offset whose parts have no rational ratio: no edge passes through a centre.
    shape = np.round(np.array(points) * 2) / 2 + np.sqrt([2.0, 3.0]) / 7
    mask = draw_polygons([shape.ravel().tolist()], 20, 15)
    centres = np.array([(x + 0.5, y + 0.5) for y in range(15) for x in range(20)])
    np.testing.assert_array_equal(mask, points_in_poly(centres, shape).reshape(15, 20))


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_coco_polygons_are_those_of_the_coco_api(case: dict) -> None:
    """Its own output, frozen: also with whole and half coordinates, doubled corners, slivers, and far outside."""
    width, height = case["width"], case["height"]
    expected = unfold_runs(case["counts"], width, height)
    np.testing.assert_array_equal(draw_coco_polygons([case["polygon"]], width, height), expected)


def test_coco_polygons_of_one_thing_are_joined() -> None:
    both = draw_coco_polygons([[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 3, 1, 3, 3, 1, 3]], 4, 4)
    assert both.astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
