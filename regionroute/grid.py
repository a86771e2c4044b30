"""Masks on the grid of image tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from rses.errors import InputError, Place


def mask_to_grid(mask: Tensor, grid: tuple[int, int], minimum: float = 0.5) -> Tensor:
    """Average a mask over the cells of a token grid.

    Every cell gets the share of its area that the object covers, exactly so when the sizes do not divide (cells then
    cut through pixels). A thin or small object may nowhere cover ``minimum`` of a cell; it is then scaled up until its
    greatest cell is 1. One half is the least sensible minimum: a mask that stays below it asks the cover loss for less
    attention than uniform at its own object.

    Args:
        mask: (H, W) or (B, H, W), bool or float in [0, 1], 1 = object.
        grid: Rows and columns of image tokens.
        minimum: Least value of an object's greatest cell, in [0, 1].

    Returns:
        (h * w,) or (B, h * w) float32 in [0, 1], rows first.

    Raises:
        InputError: The mask is empty, has another shape or range, or the grid has no cell.

    Example:
        >>> mask_to_grid(torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]]).bool(), (1, 2)).tolist()
        [1.0, 0.25]
        >>> mask_to_grid(torch.eye(4)[:1], (1, 2)).tolist()
        [0.5, 0.0]
    """
    if mask.ndim not in (2, 3):
        raise InputError(
            f"A mask must have the shape (H, W) or (B, H, W), got {tuple(mask.shape)}.",
            code="wrong-shape",
            place=Place(field="mask"),
        )
    if min(grid) < 1:
        raise InputError(
            f"A grid needs at least one row and one column, got {grid}.", code="out-of-range", place=Place(field="grid")
        )
    values = (mask if mask.ndim == 3 else mask[None]).float()
    # Written so that NaN fails as well.
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise InputError(
            "A mask must be bool or float in [0, 1]. Divide a mask of 0 and 255 by 255.",
            code="out-of-range",
            place=Place(field="mask"),
        )
    empty = [index for index, item in enumerate(values) if not bool(item.any())]
    if empty:
        which = f" (samples {empty} of the batch)" if mask.ndim == 3 else ""
        raise InputError(
            f"The mask is empty{which}: there is no object to attend to. Leave the sample out.",
            code="empty",
            place=Place(field="mask"),
        )
    rows, columns = (_overlap(size, cells).to(values) for size, cells in zip(values.shape[1:], grid, strict=True))
    cells = (rows @ values @ columns.T).flatten(1).clamp(0, 1)
    peak = cells.amax(dim=1, keepdim=True)
    cells = torch.where(peak < minimum, cells / peak, cells)
    return cells if mask.ndim == 3 else cells[0]


def _overlap(size: int, cells: int) -> Tensor:
    """Share of each cell (rows) that each pixel (columns) takes up along one axis."""
    edges = torch.arange(cells + 1, dtype=torch.float64) * size / cells
    pixel = torch.arange(size, dtype=torch.float64)
    upper = torch.minimum(edges[1:, None], pixel + 1)
    lower = torch.maximum(edges[:-1, None], pixel)
    return (upper - lower).clamp(min=0) * cells / size
