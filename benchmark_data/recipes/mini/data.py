"""Build the training data: ``python -m benchmark_data.recipes.mini.data --out DIR``; whole shards are kept."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines.classical import STYLES, stylize
from benchmark_data.recipes.mini.content import make_content

__all__ = ["CLASS_NAMES", "PLAIN", "Group", "Groups", "build"]

PLAIN = "photo"
CLASS_NAMES = (PLAIN, *STYLES)
SHARD = 250
STYLES_A_CONTENT = 7


@dataclass(frozen=True)
class Group:
    """One content and its styled versions.

    Attributes:
        source: (H, W, 3) uint8.
        masks: (K, H, W) uint8.
        styled: (J, H, W, 3) uint8.
        labels: (J,) numbers of the styles in ``CLASS_NAMES``.
    """

    source: np.ndarray
    masks: np.ndarray
    styled: np.ndarray
    labels: np.ndarray


def make_group(seed: int) -> tuple[Group, str]:
    """Make a content and ``STYLES_A_CONTENT`` different styles of it."""
    content = make_content(seed)
    rng = np.random.default_rng([seed, 78])
    names = rng.choice(list(STYLES), STYLES_A_CONTENT, replace=False)
    styled = [
        stylize(content.image, str(name), strength=_strength(rng), seed=int(rng.integers(1, 1 << 30))) for name in names
    ]
    labels = np.array([CLASS_NAMES.index(str(name)) for name in names])
    return Group(content.image, np.stack(content.masks), np.stack(styled), labels), content.kind


def _strength(rng: np.random.Generator) -> float:
    """Mostly the full style; sometimes blended with the photograph, sometimes exaggerated."""
    draw = rng.random()
    if draw < 0.6:
        return 1.0
    return float(rng.uniform(0.55, 1.0) if draw < 0.9 else rng.uniform(1.0, 1.3))


def build_shard(folder: Path, number: int) -> str:
    """Write one shard: all pixels one after the other, and where each group begins."""
    target = folder / f"shard-{number:04d}"
    if (target / "index.npz").exists():
        return f"{target.name}: there already"
    started = time.monotonic()
    target.mkdir(parents=True, exist_ok=True)
    rows, labels, kinds = [], [], []
    with (target / "pixels.bin").open("wb") as stream:
        for seed in range(number * SHARD, (number + 1) * SHARD):
            group, kind = make_group(seed)
            rows.append((stream.tell(), group.source.shape[0], len(group.masks), len(group.styled)))
            labels.append(group.labels)
            kinds.append(kind)
            for array in (group.source, group.masks, group.styled):
                stream.write(np.ascontiguousarray(array).tobytes())
    np.savez(target / "index.npz", rows=np.array(rows), labels=np.stack(labels), kinds=np.array(kinds))
    return f"{target.name}: {time.monotonic() - started:.0f} s"


def build(folder: Path, shards: int, processes: int) -> None:
    """Write all shards that are not there yet."""
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(build_shard, [folder] * shards, range(shards)):
            print(line, flush=True)


class Groups(Sequence[Group]):
    """All groups of a data folder, read from disk on access."""

    def __init__(self, folder: Path):
        self._shards = []
        self._where: list[tuple[int, int]] = []
        for target in sorted(folder.glob("shard-*")):
            if not (target / "index.npz").exists():
                continue
            with np.load(target / "index.npz") as index:
                rows, labels = index["rows"], index["labels"]
            pixels = np.memmap(target / "pixels.bin", dtype=np.uint8, mode="r")
            self._where += [(len(self._shards), i) for i in range(len(rows))]
            self._shards.append((pixels, rows, labels))

    def __len__(self) -> int:
        return len(self._where)

    def __getitem__(self, position: int) -> Group:  # type: ignore[override]
        shard, row = self._where[position]
        pixels, rows, labels = self._shards[shard]
        start, side, masks, styled = (int(v) for v in rows[row])
        arrays = []
        for shape in ((side, side, 3), (masks, side, side), (styled, side, side, 3)):
            length = int(np.prod(shape))
            arrays.append(pixels[start : start + length].reshape(shape))
            start += length
        return Group(arrays[0], arrays[1], arrays[2], labels[row])


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the data that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.mini.data", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for about 7 GB of shards")
    parser.add_argument("--shards", type=int, default=24, help=f"shards of {SHARD} contents")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    build(options.out, options.shards, options.processes)


if __name__ == "__main__":
    main()
