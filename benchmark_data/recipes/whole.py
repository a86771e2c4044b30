"""Whole pictures as an encoder of styles sees them."""

from __future__ import annotations

import torch

from rses.backbones.base import StyleBackbone
from rses.images.tensors import resize_image

__all__ = ["nearest_style"]


def nearest_style(encoder: StyleBackbone, pictures: torch.Tensor, styles: list[str]) -> torch.Tensor:
    """Return the number of the nearest of the styles for each picture (N, 3, H, W) in [0, 1].

    Example:
        >>> from rses.backbones import load_style
        >>> nearest_style(load_style("rses-mini"), torch.zeros(2, 3, 32, 32), ["pixel art", "line art"]).shape
        torch.Size([2])
    """
    seen = encoder.encode_images(resize_image(pictures, (encoder.image_size, encoder.image_size)))
    return (seen @ encoder.encode_texts(styles).T).argmax(1)
