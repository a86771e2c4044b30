"""Build the training data: ``python -m benchmark_data.recipes.kontext_mini.data --out DIR``; whole shards are kept.

Every group is one scene seen seven times: as it is, with one named object in another colour (twice), and redrawn as a
whole in each of the four styles. So the data holds regional edits and global styles, but no regional style.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from baselines.classical import stylize
from benchmark_data.scenes import COLOURS, Scene, make_scene

__all__ = ["SIZE", "STYLES", "VIEWS", "GroupData", "Groups", "Recolouring", "build", "make_group", "recolourings"]

STYLES = ("pixel art", "cyberpunk", "expressionism", "line art")
SIZE = 128
RECOLOURINGS = 2
VIEWS = 1 + RECOLOURINGS + len(STYLES)
"""Pictures a group: the source, its recolourings, its styles."""
SHARD = 250
# Suites (31 000 on), the evaluation (40 000 000 on) and the experts (50 000 000 on) use other seeds.
FIRST_SEED = 20_000_000
STYLE_SEED = 0
"""One drawing of each style, so that a style is a function of the picture."""


@dataclass(frozen=True)
class Recolouring:
    """What one recoloured picture shows.

    Attributes:
        before: Label of the object in the source, e.g. "cat" or, where there are two, "black cat".
        after: Its label once recoloured.
        old: Its colour in the source.
        new: Its colour in the recoloured picture.
    """

    before: str
    after: str
    old: str
    new: str


@dataclass(frozen=True)
class GroupData:
    """One scene with its edits.

    Attributes:
        images: (VIEWS, SIZE, SIZE, 3) uint8, in the order source, recolourings, styles.
        recolourings: One entry a recoloured picture.
    """

    images: np.ndarray
    recolourings: tuple[Recolouring, ...]


def make_group(seed: int) -> GroupData:
    """Draw a scene, recolour two of its objects (one twice if there is but one), restyle it."""
    scene = make_scene(seed, SIZE)
    pictures, facts = [scene.image], []
    for index, fact in recolourings(scene, np.random.default_rng([seed, 91]), RECOLOURINGS):
        pictures.append(make_scene(seed, SIZE, recolour={index: fact.new}).image)
        facts.append(fact)
    pictures += [stylize(scene.image, style, seed=STYLE_SEED) for style in STYLES]
    return GroupData(np.stack(pictures), tuple(facts))


def recolourings(scene: Scene, rng: np.random.Generator, count: int) -> list[tuple[int, Recolouring]]:
    """Choose objects and new colours; no two objects of one name end up in the same colour.

    Returns:
        Pairs of the object's index in the scene and the facts.
    """
    order = list(rng.permutation(len(scene.objects)))
    chosen: list[tuple[int, Recolouring]] = []
    for number in range(count):
        index = int(order[number % len(order)])
        thing = scene.objects[index]
        taken = {other.colour for other in scene.objects if other.name == thing.name}
        taken |= {fact.new for i, fact in chosen if i == index}
        free = [colour for colour in COLOURS if colour not in taken]
        colour = free[int(rng.integers(len(free)))]
        after = f"{colour} {thing.name}" if thing.label != thing.name else thing.name
        chosen.append((index, Recolouring(thing.label, after, thing.colour, colour)))
    return chosen


def build_shard(folder: Path, number: int) -> str:
    """Write one shard: pixels in one array, facts as JSON lines."""
    target = folder / f"shard-{number:04d}"
    if (target / "facts.jsonl").exists():
        return f"{target.name}: there already"
    started = time.monotonic()
    target.mkdir(parents=True, exist_ok=True)
    groups = [make_group(FIRST_SEED + seed) for seed in range(number * SHARD, (number + 1) * SHARD)]
    np.save(target / "images.npy", np.stack([group.images for group in groups]))
    lines = [json.dumps([asdict(fact) for fact in group.recolourings]) for group in groups]
    temporary = target / "facts.tmp"
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(target / "facts.jsonl")
    return f"{target.name}: {time.monotonic() - started:.0f} s"


def build(folder: Path, shards: int, processes: int) -> None:
    """Write all shards that are not there yet."""
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(build_shard, [folder] * shards, range(shards)):
            print(line, flush=True)


class Groups(Sequence[GroupData]):
    """All groups of a data folder, read from disk on access."""

    def __init__(self, folder: Path):
        targets = [path for path in sorted(folder.glob("shard-*")) if (path / "facts.jsonl").exists()]
        self._images = [np.load(path / "images.npy", mmap_mode="r") for path in targets]
        self.facts = [
            tuple(Recolouring(**fact) for fact in json.loads(line))
            for path in targets
            for line in (path / "facts.jsonl").read_text().splitlines()
        ]

    def __len__(self) -> int:
        return len(self.facts)

    def __getitem__(self, position: int) -> GroupData:  # type: ignore[override]
        shard, row = divmod(position, SHARD)
        return GroupData(self._images[shard][row], self.facts[position])


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the data that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.kontext_mini.data", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for about 90 MB a shard")
    parser.add_argument("--shards", type=int, default=24, help=f"shards of {SHARD} scenes")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    build(options.out, options.shards, options.processes)


if __name__ == "__main__":
    main()
