"""Training batches of the three models from latents that are encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark_data.recipes.kontext_mini.data import RECOLOURINGS, STYLES, VIEWS, Groups, Recolouring
from benchmark_data.recipes.kontext_mini.latents import latent_scale
from benchmark_data.recipes.kontext_mini.prompts import recolour_prompt, style_prompt
from benchmark_data.recipes.sd_mini.captions import caption, object_phrase
from benchmark_data.recipes.sd_mini.objects import GroupObjects, read_objects
from rses.errors import InputError

DROPPED = 0.1
"""Share of rows whose prompt is empty, for guidance; InstructPix2Pix's rows also lose the source as often."""
RECOLOURED = 0.6
"""Share of InstructPix2Pix's rows that recolour one object; the others restyle the picture."""
INSIDE = 0.8
"""Share of inpainting rows that are told what stands in the hole; the others get the picture's caption."""


@dataclass(frozen=True)
class Batch:
    """Rows as the networks take them.

    Attributes:
        target: (B, channels, side, side) scaled latents.
        prompts: One per row.
        beside: Further channels, or None.
        objects: (B, 1, side, side) in [0, 1], how much of a cell shows objects.
    """

    target: torch.Tensor
    prompts: list[str]
    beside: torch.Tensor | None
    objects: torch.Tensor


class Latents:
    """All latents in memory, with what is known about their pictures.

    Args:
        data: Folder of kontext-mini's data, annotated.
        latents: Folder of encoded pictures.
        masked: Folder of encoded pictures with holes, for inpainting.
    """

    def __init__(self, data: Path, latents: Path, masked: Path | None = None):
        self.facts: list[tuple[Recolouring, ...]] = Groups(data).facts
        self.objects: list[GroupObjects] = read_objects(data)
        self.single = [group for group, objects in enumerate(self.objects) if len(objects.things) == 1]
        self._values = _load(latents)
        self._masked = None if masked is None else _load(masked)
        self.scale = latent_scale(latents)[1]

    def __len__(self) -> int:
        return min(len(self._values), len(self.objects))

    def whole(self, groups: Sequence[int], views: Sequence[int]) -> torch.Tensor:
        """Return latents of the chosen views as the autoencoder gives them."""
        return torch.from_numpy(self._values[list(groups), list(views)]).float()

    def masked(self, groups: Sequence[int], views: Sequence[int]) -> torch.Tensor:
        """Return latents of the chosen views with the group's hole."""
        assert self._masked is not None, "give the folder of pictures with holes"
        return torch.from_numpy(self._masked[list(groups), list(views)]).float()


def _load(folder: Path) -> np.ndarray:
    return np.concatenate([np.load(path) for path in sorted(folder.glob("part-*.npy"))])


def draw(latents: Latents, kind: str, step: int, size: int, alone: float = 0.0) -> Batch:
    """Draw rows; which ones depends on the step alone.

    Args:
        latents: What they are drawn from.
        kind: A key of :data:`~benchmark_data.recipes.sd_mini.networks.KINDS`.
        step: Seeds the draw.
        size: Rows.
        alone: Share of the rows of text to image that are plain scenes of one object.

    Raises:
        InputError: Scenes of one object are asked for, and there is none.
    """
    if alone and not latents.single:
        raise InputError("No scene of the training data shows one object alone: make more scenes, or drop --alone.")
    rng = np.random.default_rng([step, 41])
    groups = rng.integers(0, len(latents), size).tolist()
    single = rng.random(size) < alone if alone else np.zeros(size, bool)
    groups = [
        latents.single[group % len(latents.single)] if one else group for group, one in zip(groups, single, strict=True)
    ]
    rows = [
        _described(latents, group, rng, 1 + RECOLOURINGS) if one else DRAW[kind](latents, group, rng)
        for group, one in zip(groups, single, strict=True)
    ]
    prompts = ["" if rng.random() < DROPPED else prompt for _, _, prompt in rows]
    views, sources = [view for view, _, _ in rows], [source for _, source, _ in rows]
    target = latents.whole(groups, views) * latents.scale
    objects = torch.stack([_shares(latents.objects[group].masks.any(0), target.shape[-1]) for group in groups])
    if kind == "instruct-pix2pix":
        # The pipeline gives the source unscaled, and zeros where it guides away from it.
        kept = torch.from_numpy(rng.random(size) >= DROPPED).float()[:, None, None, None]
        return Batch(target, prompts, latents.whole(groups, sources) * kept, objects)
    if kind == "sd-inpaint":
        holes = torch.stack([_small(hole(latents.objects[group].masks, group), target.shape[-1]) for group in groups])
        return Batch(target, prompts, torch.cat([holes, latents.masked(groups, views) * latents.scale], 1), objects)
    return Batch(target, prompts, None, objects)


