"""Training pairs for the mini experts: procedural scenes that neither the base model nor a suite has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark_data.recipes.suites.writing import row, save_mask, save_png, save_rows
from benchmark_data.scenes import make_scene
from regionroute.data.builder import build_pairs
from regionroute.styles import EXPERT_STYLES
from rses.suites import write_manifest

__all__ = ["ASIDE_SEED", "FINDER_SEED", "FIRST_SEED", "build_finder_scenes", "build_scene_pairs"]

FIRST_SEED, ASIDE_SEED, FINDER_SEED = 50_000_000, 51_000_000, 52_000_000
"""Of the scenes that experts are trained on, of those kept aside for the masks of routed editing, of the finder's."""
SIZE = 128
SEEN = 20
"""Pixels of an object that a finder is asked for."""
CARD = """# Training scenes of the mini experts
Procedural scenes (`benchmark_data.scenes`), seeds from {first}; one object each is the target. Not for scoring.
"""

Progress = Callable[[int, int], None]


def build_scene_pairs(folder: Path, count: int, progress: Progress | None = None, *, first: int = FIRST_SEED) -> Path:
    """Make ``count`` scenes and, per style, ``count`` pairs; what is there is kept.

    Args:
        folder: Gets ``scenes`` (a suite) and ``pairs``.
        count: Scenes; the paper has 150 pairs per style.
        progress: Called with (done, total).
        first: Seed of the first scene.

    Returns:
        The folder of pairs.
    """
    scenes = folder / "scenes"
    if not (scenes / "suite.json").exists():
        _write_scenes(scenes, count, first)
    build_pairs(scenes, folder / "pairs", style="all", limit=count, style_seed=0, progress=progress)
    return folder / "pairs"


def build_finder_scenes(folder: Path, count: int) -> Path:
    """Make ``count`` scenes with the mask of every object that is to be seen, each under a style drawn by lot.

    No picture is edited: a finder learns from masks alone. What is there is kept.

    Returns:
        ``folder``, a suite.
    """
    if (folder / "suite.json").exists():
        return folder
    rows = []
    for number in range(count):
        scene, name = make_scene(FINDER_SEED + number, SIZE), f"scene-{number:04d}"
        save_png(folder / "images" / f"{name}.png", scene.image)
        styles = np.random.default_rng(FINDER_SEED + number).choice(list(EXPERT_STYLES), len(scene.objects))
        for index, (thing, style) in enumerate(zip(scene.objects, styles, strict=True)):
            if (thing.mask > 0.5).sum() >= SEEN:
                identity = f"{name}-{index}"
                save_mask(folder / "masks" / f"{identity}.png", thing.mask > 0.5)
                rows.append(row(identity, f"{name}.png", f"{identity}.png", thing.label, str(style), "scenes", ()))
    _finish(folder, rows, FINDER_SEED)
    return folder


def _write_scenes(folder: Path, count: int, first: int) -> None:
    rows = []
    for number in range(count):
        target = (scene := make_scene(first + number, SIZE)).target
        name = f"scene-{number:04d}"
        save_png(folder / "images" / f"{name}.png", scene.image)
        save_mask(folder / "masks" / f"{name}.png", target.mask > 0.5)
        rows.append(row(name, f"{name}.png", f"{name}.png", target.label, "pixel art", "scenes", ()))
    _finish(folder, rows, first)


def _finish(folder: Path, rows: Sequence[Mapping[str, Any]], first: int) -> None:
    save_rows(folder, rows)
    (folder / "README.md").write_text(CARD.format(first=first), encoding="utf-8")
    write_manifest(folder, "scenes", "1.0.0", "CC0-1.0")
