"""Third stage: transformer and text encoders together, by flow matching on edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, STYLES
from benchmark_data.recipes.kontext_mini.latents import LatentGroups
from benchmark_data.recipes.kontext_mini.looping import train_averaged
from benchmark_data.recipes.kontext_mini.networks import TextAndFlow
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt

__all__ = ["FlowSettings", "draw_batch", "train_flow"]


@dataclass(frozen=True)
class FlowSettings:
    """Knobs of the third stage.

    Attributes:
        learning_rate: Muon's, for the matrices inside the blocks.
        rest_learning_rate: AdamW's, for everything else.
        recolour_share: Share of regional recolourings; the others are global styles.
        edited_weight: Extra weight of the tokens that the edit changes.
        shift: Noise levels are uniform, then moved towards noise as schedulers do.
        compiled: Compile the transformer: a minute at the start, then a quarter faster; needs a C++ compiler.
    """

    steps: int = 3600
    batch_size: int = 32
    learning_rate: float = 0.02
    rest_learning_rate: float = 1.5e-3
    recolour_share: float = 0.65
    edited_weight: float = 4.0
    shift: float = 2.0
    compiled: bool = False
    checkpoint_every: int = 200


@dataclass(frozen=True)
class Batch:
    """Tokens (B, 64, 64) of targets and contexts, and prompts."""

    target: torch.Tensor
    context: torch.Tensor
    prompts: list[str]


def train_flow(
    data: LatentGroups, checkpoint: Path, settings: FlowSettings, log: Path,
    begin: Callable[[TextAndFlow], object] | None = None,
) -> TextAndFlow:  # fmt: skip
    """Train, or continue from ``checkpoint``; return the averaged networks.

    Args:
        data: Latents of all pictures.
        checkpoint: Read if there, and written.
        settings: Knobs.
        log: JSON lines.
        begin: Fills the networks that a new run starts from, if not random numbers.
    """
    torch.manual_seed(0)
    model = TextAndFlow()
    if begin is not None:
        begin(model)

    ready = model.transformer.compile if settings.compiled else None

    def loss(step: int) -> torch.Tensor:
        return _loss(model, draw_batch(data, step, settings), step, settings)

    return train_averaged(model, _inside, loss, settings, checkpoint, log, ready)


def draw_batch(data: LatentGroups, step: int, settings: FlowSettings) -> Batch:
    """Draw edits; which ones depends on the step alone."""
    rng = np.random.default_rng([step, 29])
    groups = rng.integers(0, len(data), settings.batch_size)
    pairs, prompts = [], []
    for group in groups:
        if rng.random() < settings.recolour_share:
            number = int(rng.integers(RECOLOURINGS))
            fact, there = data.facts[group][number], rng.random() < 0.5
            label, colour = (fact.before, fact.new) if there else (fact.after, fact.old)
            pairs.append((0, 1 + number) if there else (1 + number, 0))
            prompts.append(recolour_prompt(rng, label, colour))
        else:
            number = int(rng.integers(len(STYLES)))
            pairs.append((0, 1 + RECOLOURINGS + number))
            prompts.append(style_prompt(rng, STYLES[number]))
    prompts = [prompt[0].upper() + prompt[1:] if rng.random() < 0.1 else prompt for prompt in prompts]
    views = np.array(pairs)
    return Batch(data.tokens(groups, views[:, 1]), data.tokens(groups, views[:, 0]), prompts)


def _loss(model: TextAndFlow, batch: Batch, step: int, settings: FlowSettings) -> torch.Tensor:
    generator = torch.Generator().manual_seed(step)
    noise = torch.randn(batch.target.shape, generator=generator)
    uniform = (torch.rand(len(noise), generator=generator) + torch.arange(len(noise))) / len(noise)
    sigma = (settings.shift * uniform / (1 + (settings.shift - 1) * uniform))[:, None, None]
    guidance = torch.tensor([1.0, 2.5, 3.5])[torch.randint(0, 3, (len(noise),), generator=generator)]
    noisy = (1 - sigma) * batch.target + sigma * noise
    velocity = model(noisy, batch.context, batch.prompts, sigma[:, 0, 0], guidance)
    change = (batch.target - batch.context).square().mean(-1)
    weight = 1 + settings.edited_weight * (change > 0.1)
    weight = weight / weight.mean(1, keepdim=True)
    return ((velocity - (noise - batch.target)).square().mean(-1) * weight).mean()


def _inside(name: str, parameter: nn.Parameter) -> bool:
    return "transformer_blocks" in name and parameter.ndim == 2 and "norm" not in name
