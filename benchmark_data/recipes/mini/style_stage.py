"""Second step of the style stage: all of the image encoder, on pictures; resumable."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint, save_checkpoint
from benchmark_data.recipes.mini.data import NUISANCES_A_CONTENT, Group, Groups
from benchmark_data.recipes.mini.head_stage import MAX_LOGIT_SCALE, cosine
from benchmark_data.recipes.mini.losses import LossWeights, class_texts, style_loss
from benchmark_data.recipes.mini.views import group_views
from rses.backbones.mini_network import ImageEncoder, TextEncoder

__all__ = ["DualEncoder", "StyleSettings", "train_style"]


@dataclass(frozen=True)
class StyleSettings:
    """Knobs.

    ``accumulate`` batches of ``groups`` pictures make one step: memory of one, gradient of all.
    """

    steps: int = 600
    groups: int = 8
    accumulate: int = 2
    nuisances: int = 2
    styles: int = 6
    texts_a_class: int = 2
    learning_rate: float = 4e-4
    text_rate: float = 5e-5
    weight_decay: float = 0.02
    warm_up: int = 20
    checkpoint_every: int = 10


class DualEncoder(nn.Module):
    """Both encoders and the learned temperature."""

    def __init__(self, image: ImageEncoder, text: TextEncoder, scale: float):
        super().__init__()
        self.image, self.text = image, text
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    @property
    def scale(self) -> torch.Tensor:
        """Factor that turns cosines into logits."""
        return self.log_scale.exp().clamp(max=MAX_LOGIT_SCALE)


def train_style(data: Path, checkpoint: Path, model: DualEncoder, settings: StyleSettings, size: int) -> DualEncoder:
    """Train, or continue from ``checkpoint``; return the model.

    Every step draws from the shards that are there when training starts, by its number alone.
    """
    model.to(memory_format=torch.channels_last)
    optimiser = _optimiser(model, settings)
    rates = [group["lr"] for group in optimiser.param_groups]
    parts_kept = {"model": model, "optimiser": optimiser}
    start = load_checkpoint(checkpoint, parts_kept)
    groups = Groups(data)
    began = time.monotonic()
    for step in range(start, settings.steps):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * cosine(step, settings.steps, settings.warm_up)
        optimiser.zero_grad(set_to_none=True)
        for turn in range(settings.accumulate):
            loss, parts = _batch_loss(model, groups, step * settings.accumulate + turn, settings, size)
            (loss / settings.accumulate).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            save_checkpoint(checkpoint, step + 1, parts_kept)
            pace = (time.monotonic() - began) / (step + 1 - start)
            shown = {key: round(value, 3) for key, value in parts.items()}
            print(f"style {step + 1}/{settings.steps} loss {loss.item():.3f} {shown} {pace:.1f} s", flush=True)
    return model.eval()


def _batch_loss(
    model: DualEncoder, groups: Groups, number: int, settings: StyleSettings, size: int
) -> tuple[torch.Tensor, dict[str, float]]:
    rng = np.random.default_rng([number, 1])
    chosen = [_thinned(rng, groups[int(i)], settings) for i in rng.integers(len(groups), size=settings.groups)]
    views = np.stack([group_views(rng, group, size) for group in chosen])
    images = torch.from_numpy(views).flatten(0, 1).permute(0, 3, 1, 2).float().div_(255)
    seen = model.image(images.contiguous(memory_format=torch.channels_last)).unflatten(0, views.shape[:2])
    labels = torch.from_numpy(np.stack([group.labels for group in chosen]))
    said = model.text(class_texts(number, settings.texts_a_class))
    return style_loss(seen, labels, said, model.scale, LossWeights())


def _thinned(rng: np.random.Generator, group: Group, settings: StyleSettings) -> Group:
    """Take some of a group's nuisances and styles."""
    nuisances = rng.permutation(NUISANCES_A_CONTENT)[: settings.nuisances]
    styles = rng.permutation(len(group.labels))[: settings.styles]
    return Group(group.source, group.masks, group.disturbed[nuisances], group.styled[styles], group.labels[styles])


def _optimiser(model: DualEncoder, settings: StyleSettings) -> torch.optim.AdamW:
    """Decay matrices only, and the texts not at all: decaying the hashed table would erase rare words."""
    decayed = [p for p in model.image.parameters() if p.ndim > 1]
    free = [p for p in model.image.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": decayed, "lr": settings.learning_rate, "weight_decay": settings.weight_decay},
            {"params": free, "lr": settings.learning_rate, "weight_decay": 0.0},
            {"params": [*model.text.parameters(), model.log_scale], "lr": settings.text_rate, "weight_decay": 0.0},
        ]
    )
