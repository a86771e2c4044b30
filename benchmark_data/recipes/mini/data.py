"""Build the training data: ``python -m benchmark_data.recipes.mini.data --out DIR --pictures DIR``; resumable."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from baselines.classical import STYLES
from benchmark_data.recipes.mini.classes import CLASS_NAMES
from benchmark_data.recipes.mini.content import make_content
from benchmark_data.recipes.mini.nuisances import disturb
from benchmark_data.recipes.mini.renderers import TRAINING

__all__ = ["NUISANCES_A_CONTENT", "SIDE", "STYLES_A_CONTENT", "Group", "Groups", "build"]

SHARD = 40
STYLES_A_CONTENT = 10
NUISANCES_A_CONTENT = 3
# Stored pictures are a little larger than the encoder's input, so that training can cut crops.
SIDE = 288


@dataclass(frozen=True)
class Group:
    """One content, disturbed and styled versions of it, all scaled to ``SIDE``.

    Attributes:
        source: (S, S, 3) uint8.
        masks: (2, S, S) uint8.
        disturbed: (D, S, S, 3) uint8, nuisances of the source.
        styled: (J, S, S, 3) uint8.
        labels: (J,) numbers of the styles in ``CLASS_NAMES``.
    """

    source: np.ndarray
    masks: np.ndarray
    disturbed: np.ndarray
    styled: np.ndarray
    labels: np.ndarray


def make_group(seed: int, pictures: Path) -> Group:
    """Make a content, nuisances, and ``STYLES_A_CONTENT`` different styles, each by a renderer drawn at random.

    Styles are drawn and nuisances applied at the content's own resolution, which spans 110 to 540 px, so that the
    size of blocks and lines in the scaled pictures spans even more. A third of the styled pictures are disturbed
    as well, mildly.
    """
    content = make_content(seed, pictures)
    rng = np.random.default_rng([seed, 78])
    names = [str(name) for name in rng.choice(list(STYLES), STYLES_A_CONTENT, replace=False)]
    styled = []
    for name in names:
        renderers = TRAINING[name]
        drawn = renderers[int(rng.integers(len(renderers)))](content.image, rng)
        if rng.random() < 0.2:
            share = rng.uniform(0.55, 0.95)
            drawn = cv2.addWeighted(drawn, share, content.image, 1 - share, 0)
        styled.append(disturb(drawn, rng, 0.35) if rng.random() < 0.3 else drawn)
    disturbed = [disturb(content.image, rng) for _ in range(NUISANCES_A_CONTENT)]
    labels = np.array([CLASS_NAMES.index(name) for name in names])
    scaled = [np.stack([_scaled(x) for x in xs]) for xs in (content.masks, disturbed, styled)]
    return Group(_scaled(content.image), scaled[0], scaled[1], scaled[2], labels)


def _scaled(image: np.ndarray) -> np.ndarray:
    """Scale as ``rses`` scales the regions it shows to the encoder: bicubic, antialiased."""
    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def build_shard(folder: Path, number: int, pictures: Path) -> str:
    """Write one shard; ``labels.npy`` is written last and says that it is whole."""
    target = folder / f"shard-{number:04d}"
    if (target / "labels.npy").exists():
        return f"{target.name}: there already"
    started = time.monotonic()
    target.mkdir(parents=True, exist_ok=True)
    versions = 1 + NUISANCES_A_CONTENT + STYLES_A_CONTENT
    pixels = np.lib.format.open_memmap(
        target / "pixels.npy", mode="w+", dtype=np.uint8, shape=(SHARD, versions, SIDE, SIDE, 3)
    )
    masks, labels = [], []
    for row in range(SHARD):
        group = make_group(number * SHARD + row, pictures)
        pixels[row] = np.concatenate([group.source[None], group.disturbed, group.styled])
        masks.append(group.masks)
        labels.append(group.labels)
    pixels.flush()
    np.save(target / "masks.npy", np.stack(masks))
    np.save(target / "labels.npy", np.stack(labels))
    return f"{target.name}: {time.monotonic() - started:.0f} s"


def build(folder: Path, shards: Sequence[int], processes: int, pictures: Path) -> None:
    """Write all shards that are not there yet."""
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(build_shard, [folder] * len(shards), shards, [pictures] * len(shards)):
            print(line, flush=True)


class Groups(Sequence[Group]):
    """All groups of a data folder, or of some of its shards, read from disk on access."""

    def __init__(self, folder: Path, shards: Sequence[Path] | None = None):
        found = sorted(folder.glob("shard-*")) if shards is None else shards
        whole = [target for target in found if (target / "labels.npy").exists()]
        self._shards = [[np.load(t / f"{n}.npy", mmap_mode="r") for n in ("pixels", "masks", "labels")] for t in whole]

    def __len__(self) -> int:
        return SHARD * len(self._shards)

    def __getitem__(self, position: int) -> Group:  # type: ignore[override]
        pixels, masks, labels = (array[position % SHARD] for array in self._shards[position // SHARD])
        first = 1 + NUISANCES_A_CONTENT
        return Group(pixels[0], masks, pixels[1:first], pixels[first:], np.asarray(labels))


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the data that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.mini.data", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards, 140 MB each")
    parser.add_argument("--pictures", type=Path, required=True, help="folder filled by photographs.py")
    parser.add_argument("--shards", type=int, default=40, help=f"shards of {SHARD} contents")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    numbers = range(options.first, options.first + options.shards)
    build(options.out, numbers, options.processes, options.pictures)


if __name__ == "__main__":
    main()
