"""Transformer and text encoders together, by flow matching on edits, seen through windows or whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, STYLES
from benchmark_data.recipes.kontext_mini.latents import CHANGED, LatentGroups
from benchmark_data.recipes.kontext_mini.looping import train_averaged
from benchmark_data.recipes.kontext_mini.networks import TextAndFlow
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt
from benchmark_data.recipes.kontext_mini.windows import Window, boxes_inside, draw_window
from benchmark_data.recipes.kontext_mini.workers import worker

INSIDE = 0.6
"""How much of what a recolouring changes must lie in a window to be there."""

__all__ = ["FlowSettings", "draw_batch", "train_flow"]


@dataclass(frozen=True)
class FlowSettings:
    """Knobs of both flow stages.

    Attributes:
        window: Side, in tokens, of the windows that are seen; None for whole pictures.
        learning_rate: Muon's, for the matrices inside the blocks.
        rest_learning_rate: AdamW's, for everything else.
        recolour_share: Share of regional recolourings; the others are global styles.
        there_share: Share of the recolourings whose object is (mostly) inside the window.
        silent_share: Share of the rows that get the empty prompt's pooled vector, so that words carry styles, too.
        edited_weight: Extra weight of the tokens that the edit changes.
        shift: Noise levels are uniform, then moved towards noise as schedulers do.
        compiled: Compile the transformer: a minute at the start, then a quarter faster; needs a C++ compiler.
    """

    window: int | None = 8
    steps: int = 5000
    batch_size: int = 32
    learning_rate: float = 0.02
    rest_learning_rate: float = 1.5e-3
    recolour_share: float = 0.65
    there_share: float = 0.9
    silent_share: float = 0.5
    edited_weight: float = 4.0
    shift: float = 2.0
    compiled: bool = False
    checkpoint_every: int = 200


@dataclass(frozen=True)
class Batch:
    """Edits as the networks take them.

    Attributes:
        target: (B, N, 64) tokens.
        context: (B, N, 64) tokens.
        prompts: One per row.
        silent: Rows without a pooled vector of their own.
        window: Where the tokens lie, the same for all rows.
    """

    target: torch.Tensor
    context: torch.Tensor
    prompts: list[str]
    silent: list[bool]
    window: Window


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
    return train_averaged(
        model, _inside, lambda step: (_loss(model, data, step, settings), {}), settings, checkpoint, log, ready
    )


def draw_batch(data: LatentGroups, number: int, count: int, settings: FlowSettings) -> Batch:
    """Draw ``count`` edits; which ones depends on the batch's number alone."""
    rng = np.random.default_rng([number, 29])
    window = draw_window(rng, settings.window or data.side, data.side)
    near = np.flatnonzero(boxes_inside(data.boxes, window, INSIDE))
    groups, views, prompts = [], [], []
    for _ in range(count):
        if rng.random() < settings.recolour_share:
            choices = near if len(near) and rng.random() < settings.there_share else np.arange(len(data.boxes))
            group, which = divmod(int(rng.choice(choices)), RECOLOURINGS)
            fact, forth = data.facts[group][which], rng.random() < 0.5
            label, colour = (fact.before, fact.new) if forth else (fact.after, fact.old)
            views.append((0, 1 + which) if forth else (1 + which, 0))
            prompts.append(recolour_prompt(rng, label, colour))
        else:
            group, which = int(rng.integers(len(data))), int(rng.integers(len(STYLES)))
            views.append((0, 1 + RECOLOURINGS + which))
            prompts.append(style_prompt(rng, STYLES[which], data.facts[group][0].before))
        groups.append(group)
    prompts = [prompt[0].upper() + prompt[1:] if rng.random() < 0.1 else prompt for prompt in prompts]
    silent = (rng.random(count) < settings.silent_share).tolist()
    context, target = (data.tokens(np.array(groups), column, window) for column in np.array(views).T)
    return Batch(target, context, prompts, silent, window)


def _loss(model: TextAndFlow, data: LatentGroups, step: int, settings: FlowSettings) -> torch.Tensor:
    own, workers = worker()
    step = step * workers + own
    batch = draw_batch(data, step, settings.batch_size // workers, settings)
    generator = torch.Generator().manual_seed(step)
    noise = torch.randn(batch.target.shape, generator=generator)
    uniform = (torch.rand(len(noise), generator=generator) + torch.arange(len(noise))) / len(noise)
    sigma = (settings.shift * uniform / (1 + (settings.shift - 1) * uniform))[:, None, None]
    guidance = torch.tensor([1.0, 2.5, 3.5])[torch.randint(0, 3, (len(noise),), generator=generator)]
    noisy = (1 - sigma) * batch.target + sigma * noise
    velocity = model(
        noisy, batch.context, batch.prompts, sigma[:, 0, 0], guidance, silent=batch.silent, window=batch.window
    )
    change = (batch.target - batch.context).square().mean(-1)
    weight = 1 + settings.edited_weight * (change > CHANGED)
    weight = weight / weight.mean(1, keepdim=True)
    return ((velocity - (noise - batch.target)).square().mean(-1) * weight).mean()


def _inside(name: str, parameter: nn.Parameter) -> bool:
    return "transformer_blocks" in name and parameter.ndim == 2 and "norm" not in name