def _edit(latents: Latents, group: int, rng: np.random.Generator) -> tuple[int, int, str]:
    """Choose (target view, source view, instruction)."""
    if rng.random() < RECOLOURED:
        number = int(rng.integers(RECOLOURINGS))
        fact, there = latents.facts[group][number], rng.random() < 0.5
        label, colour = (fact.before, fact.new) if there else (fact.after, fact.old)
        views = (1 + number, 0) if there else (0, 1 + number)
        return *views, recolour_prompt(rng, label, colour)
    number = int(rng.integers(len(STYLES)))
    return 1 + RECOLOURINGS + number, 0, style_prompt(rng, STYLES[number])


def _described(latents: Latents, group: int, rng: np.random.Generator, views: int = VIEWS) -> tuple[int, int, str]:
    """Choose one of the first views and describe it."""
    view = int(rng.integers(views))
    style, things = _seen(latents, group, view)
    return view, view, caption(rng, things, latents.objects[group].backdrop, style)


def _filled(latents: Latents, group: int, rng: np.random.Generator) -> tuple[int, int, str]:
    """Choose a view and describe what its hole shows."""
    view, _, text = _described(latents, group, rng)
    style, things = _seen(latents, group, view)
    if rng.random() >= INSIDE:
        return view, view, text
    name, colour = things[_chosen(len(things), group)]
    phrase = object_phrase(rng, name, colour)
    return view, view, phrase if style is None else f"{phrase} in {style} style"


DRAW = {"sd": _described, "instruct-pix2pix": _edit, "sd-inpaint": _filled}


def _seen(latents: Latents, group: int, view: int) -> tuple[str | None, list[tuple[str, str]]]:
    """Return the style of a view and the (name, colour) of what it shows."""
    things = list(latents.objects[group].things)
    if view > RECOLOURINGS:
        return STYLES[view - 1 - RECOLOURINGS], things
    if view > 0:
        fact = latents.facts[group][view - 1]
        index = next(i for i, (name, colour) in enumerate(things) if colour == fact.old and fact.before.endswith(name))
        things[index] = (things[index][0], fact.new)
    return None, things


def _chosen(count: int, group: int) -> int:
    return int(np.random.default_rng([group, 43]).integers(count))


def hole(masks: np.ndarray, group: int) -> np.ndarray:
    """Return the hole (SIZE, SIZE) bool of a group: one of its objects, grown by up to 8 pixels.

    Example:
        >>> masks = np.zeros((1, 128, 128), bool)
        >>> masks[0, 40:60, 40:60] = True
        >>> int(hole(masks, 3).sum()) >= 400
        True
    """
    from scipy.ndimage import binary_dilation

    rng = np.random.default_rng([group, 44])
    mask = masks[_chosen(len(masks), group)]
    grow = int(rng.integers(0, 9))
    return np.asarray(binary_dilation(mask, iterations=grow)) if grow else mask


def _small(mask: np.ndarray, side: int) -> torch.Tensor:
    """Shrink a hole to the latents' grid (1, side, side), as the pipeline does: by nearest neighbours."""
    values = torch.from_numpy(mask.astype(np.float32))[None, None]
    return torch.nn.functional.interpolate(values, size=(side, side))[0]


def _shares(mask: np.ndarray, side: int) -> torch.Tensor:
    """Return how much of every cell (1, side, side) a mask covers."""
    return torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(mask).float()[None], side)


def dig(objects: Sequence[GroupObjects], pixels: torch.Tensor, group: int) -> None:
    """Paint the hole of a group grey in its pictures (VIEWS, 3, SIZE, SIZE)."""
    pixels[:, :, torch.from_numpy(hole(objects[group].masks, group))] = 0
