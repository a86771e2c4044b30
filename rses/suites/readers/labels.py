"""Label images, whose pixels are numbers or colours of objects or classes, and the names of the classes in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError, Place
from rses.files.text import read_text
from rses.images.decode import MAX_PIXELS, deep_values, is_lossy, open_image, pixels_of
from rses.suites.left_out import UnusableError
from rses.suites.readers.files import name_problem

VOID = 255
"""Number of the band along outlines that belongs to no object."""


@dataclass(frozen=True)
class LabelImage:
    """A label image.

    Attributes:
        values: (height, width) int32: numbers, or ``red << 16 | green << 8 | blue`` where `coloured`. 0 is background.
        coloured: Whether the values are colours.
        palette: Colours of the numbers, where the file shows any.
    """

    values: NDArray[np.int32]
    coloured: bool
    palette: dict[int, tuple[int, int, int]]


def read_labels(path: Path) -> LabelImage:
    """Read a label image: palette, grey or RGB PNG, or a two-dimensional ``.npy`` of whole numbers."""
    try:
        if path.suffix.lower() == ".npy":
            return LabelImage(_array(path), False, {})
        if is_lossy(path):
            raise InputError(
                f"{path} is compressed with loss, which changes numbers and colours. Export it as PNG.",
                code="unsupported",
                place=Place(str(path)),
            )
        with open_image(path) as picture:
            deep = deep_values(picture, path)
            if deep is not None:
                return LabelImage(_flat(deep.astype(np.int32), path), False, {})
            return _decoded(pixels_of(picture, path), path)
    except InputError as error:
        detail = " ".join(error.problems).replace(str(path), path.name)
        raise UnusableError("mask-unreadable", f"{path.parent.name}/{path.name}", detail) from error


def _decoded(picture: Image.Image, path: Path) -> LabelImage:
    if picture.mode == "P":
        colours = np.asarray(picture.getpalette("RGB") or [], dtype=int).reshape(-1, 3)
        grey = bool((colours == colours[:, :1]).all())
        palette = {} if grey else {k: (int(r), int(g), int(b)) for k, (r, g, b) in enumerate(colours.tolist())}
        return LabelImage(np.asarray(picture).astype(np.int32), False, palette)
    if picture.mode in ("L", "1"):
        return LabelImage(np.asarray(picture).astype(np.int32), False, {})
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode != "RGB":
        raise InputError(
            f"{path} has mode {picture.mode}, expected numbers (palette or grey) or RGB colours.",
            code="wrong-colours",
            place=Place(str(path)),
        )
    pixels = np.asarray(picture).astype(np.int32)
    if bool((pixels == pixels[..., :1]).all()):
        # Numbers written as three equal channels, or grey colours: the list of classes tells.
        return LabelImage(pixels[..., 0], False, {k: (k, k, k) for k in range(256)})
    return LabelImage(pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2], True, {})


def _array(path: Path) -> NDArray[np.int32]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path} is not a NumPy array that can be read ({error}).", code="unreadable", place=Place(str(path))
        ) from error
    if not isinstance(mapped, np.ndarray) or mapped.dtype.kind not in "iub" or mapped.size > MAX_PIXELS:
        raise InputError(
            f"{path} must hold one array of whole numbers of at most {MAX_PIXELS} pixels.",
            code="wrong-content",
            place=Place(str(path)),
        )
    if bool(mapped.size) and not -1 <= int(mapped.min()) <= int(mapped.max()) < 1 << 24:
        raise InputError(
            f"{path} holds numbers outside -1 to {(1 << 24) - 1}.", code="out-of-range", place=Place(str(path))
        )
    # labelme's arrays hold -1 where its images hold 255.
    values = _flat(np.asarray(mapped).astype(np.int32), path)
    return np.where(values == -1, VOID, values).astype(np.int32)


def _flat(values: NDArray[np.int32], path: Path) -> NDArray[np.int32]:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise InputError(
            f"{path} has shape {values.shape}, expected (height, width).", code="wrong-shape", place=Place(str(path))
        )
    return values


VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table", "dog",
    "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
)  # fmt: skip
"""Class names in plain words; class k of ``SegmentationClass`` is entry k - 1."""

VOID_COLOUR = (224, 224, 192)
"""What VOC's palette shows for 255, the band along outlines; tools that write colours call it "ignored"."""

LISTS = ("labelmap.txt", "class_names.txt", "labels.txt", "classes.txt")
"""What CVAT, labelme and others call their lists."""

_BACKGROUND = frozenset({"background", "_background_", "__background__", "__ignore__", "_ignore_", "ignored"})
# Headings of tables; the last ones are Roboflow's "Pixel Value, Class".
_NUMBER = ("number", "id", "index", "value", "pixel value", "class")
_NAME = ("object", "name", "label", "class name", "class")

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassNames:
    """Names of classes by number, and by colour where the list gives colours."""

    source: str
    by_number: Mapping[int, str]
    by_colour: Mapping[Colour, str] = field(default_factory=dict)
    own: bool = True

    def name(self, value: int, image: LabelImage) -> str | None:
        """Return the name of a value of a label image: empty for background and void, None where it is unknown."""
        colour = (value >> 16, value >> 8 & 255, value & 255) if image.coloured else image.palette.get(value)
        if self.by_colour and colour is not None:
            if colour in self.by_colour:
                return self.by_colour[colour]
            if image.coloured or max(colour) != min(colour):
                return "" if colour in ((0, 0, 0), VOID_COLOUR) else None
        number = _VOC_COLOURS.get(colour) if image.coloured and colour is not None else value
        return "" if number in (0, VOID) else self.by_number.get(-1 if number is None else number)


