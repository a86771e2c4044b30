"""COCO: photographs and ``instances_*.json`` (https://cocodataset.org/#format-data), of labelling tools, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError
from rses.images.decode import open_image
from rses.suites.frames import orientation_of
from rses.suites.left_out import LeftOut, UnusableError, left_out_lines
from rses.suites.readers.coco_check import (
    Region,
    category_labels,
    has_extent,
    objects,
    plain_id,
    region_of,
)
from rses.suites.readers.coco_files import find_annotations, image_folders, load_annotations
from rses.suites.readers.coco_photos import Annotation, Photo, photos_by_key
from rses.suites.readers.files import FileFinder
from rses.suites.readers.types import Instance, Picture
from rses.suites.shapes import draw_coco_polygons, draw_polygons, unfold_runs

__all__ = ["CocoReader"]


class CocoReader:
    """Instances of COCO.

    The annotation is held in memory; photographs and masks are read one at a time.

    Args:
        root: The data set's folder.
        split: Such as "val2017"; may be left out where there is one annotation file.
        annotations: The annotation file, where it is not in one of the usual places.
        outlines: Polygons are meant as labelme means them: they hold the pixels on their outline, and where things
            overlap, the one listed later lies in front. Those of the official files are drawn by the rule of COCO's
            own API, and may overlap.

    Attributes:
        left_out: Photographs and annotations that cannot be used.

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
        self._photos = photos_by_key(content, finder, self.left_out)
        if not self._photos:
            looked = ", ".join(map(str, finder.folders))
            lines = left_out_lines(self.left_out) or ["It lists no photograph."]
            raise InputError([*lines, f"Looked for in: {looked}"], f"{file}: none of its photographs can be used:")
        self._assign(content["annotations"], {plain_id(entry["id"]) for entry in objects(content["images"])})

    def keys(self) -> list[str]:
        """Keys of all pictures: file names without folder and ending."""
        return list(self._photos)

    def read(self, key: str) -> Picture:
        """Read one picture; its masks are drawn on demand."""
        photo = self._photos[key]
        listed = photo.annotations
        instances = tuple(
            Instance(
                key=annotation.key,
                label=self._labels[annotation.category],
                mask=partial(self._mask, listed[number:], photo.width, photo.height),
                crowd=annotation.crowd,
            )
            for number, annotation in enumerate(listed)
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
            _number_twins(photo.annotations)

    def _add(self, annotation: Any, photo: Photo | None, position: int) -> None:
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
                raise _turned(error.left_out, photo.path) from error
            raise
        if dropped:
            detail = f"{dropped} of {dropped + len(region)} parts left out"
            self.left_out.append(LeftOut("region-part", name, detail))
        crowd = plain_id(annotation.get("iscrowd", 0)) not in (0, None, "") or annotation.get("iscrowd") is True
        found = Annotation(key, category, region, crowd)
        if len(photo.ids) > 1 and any(found.same_as(other) for other in photo.annotations):
            return  # Listed twice like its photograph.
        photo.annotations.append(found)

    def _mask(self, annotations: Sequence[Annotation], width: int, height: int) -> NDArray[np.bool_]:
        """Draw the first of some annotations; the others are those listed later."""
        mask = _draw(annotations[0].region, width, height, self._outlines)
        # labelme paints one shape after the other.
        for other in annotations[1:] if self._outlines else ():
            mask &= ~_draw(other.region, width, height, outlines=True)
        return mask


def _number_twins(annotations: list[Annotation]) -> None:
    """Tell annotations of one photograph that have the same id apart, by their order."""
    seen: Counter[str] = Counter()
    for number, annotation in enumerate(annotations):
        seen[annotation.key] += 1
        if seen[annotation.key] > 1:
            key = f"{annotation.key}-{seen[annotation.key]}"
            annotations[number] = Annotation(key, annotation.category, annotation.region, annotation.crowd)


def _turned(entry: LeftOut, path: Path) -> UnusableError:
    """Say that a photograph has an orientation tag: coordinates beyond its border are often of the other frame."""
    turn = 1
    try:
        with open_image(path) as picture:
            turn = orientation_of(picture)
    except InputError:
        pass
    hint = f"; the photograph has orientation tag {turn}, the other frame may be meant" if turn != 1 else ""
    return UnusableError(entry.reason, entry.name, entry.detail + hint)


def _draw(region: Region, width: int, height: int, outlines: bool) -> NDArray[np.bool_]:
    if isinstance(region, dict):
        return unfold_runs(region["counts"], width, height)
    if outlines:
        return draw_polygons(region, width, height, outlines=True)
    return draw_coco_polygons(region, width, height)


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
