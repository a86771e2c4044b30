"""First stage: the image/text encoder, contrastively on views of styled pictures and texts that name the style."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from benchmark_data.recipes.mini.batches import StyleBatches, stream
from benchmark_data.recipes.mini.data import CLASS_NAMES
from benchmark_data.recipes.mini.texts import sample_text
from rses.backbones.mini_network import ImageEncoder, MiniConfig, TextEncoder

__all__ = ["DualEncoder", "StyleSettings", "train_style"]

MAX_LOGIT_SCALE = 30.0


@dataclass(frozen=True)
class StyleSettings:
    """Knobs of the first stage."""

    steps: int = 1400
    batch_size: int = 128
    texts_a_class: int = 3
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: int = 200
    checkpoint_every: int = 250


class DualEncoder(nn.Module):
    """Both encoders and the learned temperature, with batch normalisation for training."""

    def __init__(self, config: MiniConfig):
        super().__init__()
        self.image = ImageEncoder(config, norm=nn.BatchNorm2d)
        self.text = TextEncoder(config)
        nn.init.normal_(self.text.table.weight, std=0.02)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    @property
    def scale(self) -> torch.Tensor:
        """Factor that turns cosines into logits."""
        return self.log_scale.exp().clamp(max=MAX_LOGIT_SCALE)

    def forward(self, images: torch.Tensor, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embed images and texts."""
        return self.image(images), self.text(texts)


def train_style(data: Path, checkpoint: Path, config: MiniConfig, settings: StyleSettings, workers: int) -> DualEncoder:
    """Train, or continue from ``checkpoint``; return the model."""
    torch.manual_seed(0)
    model = DualEncoder(config).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_parameter_groups(model, settings), lr=settings.learning_rate)
    start = _resume(checkpoint, model, optimiser)
    batches = StyleBatches(data, settings.batch_size, config.image_size, settings.steps)
    began, running = time.monotonic(), 0.0
    for step, (views, labels) in enumerate(stream(batches, start, workers), start=start):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, settings)
        loss = _loss(model, views, labels, step, settings)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        running += (loss.item() - running) / min(50, step - start + 1)
        if (step + 1) % 50 == 0:
            rate = (step + 1 - start) * settings.batch_size / (time.monotonic() - began)
            print(f"style {step + 1}/{settings.steps} loss {running:.3f} {rate:.0f} views/s", flush=True)
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            _save(checkpoint, step + 1, model, optimiser)
    return model.eval()


def _parameter_groups(model: DualEncoder, settings: StyleSettings) -> list[dict[str, object]]:
    """Decay matrices only: decaying the hashed table would erase words that are drawn rarely."""
    decayed = [p for n, p in model.named_parameters() if p.ndim > 1 and "table" not in n]
    free = [p for n, p in model.named_parameters() if p.ndim <= 1 or "table" in n]
    return [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]


def _schedule(step: int, settings: StyleSettings) -> float:
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def _loss(
    model: DualEncoder, views: torch.Tensor, labels: torch.Tensor, step: int, settings: StyleSettings
) -> torch.Tensor:
    """Cross-entropy over one text a class, averaged over several draws of the texts."""
    generator = torch.Generator().manual_seed(step)
    images = _jitter(views.permute(0, 3, 1, 2).float() / 255.0, generator)
    words = random.Random(step)
    texts = [sample_text(words, name) for _ in range(settings.texts_a_class) for name in CLASS_NAMES]
    with torch.autocast("cpu", torch.bfloat16):
        seen = model.image(images.contiguous(memory_format=torch.channels_last))
    said = model.text(texts)
    logits = model.scale * seen @ said.T
    choices = logits.view(len(images), settings.texts_a_class, len(CLASS_NAMES)).flatten(0, 1)
    by_image = F.cross_entropy(choices, labels.repeat_interleave(settings.texts_a_class), label_smoothing=0.02)
    # The other direction: of all views, a text should pick those of its class.
    names = torch.arange(len(CLASS_NAMES)).repeat(settings.texts_a_class)
    matches = (names[:, None] == labels[None]).float()
    known = matches.sum(dim=1) > 0
    targets = matches[known] / matches[known].sum(dim=1, keepdim=True)
    by_text = F.cross_entropy(logits.T[known], targets)
    return by_image + 0.3 * by_text


def _jitter(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change brightness, contrast, saturation and colour balance a little."""
    draw = torch.rand(images.shape[0], 6, 1, 1, 1, generator=generator)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (0.85 + 0.3 * draw[:, 0]) * (images - grey)
    images = (images - 0.5) * (0.85 + 0.3 * draw[:, 1]) + 0.5 + 0.12 * (draw[:, 2] - 0.5)
    balance = 0.05 * (draw[:, 3:6, :, :, 0] - 0.5)
    return (images + balance).clamp(0, 1)


def _save(path: Path, step: int, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    state = {"step": step, "model": model.state_dict(), "optimiser": optimiser.state_dict()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def _resume(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    print(f"style: continuing after step {state['step']}", flush=True)
    return int(state["step"])
