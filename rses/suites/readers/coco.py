"""COCO: photographs and ``instances_*.json`` (https://cocodataset.org/#format-data), of labelling tools, too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError
from rses.files.names import folded
from rses.files.paths import id_problem
from rses.images.decode import file_facts, image_size
from rses.suites.left_out import LeftOut, UnusableError, left_out_lines
from rses.suites.readers.coco_entries import (
    Region,
    category_labels,
    find_annotations,
    has_extent,
    image_facts,
    image_folders,
    load_annotations,
    objects,
    plain_id,
    plain_text,
    region_of,
)  # fmt: skip
from rses.suites.readers.files import FileFinder, name_parts
from rses.suites.readers.types import Instance, Picture
from rses.suites.shapes import draw_coco_polygons, draw_outlines, unfold_runs


@dataclass
class _Photo:
    """One entry of ``images`` with its file, and the annotations that belong to it."""

    ids: list[int | str]
    name: str
    path: Path
    width: int
    height: int
    licence: str
    origin: str
    annotations: list[_Annotation] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Annotation:
    """A sound entry of ``annotations``: its id, category and region, and whether it covers a group."""

    key: str
    category: int | str
    region: Region
    crowd: bool


class CocoReader:
    """Instances of COCO.

    The annotation is held in memory; photographs and masks are read one at a time.

    Args:
        root: The data set's folder.
        split: Such as "val2017"; may be left out where there is one annotation file.
        annotations: The annotation file, where it is not in one of the usual places.
        outlines: Polygons are meant as labelme means them: they hold the pixels on their outline, and where things
            overlap, the one listed later lies in front. Those of the official files are drawn by COCO's own API (extra
            ``coco``), and may overlap.

    Raises:
        InputError: The annotation is missing or no COCO annotation, or none of its photographs can be used.
    """

    name = "coco"

    def __init__(self, root: Path, split: str | None = None, annotations: Path | None = None, outlines: bool = False):
        file = annotations if annotations is not None else find_annotations(root, split)
        content = load_annotations(file)
        self.root, self._outlines = root, outlines
        self._labels = category_labels(content["categories"])
        self._things = _things(content["categories"])
        self.left_out: list[LeftOut] = []
        finder = FileFinder(image_folders(root, file))
        self._photos = _by_key(_photos(content, finder, self.left_out), self.left_out)
        if not self._photos:
            looked = ", ".join(map(str, finder.folders))
            lines = left_out_lines(self.left_out) or ["It lists no photograph."]
            raise InputError(
                [*lines, f"Looked for in: {looked}"], f"{file}: none of its photographs can be used:", code="empty"
            )
        self._assign(content["annotations"], {plain_id(entry["id"]) for entry in objects(content["images"])})

    def keys(self) -> list[str]:
        """Keys of all pictures: file names without folder and ending."""
        return list(self._photos)

    def read(self, key: str) -> Picture:
        """Read one picture; its masks are drawn on demand."""
        photo = self._photos[key]
        instances = tuple(
            Instance(
                key=annotation.key,
                label=self._labels[annotation.category],
                mask=partial(self._mask, photo, number),
                crowd=annotation.crowd,
            )
            for number, annotation in enumerate(photo.annotations)
            if annotation.category in self._things
        )
        return Picture(
            key, photo.path, photo.width, photo.height, photo.licence, instances, photo.origin, tuple(photo.unread)
        )

    def _assign(self, annotations: list[Any], listed: set[int | str | None]) -> None:
        """Give each annotation to its photograph."""
        owners = {number: photo for photo in self._photos.values() for number in photo.ids}
        for position, annotation in enumerate(annotations, 1):
            owner = plain_id(annotation.get("image_id")) if isinstance(annotation, dict) else None
            photo = None if owner is None else owners.get(owner)
            if photo is None and owner is not None and owner in listed:
                continue  # Its photograph is among those left out.
            try:
                self._add(annotation, photo, position)
            except UnusableError as error:
                self.left_out.append(error.left_out)
        for photo in self._photos.values():
            photo.annotations = _with_own_keys(photo.annotations)

    def _add(self, annotation: Any, photo: _Photo | None, position: int) -> None:
        if not isinstance(annotation, dict):
            raise UnusableError("annotation-entry", f"annotation {str(annotation)[:80]}", "expected an object")
        number = plain_id(annotation.get("id"))
        key = f"n{position}" if number is None else str(number)
        if photo is None:
            raise UnusableError("annotation-image", f"annotation {key}", f"no image {annotation.get('image_id')!r}")
        name = f"annotation {key} of {photo.name}"
        category = plain_id(annotation.get("category_id"))
        if category is None or category not in self._labels:
            detail = f"there is no category {annotation.get('category_id')!r}, or it has no name or several"
            raise UnusableError("annotation-category", name, detail)
        try:
            region, dropped = region_of(annotation, name, photo.width, photo.height)
        except UnusableError as error:
            if has_extent(annotation, error.left_out.reason):
                photo.unread.append(self._labels[category])
            if error.left_out.reason == "region-outside":
                raise UnusableError("region-outside", name, error.left_out.detail + _turn_hint(photo.path)) from error
            raise
        if dropped:
            detail = f"{dropped} of {dropped + len(region)} parts left out"
            self.left_out.append(LeftOut("region-part", name, detail))
        crowd = plain_id(annotation.get("iscrowd", 0)) not in (0, None, "") or annotation.get("iscrowd") is True
        found = _Annotation(key, category, region, crowd)
        if len(photo.ids) > 1 and any(replace(found, key=other.key) == other for other in photo.annotations):
            return  # Listed twice like its photograph.
        photo.annotations.append(found)

    def _mask(self, photo: _Photo, number: int) -> NDArray[np.bool_]:
        first, *later = (annotation.region for annotation in photo.annotations[number:])
        mask = self._draw(first, photo.width, photo.height)
        # labelme paints one shape after the other.
        for region in later if self._outlines else ():
            mask &= ~self._draw(region, photo.width, photo.height)
        return mask

    def _draw(self, region: Region, width: int, height: int) -> NDArray[np.bool_]:
        if isinstance(region, dict):
            return unfold_runs(region["counts"], width, height)
        return (draw_outlines if self._outlines else draw_coco_polygons)(region, width, height)


def _with_own_keys(annotations: Sequence[_Annotation]) -> list[_Annotation]:
    """Tell annotations of one photograph that have the same id apart, by their order."""
    seen: Counter[str] = Counter()
    found = []
    for annotation in annotations:
        seen[annotation.key] += 1
        count = seen[annotation.key]
        found.append(annotation if count == 1 else replace(annotation, key=f"{annotation.key}-{count}"))
    return found


def _turn_hint(path: Path) -> str:
    """Say that a photograph has an orientation tag: coordinates beyond its border are often of the other frame."""
    try:
        turn = file_facts(path).orientation
    except InputError:
        return ""
    return f"; the photograph has orientation tag {turn}, the other frame may be meant" if turn != 1 else ""


def _things(categories: Any) -> set[int | str | None]:
    # Panoptic lists hold grass and sky too, numbered from 92 on; they name some of them "...-merged".
    entries = objects(categories)
    panoptic = any(str(entry.get("name")).endswith("-merged") for entry in entries)
    found = set()
    for entry in entries:
        number = plain_id(entry["id"])
        if entry.get("isthing", not (panoptic and isinstance(number, int) and number > 90)):
            found.add(number)
    return found


def _photos(content: dict[str, Any], finder: FileFinder, left_out: list[LeftOut]) -> list[_Photo]:
    """Find the files of the entries of ``images``; what cannot be used is added to ``left_out``."""
    licences = {plain_id(entry["id"]): _licence(entry) for entry in objects(content.get("licenses"))}
    entries: list[tuple[dict[str, Any], int | str, str, int | None, int | None]] = []
    for image in content["images"]:
        try:
            entries.append((image, *image_facts(image)))
        except UnusableError as error:
            left_out.append(error.left_out)
    names = defaultdict(set)
    for _, number, name, _, _ in entries:
        names[number].add(name)
    files = _files({name for _, _, name, _, _ in entries}, finder)
    photos: dict[Path, list[_Photo]] = defaultdict(list)
    for image, number, name, width, height in entries:
        try:
            path = files.get(name)
            if len(names[number]) > 1:
                raise UnusableError("photograph-entry", name, f"its id {number} is another's, too")
            if path is None:
                raise UnusableError("photograph-absent", name)
            if not (width and height):
                height, width = _size(path)
        except UnusableError as error:
            left_out.append(error.left_out)
            continue
        licence = licences.get(plain_id(image.get("license")), "not stated")
        addresses = (plain_text(image.get(key)) for key in ("flickr_url", "coco_url"))
        photos[path].append(_Photo([number], name, path, width, height, licence, next(filter(None, addresses), "")))
    return [photo for entries in photos.values() for photo in _merged(entries, left_out)]


def _merged(entries: Sequence[_Photo], left_out: list[LeftOut]) -> list[_Photo]:
    """Make one of the entries that lead to one file, or leave all out where they contradict each other."""
    if len({(name_parts(entry.name), entry.width, entry.height) for entry in entries}) == 1:
        return [replace(entries[0], ids=[number for entry in entries for number in entry.ids])]
    for entry in entries:
        detail = f"image {entry.ids[0]}, {entry.width}x{entry.height}; others lead to {entry.path.name}, too"
        left_out.append(LeftOut("photograph-twice", entry.name, detail))
    return []


def _files(names: Iterable[str], finder: FileFinder) -> dict[str, Path]:
    """Find the file of each name; a file that has just the name of one is not taken for another's."""
    found = {name: path for name in sorted(names) if (path := finder.exact(name)) is not None}
    taken = set(found.values())
    for name in sorted(set(names) - set(found)):
        path = finder.similar(name)
        if path is not None and path not in taken:
            found[name] = path
    return found