def _voc_colour(number: int) -> Colour:
    """Return the colour of a number in the palette of VOC, which labelme uses too.

    Example:
        >>> _voc_colour(1), _voc_colour(20), _voc_colour(255)
        ((128, 0, 0), (0, 64, 128), (224, 224, 192))
    """
    red, green, blue = (sum((number >> 3 * bit + k & 1) << 7 - bit for bit in range(8)) for k in range(3))
    return red, green, blue


_VOC_COLOURS = {_voc_colour(number): number for number in range(256)}

VOC_NAMES = ClassNames("Pascal VOC", dict(enumerate(VOC_CLASSES, 1)), own=False)


def find_class_list(root: Path) -> Path | None:
    """Return the list of classes in a data set's folder, or None."""
    found = [root / name for name in LISTS if (root / name).is_file()]
    if len({frozenset(read_class_list(file).by_number.items()) for file in found}) > 1:
        names = ", ".join(file.name for file in found)
        raise InputError(
            f"{root} holds several lists of classes that differ ({names}). Name one with --classes.",
            code="ambiguous",
            place=Place(str(root)),
        )
    return found[0] if found else None


def read_class_list(file: Path) -> ClassNames:
    """Read a list of classes.

    Three forms are read: one name per line, as labelme writes it, counted from 0 where the first is the background,
    from -1 where it is ``__ignore__``, and else from 1; CVAT's ``name:red,green,blue::``; and CSV with a heading, with
    a column ``number`` (or ``id``, ``class``) and a column ``object`` (or ``name``, ``label``).
    """
    lines = [line.strip() for line in read_text(file).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise InputError(f"{file} names no class.", code="empty", place=Place(str(file)))
    if bad := [line for line in lines if name_problem(line)]:
        raise InputError(
            f"{file}: {bad[0][:80]!r} holds control characters or is not UTF-8.",
            code="unprintable",
            place=Place(str(file)),
        )
    if file.suffix.lower() == ".csv":
        return ClassNames(file.name, _named(file, _table(file, lines)))
    first = 0 if lines[0].lower().partition(":")[0].strip() in _BACKGROUND else 1
    colours: dict[Colour, str] = {}
    if all(re.match(r"^[^:]+:[^:]*:[^:]*:[^:]*$", line) for line in lines):
        colours = _colours(file, lines)
        lines = [line.partition(":")[0].strip() for line in lines]
    elif lines[0] in ("__ignore__", "_ignore_"):
        first = -1
    return ClassNames(file.name, _named(file, enumerate(lines, first)), colours)


def _colours(file: Path, lines: list[str]) -> dict[Colour, str]:
    """Return the names of CVAT's ``name:red,green,blue::`` by colour."""
    found: dict[Colour, str] = {}
    for line in lines:
        name, colour, _, _ = line.split(":")
        if not colour.strip():
            continue
        parts = colour.split(",")
        if len(parts) != 3 or not all(re.fullmatch(r"\s*\d{1,3}\s*", part) and int(part) < 256 for part in parts):
            raise InputError(
                f'{file}: the colour of "{name}" must be three numbers from 0 to 255, found "{colour}".',
                code="wrong-form",
                place=Place(str(file)),
            )
        red, green, blue = (int(part) for part in parts)
        plain = "" if name.strip().lower() in _BACKGROUND else _plain(name)
        if found.setdefault((red, green, blue), plain) != plain:
            raise InputError(
                f"{file} gives the colour {red},{green},{blue} to several classes.",
                code="used-twice",
                place=Place(str(file)),
            )
    return found


def _table(file: Path, lines: list[str]) -> list[tuple[int, str]]:
    # Some tools put a space after the comma, and letters of any case.
    try:
        table = list(csv.DictReader(lines, skipinitialspace=True))
    except csv.Error as error:
        raise InputError(f"{file} is not a CSV file: {error}.", code="unreadable", place=Place(str(file))) from error
    rows = [{(key or "").strip().lower(): value.strip() for key, value in row.items() if isinstance(value, str)}
            for row in table]  # fmt: skip
    heading = set(rows[0]) if rows else set()
    number = next((key for key in _NUMBER if key in heading), None)
    name = next((key for key in _NAME if key in heading and key != number), None)
    if number is None or name is None:
        raise InputError(
            f"{file} must be a CSV file with the columns number and object.", code="missing-key", place=Place(str(file))
        )
    bad = [row for row in rows if not re.fullmatch(r"\d{1,9}", row.get(number, "")) or not row.get(name)]
    if bad:
        raise InputError(
            f"{file}: {number} must be a whole number and {name} a text, found {bad[0]}.",
            code="wrong-type",
            place=Place(str(file)),
        )
    return [(int(row[number]), row[name]) for row in rows]


def _named(file: Path, numbered: Iterable[tuple[int, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, name in numbered:
        if name.lower() in _BACKGROUND:
            continue
        if found.setdefault(number, _plain(name)) != _plain(name):
            raise InputError(
                f"{file} gives the number {number} to several classes.", code="used-twice", place=Place(str(file))
            )
    if not found:
        raise InputError(f"{file} names no class but the background.", code="empty", place=Place(str(file)))
    return found


def _plain(name: str) -> str:
    """Return a name in plain words: VOC's own are written in several ways."""
    letters = re.sub(r"[^a-z]", "", name.lower())
    return {plain.replace(" ", ""): plain for plain in VOC_CLASSES}.get(letters, " ".join(name.split()))
