"""Transformer and text encoders together, by flow matching on edits, seen through windows or whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, STYLES
from benchmark_data.recipes.kontext_mini.latents import CHANGED, LatentGroups
from benchmark_data.recipes.kontext_mini.looping import train_averaged
from benchmark_data.recipes.kontext_mini.lower import multiply_in_bfloat16
from benchmark_data.recipes.kontext_mini.naming import naming_loss
from benchmark_data.recipes.kontext_mini.networks import TextAndFlow
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt
from benchmark_data.recipes.kontext_mini.windows import Window, boxes_inside, draw_window
from benchmark_data.recipes.kontext_mini.workers import worker

INSIDE = 0.6
"""How much of what a recolouring changes must lie in a window to be there."""
DECISIVE = 0.85
"""Noise level above which a sampler decides which object it edits; below, the noisy target shows it."""

__all__ = ["FlowSettings", "draw_batch", "train_flow"]


@dataclass(frozen=True)
class FlowSettings:
    """Knobs of both flow stages.

    Attributes:
        window: Side, in tokens, of the windows that are seen; None for whole pictures.
        learning_rate: Muon's, for the matrices inside the blocks.
        rest_learning_rate: AdamW's, for everything else.
        recolour_share: Share of regional recolourings, two rows each among the draws; the others are global styles.
        there_share: Share of the recolourings whose object is (mostly) inside the window.
        silent_share: Share of the rows that get the empty prompt's pooled vector, so that words carry styles, too.
        named_share: Share of the global styles whose prompt names an object.
        naming_weight: Weight of the loss of reading from the picture's tokens which object the prompt names.
        edited_weight: Extra weight of the tokens that the edit changes, and of those of a picture's other object, which
            must stay as they are.
        shift: Noise levels are uniform, then moved towards noise as schedulers do.
        decisive_share: Share of the rows whose noise level is above :data:`DECISIVE` instead.
        compiled: Compile the transformer: a minute at the start, then a quarter faster; needs a C++ compiler.
        bfloat16: Multiply matrices inside the blocks in bfloat16: faster where the CPU can (avx512_bf16, amx), far
            slower where it cannot. Attention, norms, sums and weights stay in float32.
    """

    window: int | None = 8
    steps: int = 3000
    batch_size: int = 32
    learning_rate: float = 0.02
    rest_learning_rate: float = 1.5e-3
    recolour_share: float = 0.65
    there_share: float = 0.9
    silent_share: float = 0.5
    named_share: float = 0.6
    naming_weight: float = 0.5
    edited_weight: float = 4.0
    shift: float = 2.0
    decisive_share: float = 0.0
    compiled: bool = False
    bfloat16: bool = False
    checkpoint_every: int = 200


@dataclass(frozen=True)
class Batch:
    """Edits as the networks take them.

    Attributes:
        target: (B, N, 64) tokens.
        context: (B, N, 64) tokens.
        heavy: (B, N), whether errors of a token weigh more.
        prompts: One per row.
        named: (B, N), whether a token belongs to the object that the prompt names.
        naming: (B,), whether the prompt names one.
        restyled: (B,), whether the whole picture gets a style.
        silent: Rows without a pooled vector of their own.
        window: Where the tokens lie, the same for all rows.
    """

    target: torch.Tensor
    context: torch.Tensor
    heavy: torch.Tensor
    prompts: list[str]
    named: torch.Tensor
    naming: torch.Tensor
    restyled: torch.Tensor
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

    def ready() -> None:
        if settings.bfloat16:
            multiply_in_bfloat16(model, _inside)
        if settings.compiled:
            model.transformer.compile()

    return train_averaged(
        model, _inside, lambda step: _loss(model, data, step, settings), settings, checkpoint, log, ready
    )


def draw_batch(data: LatentGroups, number: int, count: int, settings: FlowSettings) -> Batch:
    """Draw ``count`` edits; which ones depends on the batch's number alone.

    A recolouring is followed by that of the same picture's other object, so that names have to be told apart.
    """
    rng = np.random.default_rng([number, 29])
    window = draw_window(rng, settings.window or data.side, data.side)
    near = np.flatnonzero(boxes_inside(data.boxes, window, INSIDE))
    rows: list[tuple[int, int, int, int | None, str]] = []
    while len(rows) < count:
        if rng.random() < settings.recolour_share:
            group, first = _object(rng, data, near, settings)
            rows += [_recolouring(rng, data, group, (first + turn) % RECOLOURINGS) for turn in range(RECOLOURINGS)]
        else:
            rows.append(_restyling(rng, data, near, settings))
    groups, contexts, targets, objects, prompts = zip(*rows[:count], strict=True)
    prompts = tuple(prompt[0].upper() + prompt[1:] if rng.random() < 0.1 else prompt for prompt in prompts)
    silent = (rng.random(count) < settings.silent_share).tolist()

    def tokens(views: Sequence[int]) -> torch.Tensor:
        return data.tokens(np.array(groups), np.array(views), window)

    context, target, source = tokens(contexts), tokens(targets), tokens([0] * count)
    others = [tokens([view] * count) - source for view in range(1, 1 + RECOLOURINGS)]
    heavy = torch.stack([change.square().mean(-1) > CHANGED for change in (target - context, *others)]).any(0)
    named = data.objects(np.array(groups), np.array([which or 0 for which in objects]), window)
    naming = torch.tensor([which is not None for which in objects])
    restyled = torch.tensor(targets) > RECOLOURINGS
    return Batch(target, context, heavy, list(prompts), named, naming, restyled, silent, window)


def _object(rng: np.random.Generator, data: LatentGroups, near: np.ndarray, settings: FlowSettings) -> tuple[int, int]:
    """Return a group and one of its recolourings, mostly one whose object is inside the window."""
    choices = near if len(near) and rng.random() < settings.there_share else np.arange(len(data.boxes))
    group, which = divmod(int(rng.choice(choices)), RECOLOURINGS)
    return group, which


def _recolouring(
    rng: np.random.Generator, data: LatentGroups, group: int, which: int
) -> tuple[int, int, int, int | None, str]:
    """Return a recolouring, or the way back: group, views of context and target, object, prompt."""
    fact = data.facts[group][which]
    if rng.random() < 0.5:
        return group, 0, 1 + which, which, recolour_prompt(rng, fact.before, fact.new)
    return group, 1 + which, 0, which, recolour_prompt(rng, fact.after, fact.old)


def _restyling(
    rng: np.random.Generator, data: LatentGroups, near: np.ndarray, settings: FlowSettings
) -> tuple[int, int, int, int | None, str]:
    """Return a global style, whose prompt may name one of the picture's objects."""
    style = int(rng.integers(len(STYLES)))
    view = 1 + RECOLOURINGS + style
    if rng.random() >= settings.named_share:
        return int(rng.integers(len(data))), 0, view, None, style_prompt(rng, STYLES[style])
    group, first = _object(rng, data, near, settings)
    which = first if rng.random() < 0.5 else RECOLOURINGS - 1 - first
    return group, 0, view, which, style_prompt(rng, STYLES[style], data.facts[group][which].before)