def _size(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except InputError as error:
        detail = " ".join(error.problems).replace(str(path), path.name)
        raise UnusableError("photograph-unreadable", path.name, detail) from error


def _by_key(photos: Sequence[_Photo], left_out: list[LeftOut]) -> dict[str, _Photo]:
    """Give each photograph a key: its file name without ending, and with more of its path where that is not unique."""
    waiting = dict(enumerate(photos))
    keys: dict[int, str] = {}
    for make in (_stem, _with_folders, _with_ending):
        made = {number: make(photo) for number, photo in waiting.items()}
        used = Counter(key.casefold() for key in [*made.values(), *keys.values()])
        keys.update({number: key for number, key in made.items() if used[key.casefold()] == 1})
        waiting = {number: photo for number, photo in waiting.items() if number not in keys}
    left_out += [LeftOut("name", photo.name, "has the name of another") for photo in waiting.values()]
    found = {}
    for number, photo in enumerate(photos):
        if number in keys and (fault := id_problem(keys[number])):
            left_out.append(LeftOut("name", photo.name, fault))
        elif number in keys:
            found[keys[number]] = photo
    return found


def _stem(photo: _Photo) -> str:
    return folded(photo.path.stem)


def _with_folders(photo: _Photo) -> str:
    return folded("-".join((*name_parts(photo.name)[:-1], photo.path.stem)))


def _with_ending(photo: _Photo) -> str:
    return folded(f"{_with_folders(photo)}-{photo.path.suffix[1:]}")


def _licence(entry: dict[str, Any]) -> str:
    name, url = plain_text(entry.get("name")), plain_text(entry.get("url"))
    return f"{name} ({url})" if name and url else name or url or "not stated"
