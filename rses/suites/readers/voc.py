"""Pascal VOC: ``JPEGImages``, ``SegmentationObject``, ``SegmentationClass``, and where present ``Annotations``.

Also as labelme and CVAT write it: with a list of classes of their own, PNG photographs, masks in colours or as arrays.
Object masks hold 0 for background, 255 for the void band along outlines, and a number or colour for each object. The
void band belongs to no object here.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError, Place
from rses.files.names import folded
from rses.files.paths import id_problem
from rses.files.text import read_text
from rses.suites.left_out import DataSetError, LeftOut, UnusableError, left_out_lines
from rses.suites.readers.labels import (
    LISTS,
    VOC_CLASSES,
    VOC_NAMES,
    VOID,
    VOID_COLOUR,
    LabelImage,
    find_class_list,
    read_class_list,
    read_labels,
)  # fmt: skip
from rses.suites.readers.types import Instance, Picture

PHOTOGRAPHS, OBJECTS, CLASSES = ("JPEGImages",), ("SegmentationObject", "SegmentationObjectPNG"), (
    "SegmentationClass", "SegmentationClassPNG",
)  # fmt: skip
"""Folders; labelme used to write arrays into the first and images into the second ones."""

NO_IMAGES = frozenset({".txt", ".xml", ".json", ".csv", ".md", ".db", ".ini", ".lst", ""})
MOST_OBJECTS = 1000
_VOID_VALUE = VOID_COLOUR[0] << 16 | VOID_COLOUR[1] << 8 | VOID_COLOUR[2]


class VocReader:
    """Segmented objects of Pascal VOC.

    Args:
        root: ``VOC2012`` or another folder with ``JPEGImages``, or one with ``VOCdevkit/VOC<year>`` below it.
        split: List of ``ImageSets/Segmentation`` such as "val"; every segmented picture by default.
        classes: List of the classes, see `read_class_list`; by default one that lies in the folder, or else VOC's.

    Raises:
        InputError: Folders are missing, lists unsound, or no picture is whole.
    """

    name = "voc"

    def __init__(self, root: Path, split: str | None = None, classes: Path | None = None):
        self.root = _find_root(root)
        file = classes if classes is not None else find_class_list(self.root)
        self._names = VOC_NAMES if file is None else read_class_list(file)
        photographs, objects, labels = (_by_stem(self.root, names) for names in (PHOTOGRAPHS, OBJECTS, CLASSES))
        self.left_out: list[LeftOut] = []
        self._files: dict[str, tuple[Path, Path, Path]] = {}
        for key in sorted(objects) if split is None else _listed(self.root, split, objects):
            try:
                photograph = _one(photographs, key, ".jpg", LeftOut("photograph-absent", f"JPEGImages/{key}.jpg"))
                found = _one(objects, key, ".png", LeftOut("mask-absent", f"{OBJECTS[0]}/{key}.png"))
                label = _one(labels, key, ".png", LeftOut("mask-absent", f"{CLASSES[0]}/{key}.png"))
            except UnusableError as error:
                self.left_out.append(error.left_out)
            else:
                self._files[key] = (photograph, found, label)
        if not self._files:
            lines = left_out_lines(self.left_out) or ["there is no picture"]
            raise InputError(lines, f"{self.root} cannot be used:", code="empty")

    def keys(self) -> list[str]:
        """Keys of all segmented pictures, such as "2007_000032"."""
        return list(self._files)

    def read(self, key: str) -> Picture:
        """Read one picture's masks and, where present, its annotation.

        Raises:
            UnusableError: Its masks or its annotation are unsound.
            DataSetError: It holds classes that no list names.
        """
        photograph, object_file, class_file = self._files[key]
        objects, classes = read_labels(object_file), read_labels(class_file)
        height, width = objects.values.shape
        if classes.values.shape != objects.values.shape:
            found = f"{_short(class_file)} is {classes.values.shape[1]}x{classes.values.shape[0]}"
            raise UnusableError("size", photograph.name, f"{found}, {_short(object_file)} {width}x{height}")
        place = Path("Annotations", *object_file.relative_to(self.root).parts[1:]).with_suffix(".xml")
        described = _described(self.root / place)
        self._require_named(described, key)
        left_out: list[LeftOut] = []
        instances = []
        for value in _objects(objects, _short(object_file)):
            region = objects.values == value
            try:
                label = self._label(value, classes, region, class_file)
            except UnusableError as error:
                left_out.append(error.left_out)
                continue
            facts = _matching(region, label, described)
            instances.append(
                Instance(
                    key=str(value),
                    label=label,
                    mask=partial(np.equal, objects.values, value),
                    truncated=facts.get("truncated"),
                    occluded=facts.get("occluded"),
                    difficult=bool(facts.get("difficult")),
                )
            )
        if not self._names.own and not described:
            left_out.append(LeftOut("class-names", photograph.name, f"no list of classes ({', '.join(LISTS)})"))
        licence = "not stated for single photographs; from Flickr, whose terms of use apply"
        if self._names.own:
            licence = "not stated"
        return Picture(key, photograph, width, height, licence, tuple(instances), left_out=tuple(left_out))

    def _label(self, value: int, classes: LabelImage, region: NDArray[np.bool_], file: Path) -> str:
        """Return the class of most of an object's pixels; background and void are none."""
        name = f"object {_shown(value)} of {file.name}"
        found, counts = np.unique(classes.values[region], return_counts=True)
        for number in found[np.argsort(-counts, kind="stable")].tolist():
            label = self._names.name(number, classes)
            if label:
                return label
            if label is None and not self._names.own:
                raise self._no_list(f"{_short(file)} holds class {_shown(number)}")
            if label is None:
                detail = f"class {_shown(number)} is not in {self._names.source}"
                raise UnusableError("class-unknown", name, detail)
        raise UnusableError("class-unknown", name, "it covers no class")

    def _require_named(self, described: list[dict[str, Any]], key: str) -> None:
        known = {_letters(name) for name in VOC_CLASSES}
        strange = [name for entry in described if (name := entry["name"]) and _letters(name) not in known]
        if strange and not self._names.own:
            raise self._no_list(f'Annotations/{key}.xml names "{strange[0]}"')

    def _no_list(self, found: str) -> DataSetError:
        """Stop where a class is none of VOC's: the names of all other numbers would be wrong, too."""
        return DataSetError(
            f"{found}, which is none of Pascal VOC's {len(VOC_CLASSES)} classes. Name a list of the classes with "
            f"--classes, or put one of {', '.join(LISTS)} into {self.root}.",
            code="unknown-value",
        )


