"""First stage: the autoencoder, on plain and styled scenes."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint, save_checkpoint
from benchmark_data.recipes.kontext_mini.data import VIEWS, Groups
from benchmark_data.recipes.kontext_mini.networks import build_vae
from benchmark_data.recipes.kontext_mini.optimising import Optimisers, follow

__all__ = ["VaeSettings", "train_vae"]


@dataclass(frozen=True)
class VaeSettings:
    """Knobs of the first stage.

    Attributes:
        crop: Side of the patches seen while training; a multiple of 8.
        learning_rate: Muon's, for the kernels inside.
        rest_learning_rate: AdamW's, for the first and last kernels, norms and biases.
        kl_weight: Weight of the divergence (mean over latents) beside the squared error on [-1, 1].
        decoder_only: Keep the encoder as it is, so that latents made with it stay valid.
    """

    steps: int = 2000
    batch_size: int = 24
    crop: int = 64
    learning_rate: float = 0.02
    rest_learning_rate: float = 1e-3
    kl_weight: float = 1e-4
    decoder_only: bool = False
    checkpoint_every: int = 250


def train_vae(
    data: Path,
    checkpoint: Path,
    settings: VaeSettings,
    log: Path,
    begin: Callable[[AutoencoderKL], object] | None = None,
    build: Callable[[], AutoencoderKL] = build_vae,
) -> AutoencoderKL:
    """Train, or continue from ``checkpoint``; return the averaged model.

    Args:
        data: Folder of groups.
        checkpoint: Read if there, and written.
        settings: Knobs.
        log: JSON lines.
        begin: Fills the model that a new run starts from, if not random numbers.
        build: Makes the autoencoder.
    """
    torch.manual_seed(0)
    model = build()
    if begin is not None:
        begin(model)
    model = model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    if settings.decoder_only:
        model.encoder.requires_grad_(False)
    optimisers = Optimisers(
        model, _inside, rates=(settings.learning_rate, settings.rest_learning_rate), decays=(0.0, 1e-3),
        steps=settings.steps, warm_up=20,
    )  # fmt: skip
    parts = {"model": model, "average": average, "inner": optimisers.inner, "rest": optimisers.rest}
    start = load_checkpoint(checkpoint, parts)
    groups, began = Groups(data), time.monotonic()
    for step in range(start, settings.steps):
        loss, error = _loss(model, _batch(groups, step, settings), step, settings)
        optimisers.step(step, loss)
        follow(average, model, step, 0.99)
        if (step + 1) % 50 == 0:
            psnr = -10 * math.log10(error / 4)
            rate = (step + 1 - start) * settings.batch_size / (time.monotonic() - began)
            with log.open("a") as stream:
                stream.write(
                    f'{{"step": {step + 1}, "loss": {loss.item():.5f}, "psnr": {psnr:.2f}, "rate": {rate:.1f}}}\n'
                )
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            save_checkpoint(checkpoint, step + 1, parts)
    return average.eval()


def _inside(name: str, parameter: torch.nn.Parameter) -> bool:
    ends = ("encoder.conv_in.weight", "encoder.conv_out.weight", "decoder.conv_in.weight", "decoder.conv_out.weight")
    return parameter.ndim == 4 and name not in ends


def _batch(groups: Groups, step: int, settings: VaeSettings) -> torch.Tensor:
    """Patches (B, 3, crop, crop) in [-1, 1]; plain pictures half as often as styled ones."""
    rng = np.random.default_rng([step, 11])
    odds = np.array([1.0] * (VIEWS - 4) + [1.0, 1.5, 1.5, 1.5])
    patches = []
    for _ in range(settings.batch_size):
        picture = groups[int(rng.integers(len(groups)))].images[int(rng.choice(VIEWS, p=odds / odds.sum()))]
        top, left = rng.integers(0, picture.shape[0] - settings.crop + 1, 2)
        patch = picture[top : top + settings.crop, left : left + settings.crop]
        patches.append(patch[:, ::-1] if rng.random() < 0.5 else patch)
    pixels = torch.from_numpy(np.stack(patches)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels.contiguous()


def _loss(model: AutoencoderKL, images: torch.Tensor, step: int, settings: VaeSettings) -> tuple[torch.Tensor, float]:
    posterior = model.encode(images).latent_dist
    latents = posterior.sample(torch.Generator().manual_seed(step))
    decoded = model.decode(latents).sample
    error = (decoded - images).square().mean()
    divergence = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()
    absolute = (decoded - images).abs().mean()
    return error + 0.1 * absolute + settings.kl_weight * divergence, error.item()
