"""How training starts: an encoder in closed form, and whatever else has the same shape in embedded weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from torch import nn
from torch.nn import functional
from transformers import CLIPTextModel, T5EncoderModel

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, VIEWS, Groups
from benchmark_data.recipes.kontext_mini.networks import TextAndFlow

__all__ = ["begin_decoder", "begin_encoder", "begin_flow", "take_over"]

SEEN, REGRESSED = 100, 60
"""Groups that the components come from, and pictures that the decoder's first kernel is regressed on."""
LOG_VARIANCE = -5.0
"""Of the latents' noise while the decoder is trained: it must bear what a flow model gets slightly wrong."""

CONSTANT = 64.0
"""Level of the constant channels: far above latents, which have deviation 1."""


def begin_vae(model: AutoencoderKL, data: Path, folder: Path | None = None) -> AutoencoderKL:
    """Give an autoencoder its encoder and, if a model folder is named, a first decoder; return it.

    Args:
        model: Changed in place.
        data: Folder of groups; the first ones decide, so that more may be added later.
        folder: A pipeline whose autoencoder has the same levels.
    """
    groups = Groups(data)
    views = [groups[number].images[[0, *range(1 + RECOLOURINGS, VIEWS)]] for number in range(min(SEEN, len(groups)))]
    pictures = torch.from_numpy(np.concatenate(views)).permute(0, 3, 1, 2).float() / 127.5 - 1
    begin_encoder(model, pictures)
    if folder is not None:
        begin_decoder(model, AutoencoderKL.from_pretrained(folder, subfolder="vae").float(), pictures[:REGRESSED])
    return model.eval()


@torch.no_grad()
def begin_encoder(model: AutoencoderKL, pictures: torch.Tensor) -> None:
    """Make the encoder compute the principal components of patches, exactly: nothing needs to be trained to begin.

    Kernels of stride two take patches apart, the second one projects them, and residual branches add nothing. Group
    norm and SiLU before the last kernel cannot be left out, so every component x goes in as x and -x beside constants
    that make up nearly all of the group's variance: its norm is then a known factor, and silu(x) - silu(-x) = x.
    Components are scaled by the root of their deviation, so that the great ones do not drown the small ones, and then
    all alike to deviation 1.

    Args:
        model: An autoencoder of :func:`~benchmark_data.recipes.kontext_mini.networks.build_vae`, changed in place.
        pictures: (B, 3, H, W) in [-1, 1], from which the components are found.
    """
    encoder, count = model.encoder, model.config.latent_channels
    first, second = (block.downsamplers[0].conv for block in encoder.down_blocks[:2])
    inner = 3 * 4
    patches = functional.pixel_unshuffle(pictures, 4).permute(0, 2, 3, 1).flatten(0, 2).double()
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    order = values.argsort(descending=True)[:count]
    rows = (vectors[:, order].T * values[order, None] ** -0.25).float()
    rows = rows / ((patches.float() - mean.float()) @ rows.T).std()
    # The first kernel sees the low bits of a pixel's place in its patch, the second one the high bits.
    kernel = rows.view(count, 3, 2, 2, 2, 2)  # colour, high row, low row, high column, low column
    encoder.conv_in.weight[:3] = 0
    encoder.conv_in.weight[range(3), range(3), 1, 1] = 1
    first.weight[:inner], first.bias[:inner] = 0, 0
    for number in range(inner):
        colour, row, column = number // 4, number // 2 % 2, number % 2
        first.weight[number, colour, row, column] = 1
    into = encoder.down_blocks[1].resnets[0].conv_shortcut
    into.weight[:inner] = 0
    into.weight[range(inner), range(inner)] = 1
    second.weight[:count] = 0
    for number in range(inner):
        colour, row, column = number // 4, number // 2 % 2, number % 2
        second.weight[:count, number, :2, :2] = kernel[:, colour, :, row, :, column]
    second.bias[:count] = -(rows @ mean.float())
    _pass_through(model, count)


def _pass_through(model: AutoencoderKL, count: int) -> None:
    """Carry ``count`` channels through the last level of the encoder as they are."""
    encoder = model.encoder
    wide, norm, out = encoder.down_blocks[2].resnets[0].conv_shortcut, encoder.conv_norm_out, encoder.conv_out
    groups = norm.num_groups
    size, each = norm.num_channels // groups, count // groups
    wide.weight.zero_()
    wide.bias.copy_(CONSTANT * torch.tensor([1.0, -1.0]).repeat(len(wide.bias) // 2))
    out.weight.zero_()
    for number in range(count):
        place = number // each * size + number % each * 2
        wide.bias[place : place + 2] = 0
        wide.weight[place, number], wide.weight[place + 1, number] = 1, -1
        out.weight[number, place, 1, 1], out.weight[number, place + 1, 1, 1] = 1, -1
    norm.weight.fill_(CONSTANT * (1 - 2 * each / size) ** 0.5)
    norm.bias.zero_()
    out.bias[:count], out.bias[count:] = 0, LOG_VARIANCE


@torch.no_grad()
def begin_decoder(model: AutoencoderKL, other: AutoencoderKL, pictures: torch.Tensor) -> None:
    """Take over a decoder of the same levels; its first kernel is regressed on the new latents.

    Args:
        model: Its encoder is ready; its decoder is filled.
        other: An autoencoder with other latents.
        pictures: (B, 3, H, W) in [-1, 1].
    """
    take_over(model.decoder, other.decoder)
    seen = functional.unfold(model.encode(pictures).latent_dist.mode(), 3, padding=1).transpose(1, 2).flatten(0, 1)
    wanted = other.decoder.conv_in(other.encode(pictures).latent_dist.mode()).flatten(2).transpose(1, 2).flatten(0, 1)
    inputs = torch.cat([seen, torch.ones(len(seen), 1)], 1)
    solution = torch.linalg.lstsq(inputs, wanted).solution
    model.decoder.conv_in.weight.copy_(solution[:-1].T.reshape(model.decoder.conv_in.weight.shape))
    model.decoder.conv_in.bias.copy_(solution[-1])


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
