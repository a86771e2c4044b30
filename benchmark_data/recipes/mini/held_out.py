"""What the evaluation sees: scenes of unused seeds, and photographs that training never opened."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark_data.scenes import make_scene

__all__ = ["HELD_OUT_PHOTOS", "REAL_DATA", "Item", "photos", "real_photos", "scenes"]

# Photographs inside the scikit-image wheel that the training code never opens.
HELD_OUT_PHOTOS = ("astronaut.png", "chelsea.png", "camera.png", "clock_motion.png")

# Training uses the seeds from 10 million on, the embedded suites use small ones.
FIRST_SCENE = 20_000_000
MAX_SIDE = 512
ROOT = Path(__file__).resolve().parents[3]
REAL_DATA = Path(os.environ.get("RSES_REAL_DATA", ROOT.parent / "shared" / "real"))


@dataclass(frozen=True)
class Item:
    """A picture with one region.

    Attributes:
        name: For messages.
        image: (H, W, 3) uint8.
        region: (H, W) bool.
    """

    name: str
    image: np.ndarray
    region: np.ndarray


def scenes(count: int, size: int = 128) -> list[Item]:
    """Make held-out scenes; the region is the target object."""
    items = []
    for seed in range(FIRST_SCENE, FIRST_SCENE + count):
        scene = make_scene(seed, size)
        items.append(Item(f"scene-{seed}", scene.image, scene.target.mask > 0.5))
    return items


def photos() -> list[Item]:
    """Read the held-out photographs: those of the photos suite that training leaves out, then the real ones.

    Raises:
        FileNotFoundError: The folder with real photographs is not where RSES_REAL_DATA or the default says.
    """
    suite = ROOT / "benchmark_data" / "suites" / "photos"
    stems = {Path(name).stem.removesuffix("_motion") for name in HELD_OUT_PHOTOS}
    items = [item for item in _suite_items(suite) if item.name in stems]
    return items + real_photos()


def real_photos() -> list[Item]:
    """Read the 16 regions of the real photographs alone."""
    return _suite_items(REAL_DATA / "photos")


def _suite_items(folder: Path) -> list[Item]:
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    pairs = dict.fromkeys((row["file_name"], row["mask_file_name"]) for row in rows)
    items = []
    for image_name, mask_name in pairs:
        with Image.open(folder / image_name) as file:
            image = file.convert("RGB")
        with Image.open(folder / mask_name) as file:
            mask = file.convert("L")
        scale = min(1.0, MAX_SIDE / max(image.size))
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
        mask = mask.resize(size, Image.Resampling.BILINEAR)
        items.append(Item(Path(mask_name).stem, np.asarray(image), np.asarray(mask) > 127))
    return items
