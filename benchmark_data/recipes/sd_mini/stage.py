"""Train one of the three models to predict v, the mixture of noise and picture (arXiv 2202.00512)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.looping import train_averaged
from benchmark_data.recipes.kontext_mini.workers import worker
from benchmark_data.recipes.sd_mini.batches import Latents, draw
from benchmark_data.recipes.sd_mini.networks import TextAndUnet, build_scheduler

CENTRE = 0.3
"""Logit of the median of centred noise levels: from about level 350 to 800, scenes lose what their objects are."""


@dataclass(frozen=True)
class UnetSettings:
    """Knobs.

    Attributes:
        learning_rate: Muon's, for kernels and matrices inside the UNet.
        rest_learning_rate: AdamW's, for everything else.
        most_weight: Limit of the weight that an error in v gives to one in the picture, as arXiv 2303.09556 limits it.
        centred: Draw noise levels from a logit-normal (arXiv 2403.03206) around those at which objects take shape,
            not uniformly.
        alone: Share of the rows of text to image that are plain scenes of one object.
        focus: How much more an error where objects are weighs than one in the backdrop, most of which is texture.
        compiled: Compile the UNet: a minute at the start, then a fifth faster; needs a C++ compiler.
    """

    steps: int = 4000
    batch_size: int = 32
    learning_rate: float = 0.02
    rest_learning_rate: float = 1e-3
    most_weight: float = 5.0
    centred: bool = False
    alone: float = 0.0
    focus: float = 0.0
    checkpoint_every: int = 250
    compiled: bool = False


def train_unet(
    kind: str, data: Latents, checkpoint: Path, settings: UnetSettings, log: Path,
    begin: Callable[[TextAndUnet], object] | None = None,
) -> TextAndUnet:  # fmt: skip
    """Train, or continue from ``checkpoint``; return the averaged networks.

    Args:
        kind: A key of :data:`~benchmark_data.recipes.sd_mini.networks.KINDS`.
        data: Latents.
        checkpoint: Read if there, and written.
        settings: Knobs.
        log: JSON lines.
        begin: Fills the networks that a new run starts from, if not random numbers.
    """
    torch.manual_seed(0)
    model = TextAndUnet(kind)
    if begin is not None:
        begin(model)
    alphas = build_scheduler().alphas_cumprod
    ready = model.unet.compile if settings.compiled else None
    return train_averaged(
        model, _inside, lambda step: (_loss(model, data, step, settings, alphas), {}), settings, checkpoint, log, ready
    )


def _loss(model: TextAndUnet, data: Latents, step: int, settings: UnetSettings, alphas: torch.Tensor) -> torch.Tensor:
    number, workers = worker()
    own = step * workers + number
    batch = draw(data, model.kind, own, settings.batch_size // workers, settings.alone)
    generator = torch.Generator().manual_seed(own)
    noise = torch.randn(batch.target.shape, generator=generator)
    # Stratified over the batch: every step sees all noise levels.
    places = (torch.rand(len(noise), generator=generator) + torch.arange(len(noise))) / len(noise)
    levels = torch.sigmoid(CENTRE + torch.special.ndtri(places)) if settings.centred else places
    timesteps = (levels * len(alphas)).long().clamp(max=len(alphas) - 1)
    alpha = alphas[timesteps][:, None, None, None]
    clear, blur = alpha.sqrt(), (1 - alpha).sqrt()
    noisy = clear * batch.target + blur * noise
    wanted = clear * noise - blur * batch.target
    squares = (model(noisy, timesteps, batch.prompts, batch.beside) - wanted).square()
    error = (squares * (1 + settings.focus * batch.objects)).mean((1, 2, 3))
    # An error in v is one in the picture over sqrt(1 - alpha): without noise to speak of, it would weigh far more.
    return (error * (settings.most_weight * (1 - alpha.flatten())).clamp(max=1)).mean()


def _inside(name: str, parameter: nn.Parameter) -> bool:
    ends = ("unet.conv_in.weight", "unet.conv_out.weight")
    return name.startswith("unet.") and parameter.ndim in (2, 4) and name not in ends and "emb" not in name
