"""Annotation as COCO, Pascal VOC, BIG, PIE-Bench and BrushBench write it, and rules of selection."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rses.suites.readers import BigReader, BrushReader, CocoReader, PieReader, VocReader
from rses.suites.selection import load_selection
from tests.fuzz.sandbox import Files, Target
from tests.helpers import layouts
from tests.helpers.small import read_files


def layout(write: Callable[[Path, int], object], pictures: int) -> list[Files]:
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), pictures)
        return [read_files(Path(place))]


def big(root: Path, pictures: int) -> None:
    layouts.big(root)
    (root / "classes.csv").write_text("name,object\naeroplane_1,aeroplane\ncow_2,cow\n")


def read_masks(reader: Any) -> None:
    """Read all pictures and draw all masks, going on after those that are refused, as a selection does not."""
    for key in list(reader.keys()):
        for instance in reader.read(key).instances:
            instance.mask()


def read_edits(reader: Any) -> None:
    for key in list(reader.keys()):
        assert reader.read(key).prompt, "an edit without prompt"
        reader.mask(key)


def rules() -> list[Files]:
    return [{"rule.json": json.dumps(load_selection(name).model_dump()).encode()} for name in ("default", "hard")]


BUILD = "rses suites build {} --root @ --out @/out"
STYLED = BUILD + " --styles 'pixel art,line art'"
TARGETS = [
    Target("coco", functools.partial(layout, layouts.coco, 2), lambda folder: read_masks(CocoReader(folder)),
           (".json",), STYLED.format("coco")),
    Target("voc", functools.partial(layout, layouts.voc, 2), lambda folder: read_masks(VocReader(folder, "val")),
           (".xml", ".png", ".txt"), STYLED.format("voc")),
    Target("big", functools.partial(layout, big, 2),
           lambda folder: read_masks(BigReader(folder, classes=folder / "classes.csv")), (".csv", ".png"),
           STYLED.format("big") + " --classes @/classes.csv"),
    Target("pie", functools.partial(layout, layouts.pie, 1), lambda folder: read_edits(PieReader(folder)), (".json",),
           BUILD.format("pie")),
    Target("brushbench", functools.partial(layout, layouts.brushbench, 1),
           lambda folder: read_edits(BrushReader(folder)), (".json",), BUILD.format("brushbench")),
    Target("selection", rules, lambda folder: load_selection(str(folder / "rule.json")), (".json",)),
]  # fmt: skip
