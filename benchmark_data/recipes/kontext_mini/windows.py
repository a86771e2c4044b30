"""Windows of the token grid: crops cost far less than whole pictures, and rotary positions make them exchangeable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from regionroute.flux import image_ids

__all__ = ["Window", "boxes_inside", "change_boxes", "draw_window"]


@dataclass(frozen=True)
class Window:
    """A square of tokens.

    Attributes:
        top: First row.
        left: First column.
        side: Rows and columns.
    """

    top: int
    left: int
    side: int

    def ids(self) -> torch.Tensor:
        """Return the position ids (2 side^2, 3) of target and context: those of the tokens' true places.

        Example:
            >>> Window(3, 5, 1).ids().tolist()
            [[0.0, 3.0, 5.0], [1.0, 3.0, 5.0]]
        """
        return image_ids((self.side, self.side)) + torch.tensor([0.0, self.top, self.left])

    def cut(self, latents: np.ndarray) -> np.ndarray:
        """Return the window's part of latents (..., rows, columns); a token is two by two of them."""
        rows = slice(2 * self.top, 2 * (self.top + self.side))
        columns = slice(2 * self.left, 2 * (self.left + self.side))
        return latents[..., rows, columns]


def draw_window(rng: np.random.Generator, side: int, whole: int) -> Window:
    """Draw a place for a window of ``side`` tokens on a grid of ``whole``.

    Example:
        >>> draw_window(np.random.default_rng(0), 16, 16)
        Window(top=0, left=0, side=16)
    """
    top, left = rng.integers(0, whole - side + 1, 2)
    return Window(int(top), int(left), side)


def change_boxes(changed: np.ndarray) -> np.ndarray:
    """Return the bounding boxes (N, 4) of what changed (N, rows, columns): top, left, bottom, right (exclusive).

    Where nothing changed, the box is empty: all zero.

    Example:
        >>> change_boxes(np.eye(4, dtype=bool)[None, :3]).tolist()
        [[0, 0, 3, 3]]
    """
    sides = []
    for axis in (2, 1):
        seen = changed.any(axis)
        first, last = seen.argmax(1), seen.shape[1] - seen[:, ::-1].argmax(1)
        sides.append((first, np.where(seen.any(1), last, 0)))
    (top, bottom), (left, right) = sides
    return np.stack([top, left, bottom, right], 1)


def boxes_inside(boxes: np.ndarray, window: Window, share: float) -> np.ndarray:
    """Say which boxes (N, 4) are not empty and have at least ``share`` of their area inside a window.

    Example:
        >>> boxes_inside(np.array([[0, 0, 2, 2], [0, 0, 4, 4], [0, 0, 0, 0]]), Window(0, 0, 2), 0.5).tolist()
        [True, False, False]
    """
    start = np.array([window.top, window.left])
    least, most = np.maximum(boxes[:, :2], start), np.minimum(boxes[:, 2:], start + window.side)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    inside: np.ndarray = (area > 0) & ((most - least).clip(0).prod(1) >= share * area)
    return inside
