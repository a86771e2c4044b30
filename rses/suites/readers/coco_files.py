"""Where COCO's annotation file and its photographs lie, as the data set and labelling tools lay them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rses.errors import InputError

__all__ = ["find_annotations", "image_folders", "load_annotations"]

# Roboflow, Label Studio, labelme2coco, and what people call it themselves.
_NAMES = ("_annotations.coco.json", "result.json", "annotations.json", "coco.json")


def find_annotations(root: Path, split: str | None) -> Path:
    """Return the annotation file of a data set's folder.

    Args:
        root: The folder: COCO's and CVAT's ``annotations/instances_<split>.json``, Roboflow's
            ``<split>/_annotations.coco.json``, Label Studio's ``result.json``, labelme2coco's ``annotations.json``.
        split: Such as "val2017"; needed where there are several.

    Raises:
        InputError: There is none, or several.
    """
    folder = root / "annotations"
    if split is not None:
        places = [folder / f"instances_{split}.json", root / split / _NAMES[0], root / f"instances_{split}.json"]
        found = [place for place in places if place.is_file()]
        if not found:
            raise InputError(
                f"{places[0]} is missing. Download COCO's annotations, or name the file with --annotations."
            )
        return found[0]
    found = sorted(folder.glob("instances_*.json")) if folder.is_dir() else []
    found = found or sorted(root.glob("instances_*.json"))
    found = found or [root / name for name in _NAMES if (root / name).is_file()][:1]
    found = found or sorted(root.glob(f"*/{_NAMES[0]}"))
    if not found:
        raise InputError(
            f"{root} has no annotations/instances_*.json, {', '.join(_NAMES)}. Give COCO's folder with --root, "
            f"or the file with --annotations."
        )
    if len(found) > 1:
        names = ", ".join(_split_of(file) or file.name for file in found)
        raise InputError(f"{root} holds several splits ({names}). Choose one with --split.")
    return found[0]


def image_folders(root: Path, file: Path) -> list[Path]:
    """Return where the photographs of an annotation file may lie, the most probable folder first."""
    split = _split_of(file)
    named = [root / split, root / "images" / split] if split else []
    beside = [file.parent, file.parent / "images", file.parent.parent]
    return [
        *named,
        root / "images",
        root,
        *(place for place in beside if place.is_relative_to(root) or place == file.parent),
    ]


def load_annotations(file: Path) -> dict[str, Any]:
    """Read an annotation file.

    Raises:
        InputError: It cannot be read, or is no COCO annotation.
    """
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}.") from error
    wanted = ("images", "annotations", "categories")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in wanted):
        raise InputError(f"{file} is no COCO annotation: expected an object with the lists {', '.join(wanted)}.")
    return content


def _split_of(file: Path) -> str:
    """Return the part of the data set that a file describes, as its name or its folder says."""
    if file.name == _NAMES[0]:
        return file.parent.name
    return file.stem.removeprefix("instances_")
