"""Pascal VOC: ``JPEGImages``, ``SegmentationObject``, ``SegmentationClass``, and where present ``Annotations``.

Object masks hold 0 for background, 255 for the void band along outlines, and a number for each object. The void
band belongs to no object here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError
from rses.suites.paths import id_problem
from rses.suites.readers.types import Instance, Picture, refuse

__all__ = ["VOC_CLASSES", "VocReader"]

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table", "dog",
    "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
)  # fmt: skip
"""Class names in plain words; class k of ``SegmentationClass`` is entry k - 1."""

VOID = 255
FOLDERS = ("JPEGImages", "SegmentationObject", "SegmentationClass")


class VocReader:
    """Segmented objects of Pascal VOC.

    Args:
        root: ``VOC2012`` or another folder with ``JPEGImages``, or one with ``VOCdevkit/VOC<year>`` below it.
        split: List of ``ImageSets/Segmentation`` such as "val"; every segmented picture by default.

    Raises:
        InputError: Folders or files are missing; lists all.
    """

    name = "voc"

    def __init__(self, root: Path, split: str | None = None):
        self._root = _find_root(root)
        problems: list[str] = []
        self._keys: list[str] = []
        for key in _listed(self._root, split):
            if fault := id_problem(key):
                problems.append(f'"{key}" {fault}')
                continue
            paths = (_photograph(self._root, key), *(self._root / name / f"{key}.png" for name in FOLDERS[1:]))
            for path in paths:
                if path.is_symlink():
                    problems.append(f"{path.relative_to(self._root)} is a symbolic link; put the file itself there")
                elif not path.is_file():
                    problems.append(f"{path.relative_to(self._root)} is listed but absent")
            self._keys.append(key)
        refuse(problems, f"{self._root} cannot be used, {len(problems)} faults:")

    def keys(self) -> list[str]:
        """Keys of all segmented pictures, such as "2007_000032"."""
        return list(self._keys)

    def read(self, key: str) -> Picture:
        """Read one picture's masks and, where present, its annotation."""
        photograph = _photograph(self._root, key)
        objects, classes = (_indices(self._root / name / f"{key}.png") for name in FOLDERS[1:])
        with Image.open(photograph) as picture:
            width, height = picture.size
        problems = [
            f"{name}/{key}.png is {array.shape[1]}x{array.shape[0]}, its photograph {width}x{height}"
            for name, array in zip(FOLDERS[1:], (objects, classes), strict=True)
            if array.shape != (height, width)
        ]
        refuse(problems, "Masks and photograph differ in size:")
        described = _described(self._root / "Annotations" / f"{key}.xml")
        instances = tuple(
            _instance(number, objects, classes, described, key)
            for number in np.unique(objects).tolist()
            if number not in (0, VOID)
        )
        licence = "not stated for single photographs; from Flickr, whose terms of use apply"
        return Picture(key, photograph, width, height, licence, instances)


def _instance(
    number: int, objects: NDArray[np.uint8], classes: NDArray[np.uint8], described: list[dict[str, Any]], key: str
) -> Instance:
    region = objects == number
    inside = classes[region]
    values, counts = np.unique(inside[(inside > 0) & (inside < VOID)], return_counts=True)
    if len(values) == 0 or int(values[counts.argmax()]) > len(VOC_CLASSES):
        raise InputError(f"SegmentationClass/{key}.png gives object {number} no class from 1 to {len(VOC_CLASSES)}.")
    label = VOC_CLASSES[int(values[counts.argmax()]) - 1]
    facts = _matching(region, label, described)
    return Instance(
        key=str(number),
        label=label,
        mask=partial(np.equal, objects, number),
        truncated=facts.get("truncated"),
        occluded=facts.get("occluded"),
        difficult=bool(facts.get("difficult")),
    )


def _matching(region: NDArray[np.bool_], label: str, described: list[dict[str, Any]]) -> dict[str, Any]:
    # Numbers of objects and entries of the annotation mostly agree, boxes always do.
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    same = [entry for entry in described if entry["name"].replace(" ", "") == label.replace(" ", "")]
    best = max(same, key=lambda entry: _overlap(box, entry["box"]), default=None)
    return best if best is not None and _overlap(box, best["box"]) >= 0.5 else {}


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = across * down
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


def _described(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    text = file.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise InputError(f"{file} declares a document type, which VOC annotation does not need. Remove it.")
    try:
        return [_entry(node) for node in ElementTree.fromstring(text).iter("object")]
    except (ElementTree.ParseError, ValueError, TypeError) as error:
        raise InputError(f"{file} is not VOC annotation: {error}.") from error


def _entry(node: ElementTree.Element) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": node.findtext("name", "").strip()}
    for flag in ("truncated", "occluded", "difficult"):
        text = node.findtext(flag)
        entry[flag] = None if text is None else text.strip() == "1"
    left, top, right, bottom = (float(node.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax"))
    if right < left or bottom < top:
        raise ValueError(f"bounding box {left:g}, {top:g}, {right:g}, {bottom:g} is turned round")
    entry["box"] = (left - 1, top - 1, right, bottom)
    return entry


def _indices(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            if picture.mode not in ("P", "L"):
                raise InputError(
                    f"{path} has mode {picture.mode}, expected a palette image of class or object numbers."
                )
            return np.asarray(picture, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path} is not a readable image: {error}.") from error


def _photograph(root: Path, key: str) -> Path:
    return root / "JPEGImages" / f"{key}.jpg"


def _find_root(root: Path) -> Path:
    places = [root, *sorted(root.glob("VOC2*")), *sorted(root.glob("VOCdevkit/VOC2*"))]
    found = [place for place in places if all((place / name).is_dir() for name in FOLDERS)]
    if not found:
        raise InputError(f"{root} holds no folder with {', '.join(FOLDERS)}. Give the folder VOC<year> with --root.")
    if len(found) > 1:
        raise InputError(f"{root} holds several years: {', '.join(map(str, found))}. Give one of them with --root.")
    return found[0]


def _listed(root: Path, split: str | None) -> list[str]:
    if split is None:
        return sorted(path.stem for path in (root / "SegmentationObject").glob("*.png"))
    if fault := id_problem(split):
        raise InputError(f'Split "{split}" {fault}.')
    file = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    if not file.is_file():
        raise InputError(f"{file} is missing. Name one of the lists beside it with --split.")
    return list(dict.fromkeys(line.split()[0] for line in file.read_text("utf-8-sig").splitlines() if line.strip()))