def _loss(
    model: TextAndFlow, data: LatentGroups, step: int, settings: FlowSettings
) -> tuple[torch.Tensor, dict[str, float]]:
    own, workers = worker()
    step = step * workers + own
    batch = draw_batch(data, step, settings.batch_size // workers, settings)
    generator = torch.Generator().manual_seed(step)
    noise = torch.randn(batch.target.shape, generator=generator)
    levels = _noise_levels(len(noise), settings, generator)
    sigma = levels[:, None, None]
    guidance = torch.tensor([1.0, 2.5, 3.5])[torch.randint(0, 3, (len(noise),), generator=generator)]
    noisy = (1 - sigma) * batch.target + sigma * noise
    velocity = model(noisy, batch.context, batch.prompts, levels, guidance, silent=batch.silent, window=batch.window)
    weight = 1 + settings.edited_weight * batch.heavy
    weight = weight / weight.mean(1, keepdim=True)
    loss: torch.Tensor = ((velocity - (noise - batch.target)).square().mean(-1) * weight).mean()
    # Where the noisy target shows what was recoloured, names need not be read.
    unaided = batch.naming & (batch.restyled | (levels > DECISIVE))
    naming, found = naming_loss(model.readers.read(), batch.named, unaided)
    return loss + settings.naming_weight * naming, {"flow": loss.item(), "naming": naming.item(), "found": found}


def _noise_levels(count: int, settings: FlowSettings, generator: torch.Generator) -> torch.Tensor:
    """Return (B,) noise levels, spread evenly before they are shifted; decisive ones in their share of the rows."""
    uniform = (torch.rand(count, generator=generator) + torch.arange(count)) / count
    shifted = settings.shift * uniform / (1 + (settings.shift - 1) * uniform)
    if not settings.decisive_share:
        # Nothing more is drawn, so that stages without such a share see the batches that they always saw.
        return shifted
    decisive = torch.rand(count, generator=generator) < settings.decisive_share
    return torch.where(decisive, 1 - (1 - DECISIVE) * torch.rand(count, generator=generator), shifted)


def _inside(name: str, parameter: nn.Parameter) -> bool:
    return "transformer_blocks" in name and parameter.ndim == 2 and "norm" not in name
