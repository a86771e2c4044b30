"""An autoencoder, or its decoder alone, on plain and styled scenes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmark_data.recipes.kontext_mini.data import VIEWS, Groups
from benchmark_data.recipes.kontext_mini.looping import Pace, train_averaged
from benchmark_data.recipes.kontext_mini.networks import build_vae
from benchmark_data.recipes.kontext_mini.workers import worker

__all__ = ["VaeSettings", "train_vae"]

PACE = Pace(decays=(0.0, 1e-3), warm_up=20, keep=0.99, log_every=25)


@dataclass(frozen=True)
class VaeSettings:
    """Knobs.

    It sees whole pictures: on patches, group norms see other statistics, which costs up to 5 dB later.

    Attributes:
        learning_rate: Muon's, for the kernels inside.
        rest_learning_rate: AdamW's, for the first and last kernels, norms and biases.
        kl_weight: Weight of the divergence (mean over latents) beside the squared error on [-1, 1].
        decoder_only: Keep the encoder as it is, so that latents made with it stay valid.
        bfloat16: Convolve in bfloat16 when decoding: for processors that are faster at it.
    """

    steps: int = 1200
    batch_size: int = 6
    learning_rate: float = 0.01
    rest_learning_rate: float = 1e-3
    kl_weight: float = 1e-4
    decoder_only: bool = True
    bfloat16: bool = False
    checkpoint_every: int = 100


def train_vae(
    data: Path, checkpoint: Path, settings: VaeSettings, log: Path,
    begin: Callable[[AutoencoderKL], object] | None = None, build: Callable[[], AutoencoderKL] = build_vae,
) -> AutoencoderKL:  # fmt: skip
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
    if settings.decoder_only:
        model.encoder.requires_grad_(False)
    groups = Groups(data)
    own, workers = worker()

    def loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        number = step * workers + own
        value, error = _loss(model, _batch(groups, number, settings.batch_size // workers), number, settings)
        return value, {"psnr": -10 * math.log10(error / 4)}

    return train_averaged(model, _inside, loss, settings, checkpoint, log, pace=PACE)


def _inside(name: str, parameter: torch.nn.Parameter) -> bool:
    ends = ("encoder.conv_in.weight", "encoder.conv_out.weight", "decoder.conv_in.weight", "decoder.conv_out.weight")
    return parameter.ndim == 4 and name not in ends


def _batch(groups: Groups, number: int, count: int) -> torch.Tensor:
    """Pictures (B, 3, SIZE, SIZE) in [-1, 1]; plain ones less often than styled ones, which are harder."""
    rng = np.random.default_rng([number, 11])
    odds = np.array([0.5] * (VIEWS - 4) + [1.0, 1.0, 1.5, 1.5])
    pictures = []
    for _ in range(count):
        picture = groups[int(rng.integers(len(groups)))].images[int(rng.choice(VIEWS, p=odds / odds.sum()))]
        pictures.append(picture[:, ::-1] if rng.random() < 0.5 else picture)
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels.contiguous()


def _loss(model: AutoencoderKL, images: torch.Tensor, step: int, settings: VaeSettings) -> tuple[torch.Tensor, float]:
    posterior = model.encode(images).latent_dist
    latents = posterior.sample(torch.Generator().manual_seed(step))
    with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
        decoded = model.decode(latents).sample.float()
    error = (decoded - images).square().mean()
    divergence = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()
    absolute = (decoded - images).abs().mean()
    return error + 0.1 * absolute + settings.kl_weight * divergence, error.item()
