"""BIG, the high-resolution set of CascadePSP: ``<name>_im.*`` beside ``<name>_gt.*``, one object a picture."""

from __future__ import annotations

import csv
import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError
from rses.suites.paths import id_problem
from rses.suites.readers.types import Instance, Picture, refuse
from rses.suites.readers.voc import VOC_CLASSES

__all__ = ["BigReader"]


class BigReader:
    """Pictures of BIG.

    The files do not hold the class of the object: it is found in the file name, or in a table.

    Args:
        root: Folder with the pairs, or with ``val`` and ``test`` below it.
        split: Subfolder to read; all by default.
        classes: CSV file with the columns ``name`` (file name without ``_im`` and ending) and ``object``.

    Raises:
        InputError: Pairs are incomplete or objects have no name; lists all.
    """

    name = "big"

    def __init__(self, root: Path, split: str | None = None, classes: Path | None = None):
        if split is not None and (fault := id_problem(split)):
            raise InputError(f'Split "{split}" {fault}.')
        folders = [root / split] if split else [root, root / "val", root / "test"]
        folders = [folder for folder in folders if folder.is_dir()]
        named = _read_classes(classes) if classes is not None else {}
        self._files: dict[str, tuple[Path, Path, str]] = {}
        problems: list[str] = []
        for folder in folders:
            images, masks = _pairs(folder, "_im"), _pairs(folder, "_gt")
            problems += [f"{images[key]} has no mask {key}_gt.*" for key in sorted(set(images) - set(masks))]
            problems += [f"{masks[key]} has no photograph {key}_im.*" for key in sorted(set(masks) - set(images))]
            for key in sorted(set(images) & set(masks)):
                label = named.get(key) or _class_in(key)
                problems += [f"{path} is a symbolic link" for path in (images[key], masks[key]) if path.is_symlink()]
                if key in self._files:
                    problems.append(f'"{key}" is there twice')
                if not label:
                    problems.append(f'"{key}": no class in the name; give it in a table with --classes')
                self._files[key] = (images[key], masks[key], label or "")
        if not self._files and not problems:
            problems.append(f"{root} holds no pairs *_im.* and *_gt.*")
        refuse(problems, f"{root} cannot be used, {len(problems)} faults:")

    def keys(self) -> list[str]:
        """Keys of all pictures."""
        return list(self._files)

    def read(self, key: str) -> Picture:
        """Read one picture; its mask is read on demand."""
        image, mask, label = self._files[key]
        sizes = []
        for path in (image, mask):
            try:
                with Image.open(path) as picture:
                    sizes.append(picture.size)
            except OSError as error:
                raise InputError(f"{path} is not a readable image: {error}.") from error
        if sizes[0] != sizes[1]:
            raise InputError(f"{mask} is {sizes[1][0]}x{sizes[1][1]}, its photograph {sizes[0][0]}x{sizes[0][1]}.")
        instance = Instance("0", label, partial(_region, mask))
        return Picture(key, image, sizes[0][0], sizes[0][1], "not stated by the data set", (instance,))


def _region(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L")) > 127


def _pairs(folder: Path, ending: str) -> dict[str, Path]:
    files = sorted(path for path in folder.iterdir() if path.stem.endswith(ending))
    return {path.stem.removesuffix(ending): path for path in files}


def _class_in(key: str) -> str | None:
    letters = re.sub(r"[^a-z]", "", key.lower())
    found = [label for label in VOC_CLASSES if label.replace(" ", "") in letters]
    return max(found, key=len) if found else None


def _read_classes(file: Path) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}.") from error
    if not rows or not {"name", "object"} <= set(rows[0]):
        raise InputError(f"{file} must be a CSV file with the columns name and object.")
    return {row["name"]: row["object"].strip() for row in rows}
