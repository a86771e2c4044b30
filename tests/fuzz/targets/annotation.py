"""Annotation as COCO, Pascal VOC, BIG, PIE-Bench and BrushBench write it, and rules of selection."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.images import encoded, photo

SIDE = 32
RULE = {"minimum_area": 0.0, "maximum_area": 1.0, "minimum_side": 1, "allow": []}


def _coco() -> list[Files]:
    square = [4.0, 4.0, 20.0, 4.0, 20.0, 20.0, 4.0, 20.0]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": SIDE, "height": SIDE, "license": 1, "flickr_url": "http://x"},
                   {"id": 2, "file_name": "b.jpg", "width": SIDE, "height": SIDE}],
        "annotations": [
            {"id": 7, "image_id": 1, "category_id": 17, "segmentation": [square], "bbox": [4, 4, 16, 16], "iscrowd": 0},
            {"id": 8, "image_id": 2, "category_id": 17, "iscrowd": 1,
             "segmentation": {"size": [SIDE, SIDE], "counts": [100, 50, SIDE * SIDE - 150]}},
            {"id": 9, "image_id": 2, "category_id": 18, "segmentation": [square]},
        ],
        "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
        "licenses": [{"id": 1, "name": "CC BY 2.0", "url": "http://x"}],
    }  # fmt: skip
    picture = encoded(photo(side=SIDE), "JPEG")
    return [{"annotations/instances_x.json": json.dumps(content).encode(), "x/a.jpg": picture, "x/b.jpg": picture}]


def _voc() -> list[Files]:
    classes, things = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    classes[6:20, 6:20], things[6:20, 6:20] = 8, 1
    things[5, 6:20] = classes[5, 6:20] = 255
    palette = list(np.random.default_rng(0).integers(0, 256, 768))

    def indexed(values: Any) -> bytes:
        image = Image.fromarray(values)
        image.putpalette(palette)
        return encoded(image)

    annotation = (
        "<annotation><object><name>cat</name><truncated>0</truncated><occluded>1</occluded><difficult>0</difficult>"
        "<bndbox><xmin>7</xmin><ymin>6</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object></annotation>"
    )
    return [{
        "JPEGImages/a.jpg": encoded(photo(side=SIDE), "JPEG"), "SegmentationObject/a.png": indexed(things),
        "SegmentationClass/a.png": indexed(classes), "Annotations/a.xml": annotation.encode(),
        "ImageSets/Segmentation/val.txt": b"a\n",
    }]  # fmt: skip


def _big() -> list[Files]:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:24, 6:22] = 255
    return [
        {
            "val/2007_cat_1_im.jpg": encoded(photo(side=SIDE), "JPEG"),
            "val/2007_cat_1_gt.png": encoded(Image.fromarray(mask)),
            "classes.csv": b"name,object\n2007_cat_1,cat\n",
        }
    ]


def _pie() -> list[Files]:
    entry = {
        "image_path": "9_change_style_80/1_artificial/1_animal/a.jpg", "original_prompt": "a [cat] sits",
        "editing_prompt": "a [pixel art] cat sits", "editing_instruction": "make it pixel art", "editing_type_id": "9",
        "blended_word": "cat cat", "mask": [100, 50, 700, 20],
    }  # fmt: skip
    return [{"annotation_images/9_change_style_80/1_artificial/1_animal/a.jpg": encoded(photo(side=512), "JPEG"),
             "mapping_file.json": json.dumps({"900000000000": entry}).encode()}]  # fmt: skip


def _brush() -> list[Files]:
    entry = {"image": "images/a.jpg", "caption": "a cat", "inpainting_mask": [100, 50], "outpainting_mask": [9, 9]}
    return [{"images/a.jpg": encoded(photo(side=512), "JPEG"), "mapping_file.json": json.dumps({"a": entry}).encode()}]


def _read_all(reader: Any) -> None:
    """Read all pictures and draw all masks, going on after those that are refused, as a selection does not."""
    for key in list(reader.keys()):
        for instance in reader.read(key).instances:
            instance.mask()


def _read_coco(folder: Path) -> None:
    from rses.suites.readers import CocoReader

    _read_all(CocoReader(folder))


def _read_voc(folder: Path) -> None:
    from rses.suites.readers import VocReader

    _read_all(VocReader(folder, "val"))


def _read_big(folder: Path) -> None:
    from rses.suites.readers import BigReader

    _read_all(BigReader(folder, classes=folder / "classes.csv"))


def _read_pie(folder: Path) -> None:
    from rses.suites.readers import PieReader

    _edits(PieReader(folder))


def _read_brush(folder: Path) -> None:
    from rses.suites.readers import BrushReader

    _edits(BrushReader(folder))


def _edits(reader: Any) -> None:
    for key in list(reader.keys()):
        edit = reader.read(key)
        assert edit.prompt, "an edit without prompt"
        reader.mask(key)


def _words(kind: str, *more: str) -> Callable[[Path], Sequence[str]]:
    """Words of ``rses suite build``; ``@`` stands for the folder."""

    def words(folder: Path) -> Sequence[str]:
        given = [word.replace("@", str(folder)) for word in more]
        return ("suite", "build", kind, "--root", str(folder), "--out", str(folder / "out"), *given)

    return words


def _selection() -> list[Files]:
    from rses.suites.selection import load_selection

    return [{"rule.json": json.dumps(load_selection(name).model_dump()).encode()} for name in ("default", "hard")]


def _read_selection(folder: Path) -> None:
    from rses.suites.selection import load_selection

    load_selection(str(folder / "rule.json"))


def targets() -> list[Target]:
    """All readers of data sets."""
    styles = ("--styles", "pixel art,line art")
    return [
        Target("coco", _coco, _read_coco, (".json",), _words("coco", *styles)),
        Target("voc", _voc, _read_voc, (".xml", ".png", ".txt"), _words("voc", *styles)),
        Target("big", _big, _read_big, (".csv", ".png"), _words("big", *styles, "--classes", "@/classes.csv")),
        Target("pie", _pie, _read_pie, (".json",), _words("pie")),
        Target("brushbench", _brush, _read_brush, (".json",), _words("brushbench")),
        Target("selection", _selection, _read_selection, (".json",)),
    ]
