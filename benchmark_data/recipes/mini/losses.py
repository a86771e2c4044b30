"""What the image encoder learns from: names of styles, gains over the source, and nuisances that change nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from benchmark_data.recipes.mini.classes import CLASS_NAMES
from benchmark_data.recipes.mini.texts import sample_text

__all__ = ["LossWeights", "class_texts", "quiet_loss", "style_loss"]


@dataclass(frozen=True)
class LossWeights:
    """How much each part counts.

    Attributes:
        plain: Weight of the sources and nuisances in the cross-entropy, which outnumber each style.
        gain: Margin loss on the rise of the right text over the source.
        margin: Rise asked for, in cosine.
        still: Squared change of the cosines with all texts under a nuisance.
        drift: Squared mean of that change over the batch, so that no text gains from nuisances on average.
        by_text: Cross-entropy in the other direction.
        kind: Squared mean of the change under each kind of nuisance, so that no kind moves a text on average.
    """

    plain: float = 0.5
    gain: float = 3.0
    margin: float = 0.35
    still: float = 24.0
    drift: float = 60.0
    by_text: float = 0.2
    kind: float = 200.0


def class_texts(step: int, draws: int) -> list[str]:
    """Draw ``draws`` phrasings of every class."""
    words = random.Random(step)
    return [sample_text(words, name) for _ in range(draws) for name in CLASS_NAMES]


def style_loss(
    seen: torch.Tensor, labels: torch.Tensor, said: torch.Tensor, scale: torch.Tensor, weights: LossWeights
) -> tuple[torch.Tensor, dict[str, float]]:
    """Add up the parts.

    Args:
        seen: (G, 1 + D + J, E) unit embeddings of source, nuisances and styled versions of G pictures.
        labels: (G, J) classes of the styled versions.
        said: (T * C, E) unit embeddings of T texts of each of the C classes.
        scale: Factor that turns cosines into logits.
        weights: Of the parts.

    Returns:
        The loss and its parts as numbers.
    """
    classes = len(CLASS_NAMES)
    first = seen.shape[1] - labels.shape[1]
    names = torch.cat([labels.new_zeros(len(labels), first), labels], dim=1)
    cosines = (seen @ said.T).unflatten(2, (-1, classes))
    importance = torch.where(names == 0, weights.plain, 1.0)[..., None].expand(-1, -1, cosines.shape[2])
    each = F.cross_entropy(
        (scale * cosines).flatten(0, 2),
        names[..., None].expand(-1, -1, cosines.shape[2]).flatten(),
        label_smoothing=0.03,
        reduction="none",
    )
    by_image = (each * importance.flatten()).sum() / importance.sum()
    mean = cosines.mean(dim=2)
    own = mean[:, first:].gather(2, labels[..., None]).squeeze(2)
    before = mean[:, 0].gather(1, labels)
    gain = F.softplus(12 * (weights.margin - (own - before))).mean() / 12
    change = mean[:, 1:first] - mean[:, :1]
    still, drift = change.square().mean(), change.mean(dim=(0, 1)).square().mean()
    by_text = _by_text(scale * cosines, names)
    loss = by_image + weights.gain * gain + weights.still * still + weights.drift * drift + weights.by_text * by_text
    parts = {
        "image": by_image.item(),
        "gain": (own > before).float().mean().item(),
        "still": change.abs().mean().item(),
        "right": (mean[:, first:].argmax(dim=2) == labels).float().mean().item(),
        "plain": (mean[:, :first].argmax(dim=2) == 0).float().mean().item(),
    }
    return loss, parts


def quiet_loss(seen: torch.Tensor, said: torch.Tensor, weights: LossWeights) -> tuple[torch.Tensor, float]:
    """Add up what nuisances of known kinds move, of one region and on average.

    Args:
        seen: (2, G, 1 + K, E) unit embeddings of two sorts of regions as they are and under K kinds of nuisances.
        said: (T * C, E) unit embeddings of T texts of each of the C classes.
        weights: Of the parts.

    Returns:
        The loss, and the largest mean change of a cosine by a kind.

    Example:
        >>> same = torch.nn.functional.normalize(torch.ones(2, 3, 4, 8), dim=-1)
        >>> [float(part) for part in quiet_loss(same, same[0, 0, :1].repeat(21, 1), LossWeights())]
        [0.0, 0.0]
    """
    mean = (seen @ said.T).unflatten(-1, (-1, len(CLASS_NAMES))).mean(dim=-2)
    change = mean[:, :, 1:] - mean[:, :, :1]
    by_kind = change.mean(dim=1)
    loss = weights.still * change.square().mean() + weights.kind * by_kind.square().mean()
    return loss, by_kind.abs().max().item()


def _by_text(logits: torch.Tensor, names: torch.Tensor) -> torch.Tensor:
    """Of all views, a text should pick those of its class."""
    flat, labels = logits.flatten(0, 1), names.flatten()
    matches = (labels[:, None] == torch.arange(logits.shape[3])[None]).float()
    known = matches.sum(dim=0) > 0
    targets = (matches / matches.sum(dim=0).clamp(min=1))[:, known].T
    parts = [F.cross_entropy(flat[:, turn, known].T, targets) for turn in range(flat.shape[1])]
    return torch.stack(parts).mean()
