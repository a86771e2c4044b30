"""From style-word attention to the model's own mask: log-odds against uniform, through a logistic of two numbers."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regionroute.losses import log_odds
from rses.errors import InputError, Place, WeightsError
from rses.files.atomic import write_atomic
from rses.files.text import parse_json

GATE_FILE = "gate.json"
"""Where a folder of experts keeps its gate."""
MOST_STEPS = 1000
"""More than any sampler takes."""


@dataclass(frozen=True)
class Gate:
    """Says how much of a cell belongs to the object, given how much attention it pays to the style words.

    That is ``sigmoid(slope * x + bias)`` with x the log-odds of the mean map against a uniform one. The loss
    Cover in mode ``exact`` supervises exactly this with slope 1 and bias 0, so these are the defaults.

    ``steps`` are the denoising steps over which the attention is averaged. ``finder`` says whether it was fitted to the
    attention of a finder, or of the styles' experts; None where nothing was fitted.

    Example:
        >>> Gate().mask(torch.tensor([[0.2, 0.2, 0.2]])).tolist()
        [[0.5, 0.5, 0.5]]
    """

    slope: float = 1.0
    bias: float = 0.0
    steps: int = 2
    finder: bool | None = None

    def __post_init__(self) -> None:
        finite = all(isinstance(x, (int, float)) and abs(x) < math.inf for x in (self.slope, self.bias))
        whole = isinstance(self.steps, int) and not isinstance(self.steps, bool)
        if not finite or not whole or not 1 <= self.steps <= MOST_STEPS or self.finder not in (None, True, False):
            raise InputError(
                f"A gate needs a finite slope and bias, 1 to {MOST_STEPS} steps and, for finder, true or false, "
                f"got slope {self.slope!r:.40}, bias {self.bias!r:.40}, steps {self.steps!r:.40}, "
                f"finder {self.finder!r:.40}.",
                code="wrong-argument",
            )

    def mask(self, heat: Tensor) -> Tensor:
        """Return the soft mask (B, N) in [0, 1] of mean maps (B, N); each row depends on itself alone."""
        # One by one: vector units round differently by an element's place in the batch.
        return torch.stack([torch.sigmoid(self.slope * log_odds(row[None])[0] + self.bias) for row in heat])


def fit_gate(heat: Tensor, masks: Tensor, steps: int) -> Gate:
    """Find the gate whose masks overlap best with the true ones: the greatest mean of sum(min) / sum(max) over pairs.

    A likelihood would not do: objects are small, so where attention tells little it is best to say nowhere. Searched on
    a grid of slopes and thresholds, then on a finer one around the best; of equals, the gentlest slope wins.

    Args:
        heat: (n, N) mean maps of pairs that no expert was trained on.
        masks: (n, N) in [0, 1], how much of a cell the object covers; none empty.
        steps: Denoising steps that the maps were averaged over.

    Raises:
        InputError: Shapes differ, or there is no pair.

    Example:
        >>> heat = torch.tensor([[0.9, 0.8, 0.1, 0.1, 0.1, 0.2]])
        >>> gate = fit_gate(heat, torch.tensor([[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]), 2)
        >>> (gate.mask(heat)[0] > 0.5).tolist()
        [True, True, False, False, False, False]
    """
    if heat.shape != masks.shape or heat.ndim != 2 or not len(heat):
        raise InputError(
            f"A gate is fitted to maps and masks (n, N), got {tuple(heat.shape)} and {tuple(masks.shape)}.",
            code="wrong-shape",
        )
    odds, wanted = log_odds(heat), masks.float()
    slopes = torch.logspace(-0.5, 1.2, 18).tolist()
    low, high = float(odds.min()), float(odds.max())
    best = _best(odds, wanted, slopes, torch.linspace(low, high, 41).tolist())
    near = (high - low) / 40
    finer = torch.linspace(best[1] - near, best[1] + near, 21).tolist()
    slope, threshold = _best(odds, wanted, [best[0] * factor for factor in (0.9, 0.95, 1.0, 1.05, 1.1)], finer)
    return Gate(round(slope, 4), round(-slope * threshold, 4), steps)


def _best(odds: Tensor, wanted: Tensor, slopes: Sequence[float], thresholds: Sequence[float]) -> tuple[float, float]:
    """Return the slope and the threshold (log-odds at which the mask is one half) of the greatest overlap."""
    scored = []
    for slope in slopes:
        for threshold in thresholds:
            mask = torch.sigmoid(slope * (odds - threshold))
            overlap = torch.minimum(mask, wanted).sum(1) / torch.maximum(mask, wanted).sum(1).clamp_min(1e-9)
            scored.append((round(float(overlap.mean()), 6), -slope, threshold))
    _, steepness, threshold = max(scored, key=lambda item: item[:2])
    return -steepness, threshold


def read_gate(folder: Path) -> Gate:
    """Read the gate of a folder of experts; without one, what the loss supervised: slope 1, bias 0."""
    path = folder / GATE_FILE
    if not path.is_file():
        return Gate()
    try:
        return Gate(**parse_json(path.read_bytes()))
    except (ValueError, TypeError, InputError) as error:
        raise WeightsError(
            f"{path} cannot be used: {error} Fit it again.", code="unreadable", place=Place(str(path))
        ) from error


def write_gate(folder: Path, gate: Gate) -> None:
    """Write the gate beside the experts that it was fitted for."""
    write_atomic(folder / GATE_FILE, (json.dumps(dataclasses.asdict(gate)) + "\n").encode())


def gate_of(files: Iterable[Path]) -> Gate:
    """Return the gate of experts that lie in one folder; what the losses supervised where they lie in several."""
    folders = {path.parent for path in files}
    return read_gate(folders.pop()) if len(folders) == 1 else Gate()
