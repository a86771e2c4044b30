"""Masks on the token grid: exact area averages, no object lost."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regionroute.grid import mask_to_grid
from rses.errors import InputError
from tests.helpers.refusals import refused


def brute_force(mask, grid):
    """Split every pixel until cells hold whole pieces, then average them."""
    pieces = mask.double()
    for axis, cells in enumerate(grid):
        pieces = pieces.repeat_interleave(math.lcm(mask.shape[axis], cells) // mask.shape[axis], dim=axis)
    height, width = (size // cells for size, cells in zip(pieces.shape, grid, strict=True))
    return pieces.reshape(grid[0], height, grid[1], width).mean(dim=(1, 3)).flatten()


sizes = st.integers(1, 13)


@given(height=sizes, width=sizes, rows=sizes, columns=sizes, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_area_average_for_any_sizes(height, width, rows, columns, seed):
    mask = torch.rand(height, width, generator=torch.Generator().manual_seed(seed)).round(decimals=1)
    mask[0, 0] = 1.0
    found = mask_to_grid(mask, (rows, columns), minimum=0)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), brute_force(mask, (rows, columns)), atol=1e-6)
    assert float(found.mean()) == pytest.approx(float(mask.mean()), abs=1e-6)
    guarded = mask_to_grid(mask, (rows, columns))
    assert 0.5 <= float(guarded.max()) <= 1


def test_batch_equals_single_and_bool_equals_float():
    masks = torch.zeros(2, 24, 32, dtype=torch.bool)
    masks[0, 3:9, 4:20] = True
    masks[1, 20:, 30:] = True
    both = mask_to_grid(masks, (6, 8))
    assert both.shape == (2, 48)
    for sample in range(2):
        assert torch.equal(both[sample], mask_to_grid(masks[sample], (6, 8)))
    assert torch.equal(both, mask_to_grid(masks.float(), (6, 8)))


def test_a_thin_object_is_not_lost():
    mask = torch.zeros(1024, 1024)
    mask[:, 500] = 1
    cells = mask_to_grid(mask, (64, 64)).reshape(64, 64)
    assert (cells[:, 500 // 16] == 1).all()
    assert cells.sum() == 64
    # One pixel, where nearest resampling would most likely see nothing.
    mask = torch.zeros(1024, 1024)
    mask[3, 5] = 1
    assert mask_to_grid(mask, (64, 64)).nonzero().tolist() == [[0]]


def test_an_object_of_half_a_cell_is_left_as_it_is():
    mask = torch.zeros(4, 4)
    mask[0, :2] = 1
    assert mask_to_grid(mask, (2, 2)).tolist() == [0.5, 0, 0, 0]
    assert mask_to_grid(mask, (2, 2), minimum=0.6).tolist() == [1, 0, 0, 0]


def test_guard_works_for_each_sample_alone():
    masks = torch.zeros(2, 4, 4)
    masks[0, 0, 0] = 1
    masks[1] = 1
    masks[1, 0, 0] = 0
    assert mask_to_grid(masks, (2, 2)).tolist() == [[1, 0, 0, 0], [0.75, 1, 1, 1]]


@pytest.mark.parametrize(
    ("mask", "grid", "code", "place"),
    [
        (torch.zeros(4, 4), (2, 2), "empty", "mask"),
        (torch.stack([torch.ones(4, 4), torch.zeros(4, 4)]), (2, 2), "empty", "mask"),
        (torch.full((4, 4), 255), (2, 2), "out-of-range", "mask"),
        (torch.full((4, 4), math.nan), (2, 2), "out-of-range", "mask"),
        (-torch.ones(4, 4), (2, 2), "out-of-range", "mask"),
        (torch.ones(4), (2, 2), "wrong-shape", "mask"),
        (torch.ones(4, 4), (0, 2), "out-of-range", "grid"),
        (torch.ones(0, 4), (2, 2), "empty", "mask"),
    ],
)
def test_mistakes(mask, grid, code, place):
    with refused(InputError, code, place):
        mask_to_grid(mask, grid)