def _short(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _objects(image: LabelImage, name: str) -> list[int]:
    void = _VOID_VALUE if image.coloured else VOID
    found: list[int] = [value for value in np.unique(image.values).tolist() if value not in (0, void)]
    if not found:
        raise UnusableError("mask-empty", name, "it holds no number of an object (0 is background, 255 void)")
    if len(found) > MOST_OBJECTS:
        raise UnusableError("mask-unreadable", name, f"it holds {len(found)} numbers or colours; smoothed edges?")
    return found


def _shown(value: int) -> str:
    """Return a number as it is, and a colour as red,green,blue."""
    return str(value) if value < 1 << 16 else f"({value >> 16},{value >> 8 & 255},{value & 255})"


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _matching(region: NDArray[np.bool_], label: str, described: list[dict[str, Any]]) -> dict[str, Any]:
    # Numbers of objects and entries of the annotation mostly agree, boxes always do.
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    same = [entry for entry in described if entry["box"] and _letters(entry["name"]) == _letters(label)]
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
    name = f"Annotations/{file.name}"
    try:
        text = file.read_bytes()
        # In other encodings than ASCII's the declaration would look different.
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in text:
            detail = "it declares a document type, which VOC does not need, or is not UTF-8"
            raise UnusableError("annotation-entry", name, detail)
        return [_entry(node) for node in ElementTree.fromstring(text).iter("object")]
    except (OSError, ElementTree.ParseError, LookupError, ValueError, TypeError, RecursionError) as error:
        raise UnusableError("annotation-entry", name, f"it is not VOC annotation ({error})") from error


def _entry(node: ElementTree.Element) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": node.findtext("name", "").strip(), "box": None}
    for flag in ("truncated", "occluded", "difficult"):
        text = node.findtext(flag)
        entry[flag] = None if text is None else text.strip().lower() in ("1", "true", "yes")
    if node.find("bndbox") is None:
        return entry  # An outline alone, as some tools write: nothing to match by.
    left, top, right, bottom = (float(node.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax"))
    if right < left or bottom < top:
        raise ValueError(f"bounding box {left:g}, {top:g}, {right:g}, {bottom:g} is turned round")
    entry["box"] = (left - 1, top - 1, right, bottom)
    return entry


def _by_stem(root: Path, folders: Sequence[str]) -> dict[str, list[Path]]:
    """List the files of some folders and those below them by their path without ending, hyphens for slashes."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if not path.name.startswith(".") and path.suffix.lower() not in NO_IMAGES and not path.is_dir():
                key = "-".join(path.relative_to(root / folder).with_suffix("").parts)
                found.setdefault(folded(key), []).append(path)
    return found


def _one(files: dict[str, list[Path]], key: str, ending: str, absent: LeftOut) -> Path:
    """Return the file of a key: the one with the usual ending, or the only one."""
    if fault := id_problem(key):
        raise UnusableError("name", key, fault)
    found = [path for path in files.get(key, []) if path.is_file()]
    usual = [path for path in found if path.suffix.lower() == ending]
    if not found:
        raise UnusableError(absent.reason, absent.name)
    if len(found) > 1 and len(usual) != 1:
        raise UnusableError("photograph-twice", key, f"{', '.join(path.name for path in found)}; keep one")
    return usual[0] if usual else found[0]


def _find_root(root: Path) -> Path:
    places = [root, *sorted(root.glob("VOC2*")), *sorted(root.glob("VOCdevkit/VOC2*"))]
    wanted = (PHOTOGRAPHS, OBJECTS, CLASSES)
    found = [place for place in places if all(any((place / name).is_dir() for name in names) for names in wanted)]
    if not found:
        names = ", ".join(folders[0] for folders in wanted)
        raise InputError(
            f"{root} holds no folder with {names}. Give the folder VOC<year> with --root.",
            code="missing-file",
            place=Place(str(root)),
        )
    if len(found) > 1:
        raise InputError(
            f"{root} holds several years: {', '.join(map(str, found))}. Give one of them with --root.",
            code="ambiguous",
            place=Place(str(root)),
        )
    return found[0]


def _listed(root: Path, split: str, known: Collection[str]) -> list[str]:
    if fault := id_problem(split):
        raise InputError(f'Split "{split}" {fault}.', code="bad-path")
    file = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    if not file.is_file():
        raise InputError(
            f"{file} is missing. Name one of the lists beside it with --split.",
            code="missing-file",
            place=Place(str(file)),
        )
    names = []
    for line in filter(None, map(str.strip, read_text(file).splitlines())):
        # Lists of other tasks have a second column; names of photographs may hold spaces and folders.
        whole = folded(line.replace("/", "-"))
        names.append(whole if whole in known else folded(line.split()[0]))
    return list(dict.fromkeys(names))
