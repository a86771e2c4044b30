"""COCO annotation as the data set and labelling tools write it: where it lies, and what its entries say.

An entry is read where its meaning is clear; otherwise an `UnusableError` says why not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.images.decode import MAX_PIXELS
from rses.suites.left_out import UnusableError
from rses.suites.readers.files import name_problem, read_annotation
from rses.suites.shapes import fractions_problem, unfold_runs

# Roboflow, Label Studio, labelme2coco, and what people call it themselves.
_NAMES = ("_annotations.coco.json", "result.json", "annotations.json", "coco.json")
# Official annotation strays past the border by rounding.
TOLERANCE = 2.0
# Of a category; it becomes part of prompts.
LONGEST_NAME = 200

Region = list[list[float]] | dict[str, Any]
"""Polygons ``[x0, y0, x1, y1, ...]`` of at least three points, or an object with ``size`` and ``counts``."""


def find_annotations(root: Path, split: str | None) -> Path:
    """Return the annotation file of a data set's folder.

    Args:
        root: The folder: COCO's and CVAT's ``annotations/instances_<split>.json``, Roboflow's
            ``<split>/_annotations.coco.json``, Label Studio's ``result.json``, labelme2coco's ``annotations.json``.
        split: Such as "val2017"; needed where there are several.
    """
    folder = root / "annotations"
    if split is not None:
        places = [folder / f"instances_{split}.json", root / split / _NAMES[0], root / f"instances_{split}.json"]
        found = [place for place in places if place.is_file()]
        if not found:
            hint = "Download COCO's annotations, or name the file with --annotations."
            raise InputError(f"{places[0]} is missing. {hint}", code="missing-file")
        return found[0]
    found = sorted(folder.glob("instances_*.json")) if folder.is_dir() else []
    found = found or sorted(root.glob("instances_*.json"))
    found = found or [root / name for name in _NAMES if (root / name).is_file()][:1]
    found = found or sorted(root.glob(f"*/{_NAMES[0]}"))
    if not found:
        raise InputError(
            f"{root} has no annotations/instances_*.json, {', '.join(_NAMES)}. Give COCO's folder with --root, "
            f"or the file with --annotations.",
            code="missing-file",
            place=Place(str(root)),
        )
    if len(found) > 1:
        names = ", ".join(_split_of(file) or file.name for file in found)
        raise InputError(
            f"{root} holds several splits ({names}). Choose one with --split.", code="ambiguous", place=Place(str(root))
        )
    return found[0]


def image_folders(root: Path, file: Path) -> list[Path]:
    """Return where the photographs of an annotation file may lie, the most probable folder first."""
    split = _split_of(file)
    named = [root / split, root / "images" / split] if split else []
    beside = [file.parent, file.parent / "images", file.parent.parent]
    near = [place for place in beside if place.is_relative_to(root) or place == file.parent]
    return [*named, root / "images", root, *near]


def _split_of(file: Path) -> str:
    """Return the part of the data set that a file describes, as its name or its folder says."""
    return file.parent.name if file.name == _NAMES[0] else file.stem.removeprefix("instances_")


def load_annotations(file: Path) -> dict[str, Any]:
    """Read an annotation file."""
    content = read_annotation(file)
    wanted = ("images", "annotations", "categories")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in wanted):
        raise InputError(
            f"{file} is no COCO annotation: expected an object with the lists {', '.join(wanted)}.",
            code="wrong-content",
            place=Place(str(file)),
        )
    return content


def objects(entries: Any) -> list[dict[str, Any]]:
    """Return those of a list that are objects with an id."""
    listed = entries if isinstance(entries, list) else []
    return [entry for entry in listed if isinstance(entry, dict) and plain_id(entry.get("id")) is not None]


def plain_id(value: Any) -> int | str | None:
    """Return an id so that 7, 7.0 and "7" are the same, or None if it is none.

    Example:
        >>> plain_id("7"), plain_id(7.0), plain_id("007"), plain_id([7])
        (7, 7, '007', None)
    """
    if isinstance(value, str):
        text = value.strip()
        if name_problem(text):
            return None
        return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text or None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain_text(value: Any) -> str:
    r"""Return a text in one line, or an empty one if it is none or cannot be written as UTF-8.

    Example:
        >>> plain_text(" potted\nplant "), plain_text(None)
        ('potted plant', '')
    """
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return "" if name_problem(text) else text


def category_labels(categories: Iterable[Any]) -> dict[int | str, str]:
    """Return the names of categories by id; none for those whose id has several names or that have no name."""
    labels: dict[int | str, str] = {}
    twice = set()
    for entry in objects(list(categories)):
        number, name = plain_id(entry["id"]), plain_text(entry.get("name"))
        if number is None or not name or len(name) > LONGEST_NAME:
            continue
        if labels.setdefault(number, name) != name:
            twice.add(number)
    return {number: name for number, name in labels.items() if number not in twice}


def image_facts(image: Any) -> tuple[int | str, str, int | None, int | None]:
    """Return id, file name, width and height of an entry of ``images``; sizes that it does not state are None.

    Raises:
        UnusableError: It has no id, no name, or a size that no photograph has.

    Example:
        >>> image_facts({"id": "1", "file_name": "a.jpg", "width": "4", "height": 3})
        (1, 'a.jpg', 4, 3)
    """
    number = plain_id(image.get("id")) if isinstance(image, dict) else None
    if number is None:
        raise UnusableError("photograph-entry", f"entry {str(image)[:80]}", "expected an object with an id")
    named = [image.get(key) for key in ("file_name", "coco_url", "flickr_url")]
    name = next((value for value in named if isinstance(value, str) and value.strip()), "")
    if not name:
        raise UnusableError("photograph-entry", f"image {number}", "it has no file_name")
    if fault := name_problem(name):
        raise UnusableError("name", name, fault)
    sides = []
    for side in ("width", "height"):
        value = image.get(side)
        length = plain_id(value) if value else None
        if value and not (isinstance(length, int) and length > 0):
            raise UnusableError("photograph-entry", name, f"{side} must be a whole number from 1 up, found {value!r}")
        sides.append(length if isinstance(length, int) else None)
    width, height = sides
    if width and height and width * height > MAX_PIXELS:
        detail = f"{width}x{height} pixels are more than the {MAX_PIXELS} that are read"
        raise UnusableError("photograph-entry", name, detail)
    return number, name, width, height


def region_of(annotation: dict[str, Any], name: str, width: int, height: int) -> tuple[Region, int]:
    """Return the region of an annotation, and how many of its polygons were dropped for having under three points.

    Messages call it ``name``; the size is that of its image.

    Raises:
        UnusableError: It has no region, or one that cannot be read or lies outside the image.

    Example:
        >>> region_of({"segmentation": [[0, 0, 3, 0, 3, 3], [1, 1]]}, "annotation 7", 4, 3)
        ([[0, 0, 3, 0, 3, 3]], 1)
        >>> region_of({"segmentation": [[0, 0, 9, 0, 9, 3]]}, "annotation 7", 4, 3)
        Traceback (most recent call last):
        rses.suites.left_out.UnusableError: annotation 7: a polygon reaches x 0..9, y 0..3, outside the image of 4x3
    """
    shape = annotation.get("segmentation")
    if isinstance(shape, dict):
        _require_sound_runs(shape, name, width, height)
        return shape, 0
    if not isinstance(shape, list) or not shape:
        raise UnusableError("region-empty", name, f"its segmentation is {'empty' if shape == [] else str(shape)[:40]}")
    if len(shape) >= 6 and _numbers(shape):
        shape = [shape]  # one polygon, not in a list of its own
    if not all(isinstance(part, list) and len(part) % 2 == 0 and _numbers(part) for part in shape):
        raise UnusableError("region-unreadable", name, "polygons must be flat lists of x, y pairs of finite numbers")
    kept = [part for part in shape if len(part) >= 6]
    if not kept:
        raise UnusableError("region-empty", name, "its polygons have fewer than three points")
    for part in kept:
        xs, ys = part[::2], part[1::2]
        if not _within(min(xs), min(ys), max(xs), max(ys), width, height):
            reach = f"x {min(xs):g}..{max(xs):g}, y {min(ys):g}..{max(ys):g}"
            detail = f"a polygon reaches {reach}, outside the image of {width}x{height}"
            raise UnusableError("region-outside", name, detail)
    if problem := fractions_problem([value for part in kept for value in part], width, height):
        raise UnusableError("region-relative", name, problem)
    # The region does not come from the box; one that contradicts it shows that a coordinate system is wrong.
    if box := _box(annotation):
        x, y, across, down = box
        if min(across, down) < 0 or not _within(x, y, x + across, y + down, width, height):
            raise UnusableError("region-outside", name, f"its bbox {box} is outside the image of {width}x{height}")
    return kept, len(shape) - len(kept)


def has_extent(annotation: dict[str, Any], reason: str) -> bool:
    """Whether an unusable annotation still shows that a thing is there: by its box, or by more than points.

    Example:
        >>> has_extent({"segmentation": [[3, 3]], "bbox": [3, 3, 0, 0]}, "region-empty")
        False
    """
    box = _box(annotation)
    return reason != "region-empty" or (box is not None and min(box[2:]) > 0)


def _require_sound_runs(shape: dict[str, Any], name: str, width: int, height: int) -> None:
    if shape.get("size") != [height, width]:
        detail = f"its run lengths are for (height, width) {shape.get('size')}, the image has {[height, width]}"
        raise UnusableError("region-unreadable", name, detail)
    try:
        marked = unfold_runs(shape.get("counts"), width, height).any()
    except ValueError as error:
        raise UnusableError("region-unreadable", name, str(error)) from error
    if not marked:
        raise UnusableError("region-empty", name, "its run lengths mark no pixel")


def _within(left: float, top: float, right: float, bottom: float, width: int, height: int) -> bool:
    return min(left, top) >= -TOLERANCE and right <= width + TOLERANCE and bottom <= height + TOLERANCE


def _box(annotation: dict[str, Any]) -> list[float] | None:
    """Return the bounding box ``[x, y, width, height]``, or None where there is none that can be read."""
    box = annotation.get("bbox")
    return box if isinstance(box, list) and len(box) == 4 and _numbers(box) else None


def _numbers(values: list[Any]) -> bool:
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)
        for value in values
    )
