"""First step of the style stage: the head and the texts, on statistics of convolutions that stand still."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmark_data.recipes.mini.losses import LossWeights, class_texts, quiet_loss, style_loss
from rses.backbones.mini_network import ImageEncoder, TextEncoder

__all__ = ["HeadSettings", "Statistics", "cosine", "train_head"]

MAX_LOGIT_SCALE = 30.0


@dataclass(frozen=True)
class HeadSettings:
    """Knobs."""

    steps: int = 2000
    groups: int = 48
    quiet_groups: int = 32
    texts_a_class: int = 2
    learning_rate: float = 1.5e-3
    text_rate: float = 2e-4
    weight_decay: float = 0.05
    dropout: float = 0.25
    noise: float = 0.1


@dataclass(frozen=True)
class Statistics:
    """All features: ``values`` (N, V, K) float16, ``labels`` (N, J), ``quiet`` (2, M, 1 + kinds, K) of two sorts."""

    values: torch.Tensor
    labels: torch.Tensor
    quiet: torch.Tensor

    @classmethod
    def read(cls, folder: Path) -> Statistics:
        """Read what :mod:`benchmark_data.recipes.mini.features` and ``quiet`` wrote to a folder."""
        files = [torch.load(path, weights_only=True) for path in sorted(folder.glob("shard-*.pt"))]
        quiet = torch.cat([torch.load(path, weights_only=True) for path in sorted(folder.glob("quiet-*.pt"))])
        return cls(
            torch.cat([f["statistics"] for f in files]), torch.cat([f["labels"] for f in files]),
            torch.stack([quiet[0::2], quiet[1::2]]),
        )  # fmt: skip


class _Head(nn.Module):
    """The image head behind a standardisation of its inputs, which is folded into it afterwards."""

    def __init__(self, head: nn.Sequential, mean: torch.Tensor, spread: torch.Tensor, settings: HeadSettings):
        super().__init__()
        self.head, self.settings = head, settings
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Embed statistics (..., K) as unit vectors."""
        x = (x.float() - self.mean) / self.spread
        if self.training:
            x = x + self.settings.noise * torch.randn_like(x)
        hidden = nn.functional.dropout(self.head[1](self.head[0](x)), self.settings.dropout, self.training)
        return nn.functional.normalize(self.head[2](hidden), dim=-1)

    @torch.no_grad()
    def fold(self) -> None:
        """Move the standardisation into the first layer."""
        first = self.head[0]
        assert isinstance(first, nn.Linear)
        first.weight.div_(self.spread)
        first.bias.sub_(first.weight @ self.mean)


def train_head(
    image: ImageEncoder, text: TextEncoder, scale: float, data: Statistics, settings: HeadSettings, weights: LossWeights
) -> float:
    """Train ``image.head`` and ``text`` in place; return the learned factor of the logits."""
    torch.manual_seed(0)
    sample = data.values[:: max(1, len(data.values) // 400)].float().flatten(0, 1)
    model = _Head(image.head, sample.mean(dim=0), sample.std(dim=0) + 0.02, settings).train()
    log_scale = nn.Parameter(torch.tensor(math.log(scale)))
    groups = [
        {"params": model.parameters(), "lr": settings.learning_rate, "weight_decay": settings.weight_decay},
        {"params": [*text.parameters(), log_scale], "lr": settings.text_rate, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    rates = [group["lr"] for group in optimiser.param_groups]
    for step in range(settings.steps):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * cosine(step, settings.steps, 50)
        chosen = torch.randperm(len(data.values))[: settings.groups]
        still = torch.randperm(data.quiet.shape[1])[: settings.quiet_groups]
        said = text(class_texts(step, settings.texts_a_class))
        factor = log_scale.exp().clamp(max=MAX_LOGIT_SCALE)
        loss, parts = style_loss(model(data.values[chosen]), data.labels[chosen], said, factor, weights)
        quiet, parts["kind"] = quiet_loss(model(data.quiet[:, still]), said, weights)
        loss = loss + quiet
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if (step + 1) % 250 == 0:
            shown = {key: round(value, 3) for key, value in parts.items()}
            print(f"head {step + 1}/{settings.steps} loss {loss.item():.3f}", shown, flush=True)
    model.eval()
    model.fold()
    return log_scale.exp().clamp(max=MAX_LOGIT_SCALE).item()


def cosine(step: int, steps: int, warm_up: int) -> float:
    """Return the share of the learning rate at a step: up in a straight line, then down to a hundredth."""
    return min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
