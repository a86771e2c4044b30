"""Training pairs for the mini experts: procedural scenes that neither the base model nor a suite has seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from regionroute.data.builder import build_pairs
from rses.images import write_png
from rses.suites import write_manifest

__all__ = ["FIRST_SEED", "build_scene_pairs"]

FIRST_SEED = 50_000_000
SIZE = 128
CARD = """# Training scenes of the mini experts
Procedural scenes (`benchmark_data.scenes`), seeds from {first}; one object each is the target. Not for scoring.
"""

Progress = Callable[[int, int], None]


def build_scene_pairs(folder: Path, count: int, progress: Progress | None = None) -> Path:
    """Make ``count`` scenes and, for each of the four styles, ``count`` pairs; what is there is kept.

    Args:
        folder: Gets ``scenes`` (a suite) and ``pairs``.
        count: Scenes; the paper has 150 pairs a style.
        progress: Called with (done, total).

    Returns:
        The folder of pairs.
    """
    scenes = folder / "scenes"
    if not (scenes / "suite.json").exists():
        _write_scenes(scenes, count)
    build_pairs(scenes, folder / "pairs", style="all", limit=count, style_seed=0, progress=progress)
    return folder / "pairs"


def _write_scenes(folder: Path, count: int) -> None:
    from benchmark_data.scenes import make_scene

    rows = []
    for number in range(count):
        seed = FIRST_SEED + number
        scene = make_scene(seed, SIZE)
        name = f"scene-{number:04d}"
        mask = np.repeat((scene.target.mask > 0.5).astype(np.uint8)[..., None] * 255, 3, -1)
        write_png(folder / "images" / f"{name}.png", scene.image)
        write_png(folder / "masks" / f"{name}.png", mask)
        label = scene.target.label
        rows.append(
            {"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png", "object": label,
             "style": "pixel art", "prompt": f"make the {label} in pixel art style, keep other area unchanged",
             "dataset": "scenes", "tags": []}
        )  # fmt: skip
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "README.md").write_text(CARD.format(first=FIRST_SEED), encoding="utf-8")
    write_manifest(folder, "scenes", "1.0.0", "CC0-1.0")
