"""Layouts of thousands of pictures: selection that is the same everywhere, flat memory, streaming with progress."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from rses.suites import parquet as form
from rses.suites.build import open_reader
from rses.suites.readers import BrushReader, PieReader
from rses.suites.selection import RULE, hash_order, load_selection, select
from tests.helpers import scale

MANY = 600


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> scale.Stock:
    return scale.Stock(tmp_path_factory.mktemp("stock") / "files", 40)


@pytest.fixture
def shuffled_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are listed in another order each time, as file systems are free to do."""
    generator = random.Random(3)
    listing, globbing = Path.iterdir, Path.glob

    def shuffled(entries: Iterator[Path]) -> Iterator[Path]:
        found = list(entries)
        generator.shuffle(found)
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", lambda self: shuffled(listing(self)))
    monkeypatch.setattr(Path, "glob", lambda self, *a, **k: shuffled(globbing(self, *a, **k)))


def chosen(dataset: str, root: Path, n: int | None = None) -> list[str]:
    """What the rule takes, in order."""
    if dataset in ("pie", "brushbench"):
        reader = PieReader(root) if dataset == "pie" else BrushReader(root)
        return hash_order(reader.keys(), RULE, 0, reader.name)[:n]
    found = islice(select(open_reader(dataset, root), load_selection("hard")), n)
    return [f"{choice.picture.key}:{choice.instance.key}:{','.join(choice.tags)}" for choice in found]


@pytest.mark.slow
@pytest.mark.parametrize("dataset", scale.DATASETS)
def test_selection_does_not_depend_on_the_order_of_files(
    dataset: str, tmp_path: Path, stock: scale.Stock, shuffled_folders: None
) -> None:
    n = MANY
    scale.make(dataset, tmp_path / "one", n, stock)
    scale.make(dataset, tmp_path / "two", n, stock, shuffle=1)
    scale.make(dataset, tmp_path / "part", n // 10, stock, shuffle=2)
    everything = chosen(dataset, tmp_path / "one")
    assert len(everything) == n
    assert chosen(dataset, tmp_path / "two", n // 10) == everything[: n // 10]
    # A picture's place relative to others does not depend on what else there is. (Annotation ids of COCO are counted
    # through, so the first tenth of the pictures is the same in both.)
    part = chosen(dataset, tmp_path / "part")
    assert part == [name for name in everything if name in set(part)]
    assert len(part) == n // 10


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures the memory of forked processes as Linux reports it")
@pytest.mark.parametrize("dataset", ["coco", "voc", "big"])
def test_memory_does_not_grow_with_the_suite(dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "ROW_GROUP", 2 << 20)  # so that the smaller suite has several of them, too
    stock = scale.Stock(tmp_path / "stock", 320)
    grown: dict[str, list[float]] = {}
    weights = []
    for step, _, _, mebibytes, weight in scale.costs(tmp_path, dataset, 60 if dataset == "coco" else 120, stock):
        grown.setdefault(step, []).append(mebibytes)
        weights.append(weight)
    # Against what the larger suite weighs more: what the smaller one takes depends on what the process held before.
    more = max(weights) - min(weights)
    assert more > 40
    for step, (small, large) in grown.items():
        assert large - small < more / 2, f"{step}: {small:.0f} MiB, then {large:.0f} MiB for {more:.0f} MiB more"


@pytest.mark.parametrize("dataset", scale.DATASETS)
def test_pictures_are_written_as_they_are_read(dataset: str, tmp_path: Path, stock: scale.Stock) -> None:
    scale.make(dataset, tmp_path / "in", 6, stock)
    seen = []

    def report(done: int, total: int) -> None:
        (unfinished,) = tmp_path.glob(".out.*.tmp")
        seen.append((done, total, len(list((unfinished / "images").iterdir()))))

    scale.build(dataset, tmp_path / "in", tmp_path / "out", 6, report)
    assert seen == [(k, 6, k) for k in range(1, 7)]
    assert not list(tmp_path.glob(".out.*.tmp"))
