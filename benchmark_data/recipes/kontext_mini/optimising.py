"""What both trained stages share: two optimisers, one schedule, averaged weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.muon import Muon
from benchmark_data.recipes.kontext_mini.workers import average_gradients

__all__ = ["Optimisers", "follow"]


class Optimisers:
    """Muon for the matrices inside a network, AdamW for everything else, on one schedule.

    Args:
        model: Its trainable parameters are optimised.
        inside: Says by name whether a parameter is Muon's.
        rates: Learning rates of Muon and AdamW.
        decays: Weight decays of Muon and AdamW.
        steps: Steps in all: full speed for the first third, then a straight way down.
        warm_up: Steps until full speed.
    """

    def __init__(
        self, model: nn.Module, inside: Callable[[str, nn.Parameter], bool], *, rates: tuple[float, float],
        decays: tuple[float, float], steps: int, warm_up: int,
    ):  # fmt: skip
        self._model, self._rates, self._steps, self._warm_up = model, rates, steps, warm_up
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        matrices = [p for name, p in trained.items() if inside(name, p)]
        others = [p for name, p in trained.items() if not inside(name, p)]
        self.inner = Muon(matrices, rates[0], weight_decay=decays[0])
        self.rest = torch.optim.AdamW(others, rates[1], betas=(0.9, 0.98), weight_decay=decays[1])

    def step(self, step: int, loss: torch.Tensor) -> None:
        """Take one step down ``loss``."""
        left = min(1.0, (step + 1) / self._warm_up, max(0.01, 1.5 * (1 - step / self._steps)))
        self.inner.param_groups[0]["lr"] = self._rates[0] * left
        self.rest.param_groups[0]["lr"] = self._rates[1] * left
        self._model.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self._model.parameters())
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self.inner.step()
        self.rest.step()


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, step: int, keep: float) -> None:
    """Move averaged weights towards a model's: a running mean over the steps, longer and longer up to ``keep``."""
    share = 1 - min(keep, (step + 1) / (step + 10))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), share)
