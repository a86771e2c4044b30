"""The loop of the diffusion stages: two optimisers, averaged weights, a line of log, a checkpoint now and then."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint, save_checkpoint
from benchmark_data.recipes.kontext_mini.optimising import Optimisers, follow
from benchmark_data.recipes.kontext_mini.workers import worker

__all__ = ["LoopSettings", "Pace", "train_averaged"]

M = TypeVar("M", bound=nn.Module)
Measured = Callable[[int], tuple[torch.Tensor, dict[str, float]]]
"""Loss of a step, and what the log shows of it."""


@dataclass(frozen=True)
class Pace:
    """What differs between stages in how they go, not in what they learn.

    Attributes:
        decays: Weight decays of Muon and AdamW.
        warm_up: Steps until full speed.
        keep: Of the averaged weights at every step, in the long run.
        log_every: Steps that a line of the log is the mean of.
    """

    decays: tuple[float, float] = (0.01, 0.0)
    warm_up: int = 50
    keep: float = 0.997
    log_every: int = 50


PACE = Pace()


class LoopSettings(Protocol):
    """What the loop reads of a stage's settings."""

    @property
    def steps(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def rest_learning_rate(self) -> float: ...
    @property
    def checkpoint_every(self) -> int: ...


def train_averaged(
    model: M, inside: Callable[[str, nn.Parameter], bool], loss: Measured, settings: LoopSettings, checkpoint: Path,
    log: Path, ready: Callable[[], object] | None = None, pace: Pace = PACE,
) -> M:  # fmt: skip
    """Train, or continue from ``checkpoint``; return the averaged model.

    Args:
        model: Trained in place.
        inside: Says by name whether a parameter is Muon's.
        loss: Returns the loss of a step, and numbers about it.
        settings: Steps, rates, checkpoints.
        checkpoint: Read if there, and written; of several processes, by the first.
        log: JSON lines.
        ready: Called once all weights are loaded, before the first step.
        pace: Decays, warm-up, averaging and logging.
    """
    average = copy.deepcopy(model).requires_grad_(False)
    optimisers = Optimisers(
        model, inside, rates=(settings.learning_rate, settings.rest_learning_rate), decays=pace.decays,
        steps=settings.steps, warm_up=pace.warm_up,
    )  # fmt: skip
    parts = {"model": model, "average": average, "inner": optimisers.inner, "rest": optimisers.rest}
    start = load_checkpoint(checkpoint, parts)
    if ready is not None:
        ready()
    began, recent = time.monotonic(), []
    for step in range(start, settings.steps):
        current, numbers = loss(step)
        optimisers.step(step, current)
        follow(average, model, step, pace.keep)
        recent.append({"loss": current.item(), **numbers})
        if worker()[0] > 0:
            continue
        if (step + 1) % pace.log_every == 0:
            rate = (step + 1 - start) * settings.batch_size / (time.monotonic() - began)
            means = {name: round(float(np.mean([each[name] for each in recent])), 5) for name in recent[0]}
            line = {"step": step + 1, **means, "rate": round(rate, 1)}
            recent = []
            with log.open("a") as stream:
                stream.write(json.dumps(line) + "\n")
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            save_checkpoint(checkpoint, step + 1, parts)
    return average.eval()
