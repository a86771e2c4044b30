"""What is where in the scenes of kontext-mini's data: ``python -m benchmark_data.recipes.sd_mini.objects --data DIR``.

Writes ``objects.jsonl`` (names, colours, backdrop) and ``masks.npy`` (packed bits) into every shard.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark_data.recipes.kontext_mini.data import FIRST_SEED, SHARD, SIZE
from benchmark_data.scenes import make_scene

MOST = 4
"""Objects of a scene at most."""


@dataclass(frozen=True)
class GroupObjects:
    """Objects of one scene.

    Attributes:
        things: (name, colour) of each.
        backdrop: Name of the backdrop.
        masks: (n, SIZE, SIZE) bool.
    """

    things: tuple[tuple[str, str], ...]
    backdrop: str
    masks: np.ndarray


def annotate_shard(target: Path) -> str:
    """Write the facts of one shard."""
    if (target / "objects.jsonl").exists():
        return f"{target.name}: there already"
    number = int(target.name.split("-")[1])
    lines, masks = [], np.zeros((SHARD, MOST, SIZE * SIZE // 8), np.uint8)
    for row in range(SHARD):
        scene = make_scene(FIRST_SEED + number * SHARD + row, SIZE)
        lines.append(json.dumps({"things": [[o.name, o.colour] for o in scene.objects], "backdrop": scene.backdrop}))
        for place, thing in enumerate(scene.objects):
            masks[row, place] = np.packbits(thing.mask > 0.5)
    np.save(target / "masks.npy", masks)
    temporary = target / "objects.tmp"
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(target / "objects.jsonl")
    return target.name


def annotate(data: Path, processes: int = 2) -> None:
    """Annotate all shards of a data folder."""
    shards = [path for path in sorted(data.glob("shard-*")) if (path / "facts.jsonl").exists()]
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(annotate_shard, shards):
            print(line, flush=True)


def read_objects(data: Path) -> list[GroupObjects]:
    """Read what :func:`annotate` wrote, in the order of the groups."""
    found: list[GroupObjects] = []
    for target in sorted(data.glob("shard-*")):
        if not (target / "objects.jsonl").exists():
            continue
        packed = np.load(target / "masks.npy")
        for row, line in enumerate((target / "objects.jsonl").read_text().splitlines()):
            facts = json.loads(line)
            things = tuple((name, colour) for name, colour in facts["things"])
            bits = np.unpackbits(packed[row, : len(things)], axis=-1).reshape(-1, SIZE, SIZE)
            found.append(GroupObjects(things, facts["backdrop"], bits.astype(bool)))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Annotate the data folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.sd_mini.objects", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that kontext_mini.data filled")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    annotate(options.data, options.processes)


if __name__ == "__main__":
    main()
