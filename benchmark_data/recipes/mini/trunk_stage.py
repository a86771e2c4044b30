"""Second stage: the perceptual trunk, by ranking along ladders of distortions and by naming styles."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from benchmark_data.recipes.kontext_mini.checkpoints import load_checkpoint, save_checkpoint
from benchmark_data.recipes.mini.batches import TrunkBatches, stream
from benchmark_data.recipes.mini.classes import CLASS_NAMES
from benchmark_data.recipes.mini.distortions import LADDERS, TRAINED, climb, distance, inner
from rses.backbones.mini_network import MiniConfig, PerceptualTrunk

__all__ = ["TrunkSettings", "train_trunk"]

# What the strongest rung of every ladder should measure, roughly; sets the scale and evens the ladders out.
TOP_DISTANCE = 0.6


@dataclass(frozen=True)
class TrunkSettings:
    """Knobs of the second stage."""

    steps: int = 2400
    batch_size: int = 20
    image_size: int = 96
    learning_rate: float = 1.5e-3
    checkpoint_every: int = 250
    rungs: int = 4


class _Trainee(nn.Module):
    """The trunk with a throw-away classifier on its maps, which keeps them meaningful."""

    def __init__(self, config: MiniConfig):
        super().__init__()
        self.trunk = PerceptualTrunk(config)
        for conv in self.trunk.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.uniform_(conv.bias, 0.0, 0.1)
        self.classifier = nn.Linear(2 * sum(config.trunk_channels), len(CLASS_NAMES))

    def classify(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Logits of the classes (N, 21) from means and deviations of the maps."""
        flat = [m.flatten(2) for m in maps]
        means = [f.mean(dim=2) for f in flat]
        spreads = [(f.var(dim=2, unbiased=False) + 1e-6).sqrt() for f in flat]
        return self.classifier(10 * torch.cat([*means, *spreads], dim=1))


def train_trunk(
    data: Path, checkpoint: Path, config: MiniConfig, settings: TrunkSettings, workers: int
) -> PerceptualTrunk:
    """Train, or continue from ``checkpoint``; return the trunk."""
    torch.manual_seed(1)
    model = _Trainee(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=1e-3)
    kept = {"model": model, "optimiser": optimiser}
    start = load_checkpoint(checkpoint, kept)
    batches = TrunkBatches(data, settings.batch_size, settings.image_size, settings.steps)
    began, losses = time.monotonic(), {"rank": 0.0, "scale": 0.0, "class": 0.0, "right": 0.0}
    for step, (patches, labels) in enumerate(stream(batches, start, workers), start=start):
        warm = min(1.0, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * warm * (0.51 + 0.49 * math.cos(math.pi * step / settings.steps))
        parts = _losses(model, patches.permute(0, 3, 1, 2).float() / 255, labels, step, settings)
        optimiser.zero_grad(set_to_none=True)
        (parts["rank"] + 0.1 * parts["scale"] + 0.25 * parts["class"]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            for head in model.trunk.heads:
                head.clamp_(min=0)
        for name, value in parts.items():
            losses[name] += (value.item() - losses[name]) / min(50, step - start + 1)
        if (step + 1) % 50 == 0:
            pace = (time.monotonic() - began) / (step + 1 - start)
            shown = {name: round(value, 3) for name, value in losses.items()}
            print(f"trunk {step + 1}/{settings.steps} {shown} {pace:.2f} s", flush=True)
        if (step + 1) % settings.checkpoint_every == 0 or step + 1 == settings.steps:
            save_checkpoint(checkpoint, step + 1, kept)
    return model.trunk.eval()


def _losses(
    model: _Trainee, patches: torch.Tensor, labels: torch.Tensor, step: int, settings: TrunkSettings
) -> dict[str, torch.Tensor]:
    """Rank neighbouring rungs of one ladder per picture, near a common scale; name the style of the picture."""
    generator = torch.Generator().manual_seed(step)
    stacks = [inner(patches)]
    targets = []
    groups = torch.arange(len(patches)) % len(TRAINED)
    ladders = torch.empty(settings.rungs, *stacks[0].shape)
    heights = torch.empty(settings.rungs, len(patches))
    for number, name in enumerate(TRAINED):
        chosen = groups == number
        places = _places(name, settings.rungs, generator)
        direction = int(torch.randint(4, (1,), generator=generator))
        for rung, place in enumerate(places):
            level = _between(LADDERS[name], place)
            ladders[rung, chosen] = climb(name, patches[chosen], level, seed=step * 8 + rung, direction=direction)
            heights[rung, chosen] = place
    stacks.append(ladders.flatten(0, 1))
    targets = TOP_DISTANCE * heights**1.3
    with torch.autocast("cpu", torch.bfloat16):
        maps = model.trunk(torch.cat(stacks).contiguous(memory_format=torch.channels_last))
    count = len(patches)
    clean = [m[:count] for m in maps]
    heads = [head.clamp(min=0) for head in model.trunk.heads]
    repeated = [m.repeat(settings.rungs, 1, 1, 1) for m in clean]
    far = distance(repeated, [m[count:] for m in maps], heads).view(settings.rungs, count)
    logs = (far + 1e-6).log()
    steps = logs[1:] - logs[:-1]
    return {
        "rank": F.softplus(6 * (0.15 - steps)).mean(),
        "scale": (logs - (targets + 1e-3).log()).square().mean(),
        "class": F.cross_entropy(model.classify(clean), labels),
        "right": (steps > 0).float().mean().detach(),
    }


def _places(name: str, rungs: int, generator: torch.Generator) -> list[float]:
    """Draw ascending places in (0, 1] on a ladder; a whole pixel apart at least where pixels are counted."""
    if name == "shift by pixels":
        pixels = torch.randperm(10, generator=generator)[:rungs].sort().values + 1
        return [float(p) / 10 for p in pixels]
    places = 0.08 + 0.92 * torch.rand(rungs, generator=generator).sort().values
    gaps = torch.arange(rungs) * 0.04
    return ((places + gaps) / (1 + float(gaps[-1]))).tolist()


def _between(levels: tuple[float, ...], place: float) -> float:
    """Read a ladder at a place in [0, 1], going geometrically from rung to rung."""
    if levels == LADDERS["shift by pixels"]:
        return round(place * 10)
    position = place * (len(levels) - 1)
    low = min(int(position), len(levels) - 2)
    a, b = levels[low], levels[low + 1]
    return a * (b / a) ** (position - low)
