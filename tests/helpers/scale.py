"""Whole layouts of thousands of pictures, and what building suites of them costs.

Run as a program, it prints the table of docs/suites.md::

    python -m tests.helpers.scale
"""

from __future__ import annotations

import json
import os
import random
import resource
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from rses.suites.build import build_prompted, build_suite, open_reader
from rses.suites.format import Suite
from rses.suites.readers import BrushReader, PieReader
from rses.suites.sharing import pull_suite, push_suite
from tests.helpers import layouts

DATASETS = ("coco", "voc", "big", "pie", "brushbench")
_CLASSES = ("cat", "dog", "cow", "sheep")


class Stock:
    """Files that many names of a layout share by hard links, so that large layouts are quickly made."""

    def __init__(self, root: Path, side: int):
        self.side, self._root = side, root
        root.mkdir(parents=True)
        noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
        # Stored, not compressed: whoever keeps files in memory needs much of it.
        Image.fromarray(noise).save(root / "noise.png", compress_level=0)
        Image.fromarray(noise).save(root / "noise.jpg", quality=95)
        layouts.flat_photograph(root / "flat.png")
        for k in range(4):
            objects = np.zeros((side, side), np.uint8)
            objects[5 + k : side // 2, 5 : side // 2] = 1
            self._indexed(objects, f"object{k}.png")
            self._indexed(np.where(objects, 8 if k % 2 else 12, 0).astype(np.uint8), f"class{k}.png")
            Image.fromarray(objects * 255).save(root / f"mask{k}.png")

    def _indexed(self, array: np.ndarray, name: str) -> None:
        picture = Image.fromarray(array).convert("P")
        picture.putdata(array.ravel().tolist())
        picture.save(self._root / name)

    def put(self, name: str, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(self._root / name, place)


def make(dataset: str, root: Path, n: int, stock: Stock, shuffle: int | None = None) -> None:
    """Write a layout of n pictures; with a seed, its files and entries are made in another order."""
    order = list(range(n))
    if shuffle is not None:
        random.Random(shuffle).shuffle(order)
    {"coco": _coco, "voc": _voc, "big": _big, "pie": _pie, "brushbench": _brush}[dataset](root, order, stock)


def _coco(root: Path, order: list[int], stock: Stock) -> None:
    content = layouts.coco(root, len(order), photographs=False)
    images = {image["id"]: image for image in content["images"]}
    for k in order:
        images[k] |= {"width": stock.side, "height": stock.side, "file_name": f"{k:012d}.png"}
        stock.put("noise.png", root / "val2017" / f"{k:012d}.png")
    crowd = {"size": [stock.side, stock.side], "counts": [0, 30, stock.side**2 - 30]}
    for entry in content["annotations"]:
        scale = stock.side / 40
        polygons = [[value * scale for value in polygon] for polygon in entry["segmentation"] if not entry["iscrowd"]]
        entry["segmentation"] = polygons or crowd
    content["images"] = [images[k] for k in order]
    places = {k: place for place, k in enumerate(order)}
    content["annotations"].sort(key=lambda entry: places[entry["image_id"]])
    layouts.write_coco(root, content)


def _voc(root: Path, order: list[int], stock: Stock) -> None:
    (root / "Annotations").mkdir(parents=True)
    for k in order:
        key = f"2007_{k:06d}"
        stock.put("noise.jpg", root / "JPEGImages" / f"{key}.jpg")
        stock.put(f"object{k % 4}.png", root / "SegmentationObject" / f"{key}.png")
        stock.put(f"class{k % 4}.png", root / "SegmentationClass" / f"{key}.png")


def _big(root: Path, order: list[int], stock: Stock) -> None:
    for k in order:
        name = f"{_CLASSES[k % 4]}_{k:06d}"
        stock.put("noise.jpg", root / f"{name}_im.jpg")
        stock.put(f"mask{k % 4}.png", root / f"{name}_gt.png")


def _pie(root: Path, order: list[int], stock: Stock) -> None:
    content = layouts.pie(root, len(order), photographs=False)
    for entry in content.values():
        stock.put("flat.png", root / "annotation_images" / entry["image_path"])
    layouts.write_mapping(root, {f"{k:012d}": content[f"{k:012d}"] for k in order})


def _brush(root: Path, order: list[int], stock: Stock) -> None:
    content = layouts.brushbench(root, len(order), photographs=False)
    for entry in content.values():
        stock.put("flat.png", root / entry["image"])
    layouts.write_mapping(root, {str(k): content[str(k)] for k in order})


def build(
    dataset: str, root: Path, out: Path, n: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Suite:
    """Build a suite from a layout, as `rses suites build` does."""
    if dataset == "pie":
        return build_prompted(PieReader(root), out, n, progress=progress)
    if dataset == "brushbench":
        return build_prompted(BrushReader(root), out, n, progress=progress)
    return build_suite(open_reader(dataset, root), out, ["pixel art", "line art"], n, progress=progress)


def cost(job: Callable[[], object]) -> tuple[float, float]:
    """Run a job in a process of its own; return seconds of processor time, and MiB by which it grew at most."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        status = 1
        try:
            job()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            os.write(writer, json.dumps([time.process_time() - start, grown / 1024]).encode())
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError("the job failed; see above")
    seconds, grown = json.loads(answer)
    return seconds, grown


def costs(place: Path, dataset: str, n: int, stock: Stock) -> Iterator[tuple[str, int, float, float, float]]:
    """Yield step, n, seconds, MiB grown, and MiB of the suite for building, and for COCO also for push and pull."""
    for size in (n, 4 * n):
        root, out = place / f"{dataset}-{size}", place / f"{dataset}-{size}-suite"
        make(dataset, root, size, stock)
        taken = cost(lambda: build(dataset, root, out))  # noqa: B023
        weight = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 2**20
        yield f"build {dataset}", size, *taken, weight
        if dataset == "coco":
            shared, back = str(place / f"shared-{size}"), place / f"back-{size}"
            yield "push", size, *cost(lambda: push_suite(out, shared)), weight  # noqa: B023
            yield "pull", size, *cost(lambda: pull_suite(shared, back)), weight  # noqa: B023


def main() -> None:
    """Print the table."""
    print("| step | pictures | processor seconds | memory grown, MiB | suite, MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        stock = Stock(Path(place) / "stock", 160)
        for dataset in DATASETS:
            n = 100 if dataset in ("pie", "brushbench") else 500
            for step, size, seconds, grown, weight in costs(Path(place), dataset, n, stock):
                print(f"| {step} | {size} | {seconds:.1f} | {grown:.0f} | {weight:.0f} |", flush=True)


if __name__ == "__main__":
    main()
