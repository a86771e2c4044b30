"""Start a stage from the embedded weights instead of from nothing, the autoencoder twice as wide where it was narrower.

Widening keeps the function: channels are doubled group by group, so that group norms see the same statistics, and what
reads two equal channels weighs them differently, so that they part as training goes on (Net2Net,
https://arxiv.org/abs/1511.05641).
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from transformers import CLIPTextModel, T5EncoderModel

from benchmark_data.recipes.kontext_mini.networks import TextAndFlow

__all__ = ["begin_flow", "begin_vae", "widen"]

UNEQUAL = 0.5
"""How differently two equal channels are weighed, in standard deviations of the kernel."""


def begin_vae(model: AutoencoderKL, folder: Path) -> None:
    """Fill an autoencoder from a model folder's, which may have half as many channels at some levels."""
    widen(AutoencoderKL.from_pretrained(folder, subfolder="vae"), model)


def begin_flow(model: TextAndFlow, folder: Path) -> None:
    """Fill transformer and text encoders from a model folder."""
    for part, kind, subfolder in (
        (model.transformer, FluxTransformer2DModel, "transformer"),
        (model.clip, CLIPTextModel, "text_encoder"),
        (model.t5, T5EncoderModel, "text_encoder_2"),
    ):
        part.load_state_dict(kind.from_pretrained(folder, subfolder=subfolder).float().state_dict())


@torch.no_grad()
def widen(narrow: AutoencoderKL, wide: AutoencoderKL) -> None:
    """Give ``wide`` the function of ``narrow``; each of its dimensions is equal or doubled.

    Raises:
        ValueError: If a dimension is neither.
    """
    generator = torch.Generator().manual_seed(0)
    groups = narrow.config.norm_num_groups
    old = narrow.float().state_dict()
    for name, parameter in wide.named_parameters():
        value = old[name]
        for dimension in range(min(value.ndim, 2)):
            if parameter.shape[dimension] == 2 * value.shape[dimension]:
                value = _double(value, dimension, groups, generator)
        if value.shape != parameter.shape:
            raise ValueError(f"{name}: {tuple(old[name].shape)} cannot become {tuple(parameter.shape)}")
        parameter.copy_(value)


def _double(value: torch.Tensor, dimension: int, groups: int, generator: torch.Generator) -> torch.Tensor:
    """Repeat every group's channels behind themselves; weights of repeated inputs are shared out unequally."""
    parts = value.unflatten(dimension, (groups, -1))
    if dimension == 0:
        return torch.cat([parts, parts], 1).flatten(0, 1)
    uneven = UNEQUAL * value.std() * torch.randn(parts.shape, generator=generator)
    return torch.cat([parts / 2 + uneven, parts / 2 - uneven], dimension + 1).flatten(dimension, dimension + 1)
