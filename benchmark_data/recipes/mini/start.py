"""The encoder that training starts from: the convolutions of the first edition, seen at two resolutions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from rses.backbones.mini import load_mini_style
from rses.backbones.mini_network import ConvBlock, ImageEncoder, MiniConfig, TextEncoder

__all__ = ["CONFIG", "warm_start"]

CONFIG = MiniConfig(image_size=256, detail_channels=(32, 64), image_hidden=384)


def warm_start(first_edition: Path | None = None) -> tuple[ImageEncoder, TextEncoder, MiniConfig]:
    """Copy the first edition's convolutions and text encoder; the head is new.

    The four stages take over theirs. The detail layers begin as the first convolutions of the first two stages.

    Args:
        first_edition: Folder with its weights; by default the packaged ones.
    """
    torch.manual_seed(0)
    old = load_mini_style(first_edition)
    config = dataclasses.replace(CONFIG, logit_scale=old.logit_scale)
    image, text = ImageEncoder(config), TextEncoder(config)
    trained = old._images
    image.stages.load_state_dict(trained.stages.state_dict())
    text.load_state_dict(old._texts.state_dict())
    for block, stage in zip(image.details, trained.stages, strict=False):
        first = stage[0]
        assert isinstance(block, ConvBlock)
        assert isinstance(first, ConvBlock)
        block.load_state_dict(first.state_dict())
    return image, text, config
