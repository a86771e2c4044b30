"""Start a stage from embedded weights instead of from nothing: whatever has the same shape is taken over."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from torch import nn
from transformers import CLIPTextModel, T5EncoderModel

from benchmark_data.recipes.kontext_mini.networks import TextAndFlow

__all__ = ["begin_flow", "begin_vae", "take_over"]


@torch.no_grad()
def begin_vae(model: AutoencoderKL, folder: Path) -> None:
    """Fill an autoencoder from a model folder's, which may have fewer latent channels: it starts with its function.

    Further channels are written from the start but weigh nothing until training gives them a use.
    """
    other = AutoencoderKL.from_pretrained(folder, subfolder="vae")
    take_over(model, other)
    count = other.config.latent_channels
    for part in ("weight", "bias"):
        getattr(model.encoder.conv_out, part)[:count] = getattr(other.encoder.conv_out, part)[:count]
    model.decoder.conv_in.weight.zero_()
    model.decoder.conv_in.weight[:, :count] = other.decoder.conv_in.weight


def begin_flow(model: TextAndFlow, folder: Path, fresh: tuple[str, ...] = ("x_embedder", "proj_out")) -> None:
    """Fill transformer and text encoders from a model folder.

    Args:
        model: Filled in place.
        folder: A pipeline as the recipe exports it.
        fresh: Parts of the transformer that keep their own weights, as they read and write latents.
    """
    take_over(model.transformer, FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer"), fresh)
    take_over(model.clip, CLIPTextModel.from_pretrained(folder, subfolder="text_encoder"))
    take_over(model.t5, T5EncoderModel.from_pretrained(folder, subfolder="text_encoder_2"))


@torch.no_grad()
def take_over(model: nn.Module, other: nn.Module, fresh: tuple[str, ...] = ()) -> None:
    """Copy every parameter of ``other`` that ``model`` has in the same shape, but those of ``fresh`` parts."""
    known = dict(other.named_parameters())
    for name, parameter in model.named_parameters():
        if name in known and known[name].shape == parameter.shape and name.split(".")[0] not in fresh:
            parameter.copy_(known[name])
