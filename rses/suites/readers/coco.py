"""COCO: photographs and ``instances_*.json`` (https://cocodataset.org/#format-data)."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError
from rses.suites.paths import path_problem
from rses.suites.readers.coco_check import annotation_problems, image_problems
from rses.suites.readers.types import Instance, Picture, refuse
from rses.suites.shapes import draw_coco_polygons, draw_polygons, unfold_runs

__all__ = ["CocoReader"]


class CocoReader:
    """Instances of COCO.

    The annotation is held in memory as JSON; photographs and masks are read one at a time.

    Args:
        root: The data set's folder.
        split: Such as "val2017"; may be left out where there is one annotation file.
        annotations: The annotation file, where it is not ``annotations/instances_<split>.json``.
        outlines: Polygons are meant as labelme means them: they hold the pixels on their outline, and where things
            overlap, the one listed later lies in front. Those of the official files are drawn by the rule of COCO's
            own API, and may overlap.

    Raises:
        InputError: The annotation is missing or unsound, or photographs it lists are absent; lists all.
    """

    name = "coco"

    def __init__(self, root: Path, split: str | None = None, annotations: Path | None = None, outlines: bool = False):
        file = annotations if annotations is not None else _find_annotations(root, split)
        content = _load(file)
        self._folder = _image_folder(root, file)
        self._outlines = outlines
        licences = {entry.get("id"): _licence(entry) for entry in _objects(content.get("licenses"))}
        self._labels = _things(content["categories"])
        known = {c["id"] for c in content["categories"]}
        problems: list[str] = []
        self._images: dict[str, dict[str, Any]] = {}
        by_id: dict[Any, dict[str, Any]] = {}
        for image in content["images"]:
            faults = image_problems(image, by_id) or self._file_problems(image["file_name"])
            problems += faults
            if not faults:
                by_id[image["id"]] = image
                licence = image.get("license")
                stated = licences.get(licence, "not stated") if isinstance(licence, int | str) else "not stated"
                self._images[_key(image)] = {**image, "licence": stated}
        if len(self._images) < len(by_id):
            problems.append("two images have the same file name in different folders")
        self._annotations: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        listed = {image["id"] for image in _objects(content["images"])}
        for annotation in content["annotations"]:
            owner = annotation.get("image_id") if isinstance(annotation, dict) else None
            image = by_id.get(owner) if isinstance(owner, int | str) else None
            if image is None and isinstance(owner, int | str) and owner in listed:
                continue  # Its image is among the problems already.
            faults = annotation_problems(annotation, image, known)
            problems += faults
            if not faults:
                self._annotations[annotation["image_id"]].append(annotation)
        refuse(problems, f"{file} cannot be used, {len(problems)} faults:")

    def keys(self) -> list[str]:
        """Keys of all pictures: file names without folder and ending."""
        return list(self._images)

    def read(self, key: str) -> Picture:
        """Read one picture; its masks are drawn on demand."""
        image = self._images[key]
        width, height = image["width"], image["height"]
        listed = self._annotations[image["id"]]
        instances = tuple(
            Instance(
                key=str(annotation["id"]),
                label=self._labels[annotation["category_id"]],
                mask=partial(self._mask, annotation, listed[number:], width, height),
                crowd=bool(annotation.get("iscrowd", 0)),
            )
            for number, annotation in enumerate(listed, 1)
            if annotation["category_id"] in self._labels
        )
        origin = image.get("flickr_url") or image.get("coco_url") or ""
        return Picture(key, self._folder / image["file_name"], width, height, image["licence"], instances, origin)

    def _mask(
        self, annotation: dict[str, Any], later: list[dict[str, Any]], width: int, height: int
    ) -> NDArray[np.bool_]:
        mask = _draw(annotation["segmentation"], width, height, self._outlines)
        # labelme paints one shape after the other.
        for other in later if self._outlines else ():
            mask &= ~_draw(other["segmentation"], width, height, outlines=True)
        return mask

    def _file_problems(self, name: str) -> list[str]:
        fault = path_problem(self._folder, name)
        if fault:
            return [f'image "{name}" {fault}']
        if not (self._folder / name).is_file():
            return [f'image "{name}" is listed but absent from {self._folder}']
        return []


def _draw(segmentation: Any, width: int, height: int, outlines: bool) -> NDArray[np.bool_]:
    if isinstance(segmentation, dict):
        return unfold_runs(segmentation["counts"], width, height)
    if outlines:
        return draw_polygons(segmentation, width, height, outlines=True)
    return draw_coco_polygons(segmentation, width, height)


def _objects(entries: Any) -> list[dict[str, Any]]:
    """Return those of a list that are objects with an id that can be looked up."""
    listed = entries if isinstance(entries, list) else []
    return [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)]


def _things(categories: list[dict[str, Any]]) -> dict[Any, str]:
    # Panoptic lists hold grass and sky too, numbered from 92 on; they name some of them "...-merged".
    panoptic = any(str(entry["name"]).endswith("-merged") for entry in categories)
    return {
        entry["id"]: str(entry["name"])
        for entry in categories
        if entry.get("isthing", not panoptic or entry["id"] <= 90)
    }


def _key(image: dict[str, Any]) -> str:
    return Path(image["file_name"]).stem


def _licence(entry: dict[str, Any]) -> str:
    name, url = entry.get("name"), entry.get("url")
    if name and url:
        return f"{name} ({url})"
    return str(name or url or "not stated")


def _find_annotations(root: Path, split: str | None) -> Path:
    folder = root / "annotations"
    if split is not None:
        file = folder / f"instances_{split}.json"
        if not file.is_file():
            raise InputError(f"{file} is missing. Download COCO's annotations, or name the file with --annotations.")
        return file
    found = sorted(folder.glob("instances_*.json")) if folder.is_dir() else []
    if not found:
        raise InputError(
            f"{root} has no annotations/instances_*.json. Give COCO's folder with --root, "
            f"or the file with --annotations."
        )
    if len(found) > 1:
        names = ", ".join(file.stem.removeprefix("instances_") for file in found)
        raise InputError(f"{folder} holds several splits ({names}). Choose one with --split.")
    return found[0]


def _image_folder(root: Path, file: Path) -> Path:
    split = file.stem.removeprefix("instances_")
    for folder in (root / split, root / "images" / split):
        if folder.is_dir():
            return folder
    return root / "images" if (root / "images").is_dir() else root


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}.") from error
    wanted = ("images", "annotations", "categories")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in wanted):
        raise InputError(f"{file} is no COCO annotation: expected an object with the lists {', '.join(wanted)}.")
    sound = _objects(content["categories"])
    bad = [entry for entry in content["categories"] if entry not in sound or "name" not in entry]
    refuse([f"category {entry!r} has no id or no name" for entry in bad], f"{file} cannot be used:")
    return content
