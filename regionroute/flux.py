"""What FLUX.1-Kontext expects of its inputs: sizes, packing, position ids, latents; and the velocity it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from rses.errors import InputError
from rses.images.tensors import nearest_aspect, resize_array

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, FluxTransformer2DModel


def choose_bucket(size: tuple[int, int], buckets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the bucket (width, height) of the nearest aspect ratio on a logarithmic scale; where two tie, the first.

    Left to itself the Kontext pipeline snaps the source to such a size, but not the answer, so that the two do not
    lie on top of each other.

    Raises:
        InputError: The picture is empty or longer than 8 times its shorter side.

    Example:
        >>> choose_bucket((640, 480), [(1024, 1024), (1184, 880), (880, 1184)])
        (1184, 880)
    """
    width, height = size
    if min(size) < 1 or max(size) > 8 * min(size):
        raise InputError(
            f"A picture of {width} x {height} cannot be edited: its sides may differ by a factor of 8.",
            code="wrong-size",
        )
    return nearest_aspect(size, buckets)


def to_pixels(image: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Resize (H, W, 3) uint8 to ``size`` (width, height) and return pixels (3, height, width) in [-1, 1].

    Example:
        >>> to_pixels(np.full((4, 6, 3), 255, np.uint8), (3, 2)).unique().tolist()
        [1.0]
    """
    return torch.from_numpy(resize_array(image, size).copy()).permute(2, 0, 1).float() / 127.5 - 1


def pack(latents: torch.Tensor) -> torch.Tensor:
    """Turn latents (B, C, H, W) into tokens (B, H/2 * W/2, 4C), 2 x 2 cells each.

    Example:
        >>> pack(torch.zeros(1, 16, 8, 12)).shape
        torch.Size([1, 24, 64])
    """
    batch, channels, height, width = latents.shape
    cells = latents.reshape(batch, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return cells.reshape(batch, (height // 2) * (width // 2), channels * 4)


def unpack(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Undo :func:`pack` for latents of ``height`` x ``width`` cells.

    Example:
        >>> x = torch.randn(2, 16, 4, 6)
        >>> torch.equal(unpack(pack(x), 4, 6), x)
        True
    """
    batch, _, size = tokens.shape
    cells = tokens.reshape(batch, height // 2, width // 2, size // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return cells.reshape(batch, size // 4, height, width)


def image_ids(grid: tuple[int, int]) -> torch.Tensor:
    """Return position ids (2N, 3) of target and context tokens on a ``grid`` of rows and columns.

    The context's first coordinate is 1, as the pipeline has it at inference; otherwise target and context would
    share positions.

    Example:
        >>> image_ids((1, 2)).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
    """
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    target = torch.stack([torch.zeros_like(rows), rows, columns], -1).reshape(-1, 3)
    context = target.clone()
    context[:, 0] = 1
    return torch.cat([target, context]).float()


def text_ids(length: int) -> torch.Tensor:
    """Return position ids (length, 3) of the text: all zero."""
    return torch.zeros(length, 3)


@torch.no_grad()
def encode_pixels(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """Encode pixels (B, 3, H, W) in [-1, 1] to scaled latents (B, 16, H/8, W/8): the mode, as the pipeline does."""
    pixels = pixels.to(vae.device, vae.dtype)
    mode = vae.encode(pixels).latent_dist.mode()
    return (mode - vae.config.shift_factor) * vae.config.scaling_factor


@torch.no_grad()
def decode_latents(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Decode scaled latents to pixels (B, 3, H, W), about [-1, 1]."""
    raw = latents.to(vae.device, vae.dtype) / vae.config.scaling_factor + vae.config.shift_factor
    decoded: torch.Tensor = vae.decode(raw, return_dict=False)[0]
    return decoded


def predict_velocity(
    transformer: FluxTransformer2DModel, noisy: torch.Tensor, context: torch.Tensor, sigma: torch.Tensor, *,
    grid: tuple[int, int], text: torch.Tensor, pooled: torch.Tensor, guidance: float,
) -> torch.Tensor:  # fmt: skip
    """Return the velocity (noise - image) of the target's tokens.

    Args:
        transformer: FLUX's transformer, or a wrapper of it with the same call.
        noisy: Target tokens (B, N, 64) at noise level ``sigma``.
        context: Tokens (B, N, 64) of the source image.
        sigma: (B,) in [0, 1].
        grid: Rows and columns of tokens, N in all.
        text: Token states (B, L, D).
        pooled: Pooled text (B, P).
        guidance: Guidance scale that the model is told.
    """
    scale = torch.full((len(noisy),), guidance, device=noisy.device, dtype=torch.float32)
    answer = transformer(
        hidden_states=torch.cat([noisy, context], 1), encoder_hidden_states=text, pooled_projections=pooled,
        timestep=sigma.to(noisy.dtype), guidance=scale, img_ids=image_ids(grid).to(noisy.device),
        txt_ids=text_ids(text.shape[1]).to(noisy.device), return_dict=False,
    )[0]  # fmt: skip
    velocity: torch.Tensor = answer[:, : noisy.shape[1]]
    return velocity
