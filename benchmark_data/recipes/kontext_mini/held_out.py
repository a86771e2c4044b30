"""Scenes that no training saw, with the questions that the evaluation asks about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from baselines.classical import stylize
from benchmark_data.recipes.kontext_mini.data import SIZE, STYLE_SEED, STYLES, recolourings
from benchmark_data.scenes import COLOURS, make_scene

__all__ = ["FIRST_SEED", "RecolourQuestion", "StyleQuestion", "plain_scenes", "recolour_questions", "style_questions"]

FIRST_SEED = 40_000_000


@dataclass(frozen=True)
class RecolourQuestion:
    """Asks for another colour of one object.

    Attributes:
        source: (H, W, 3) uint8.
        prompt: The instruction.
        mask: (H, W) bool, the object.
        colour: The colour asked for.
        renderings: The scene with the object in each of all colours, by name.
    """

    source: np.ndarray
    prompt: str
    mask: np.ndarray
    colour: str
    renderings: dict[str, np.ndarray]


@dataclass(frozen=True)
class StyleQuestion:
    """Asks for a style, of the whole picture or of one object.

    Attributes:
        source: (H, W, 3) uint8.
        whole: Prompt for the whole picture.
        regional: Prompt for one object.
        mask: (H, W) bool, that object.
        style: The style.
        styled: The whole picture in that style.
    """

    source: np.ndarray
    whole: str
    regional: str
    mask: np.ndarray
    style: str
    styled: np.ndarray


def plain_scenes(count: int) -> Iterator[np.ndarray]:
    """Yield untouched pictures."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        yield make_scene(seed, SIZE).image


def recolour_questions(count: int) -> Iterator[RecolourQuestion]:
    """Yield one question a scene."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        scene = make_scene(seed, SIZE)
        index, fact = recolourings(scene, np.random.default_rng([seed, 91]), 1)[0]
        yield RecolourQuestion(
            scene.image, f"make the {fact.before} {fact.new}, keep other area unchanged",
            scene.objects[index].mask > 0.5, fact.new,
            {name: make_scene(seed, SIZE, recolour={index: name}).image for name in COLOURS},
        )  # fmt: skip


def style_questions(count: int) -> Iterator[StyleQuestion]:
    """Yield one question a scene, styles in turn."""
    for number in range(count):
        scene, style = make_scene(FIRST_SEED + number, SIZE), STYLES[number % len(STYLES)]
        thing = scene.objects[0]
        yield StyleQuestion(
            scene.image, f"make the image in {style} style",
            f"make the {thing.label} in {style} style, keep other area unchanged", thing.mask > 0.5, style,
            stylize(scene.image, style, seed=STYLE_SEED),
        )  # fmt: skip
