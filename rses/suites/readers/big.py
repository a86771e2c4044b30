"""BIG, the high-resolution set of CascadePSP: ``<name>_im.*`` beside ``<name>_gt.*``, one object per picture."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError, Problem
from rses.files.paths import id_problem
from rses.images.decode import IMAGE_EXTENSIONS, file_facts, image_size, turned_note
from rses.inputs.rows import read_rows
from rses.suites.left_out import as_left_out
from rses.suites.readers.labels import VOC_CLASSES
from rses.suites.readers.types import Instance, Picture


class BigReader:
    """Pictures of BIG.

    The files do not hold the class of the object: it is found in the file name, or in a table.

    Args:
        root: Folder with the pairs, or with ``val`` and ``test`` below it.
        split: Subfolder to read; all by default.
        classes: CSV file with the columns ``name`` (file name without ``_im`` and ending) and ``object``.

    Raises:
        InputError: There is no whole pair whose object has a name; lists all faults.
    """

    name = "big"

    def __init__(self, root: Path, split: str | None = None, classes: Path | None = None):
        self.root = root
        if split is not None and (fault := id_problem(split)):
            raise InputError(f'Split "{split}" {fault}.', code="bad-path")
        folders = [root / split] if split else [root, root / "val", root / "test"]
        named = _read_classes(classes) if classes is not None else {}
        self._files: dict[str, tuple[Path, Path, str]] = {}
        problems: list[str] = []
        for folder in folders:
            images, masks = _by_key(folder, "_im"), _by_key(folder, "_gt")
            for key in sorted({*images, *masks}):
                label = named.get(key) or _class_in(key)
                if problem := _pair_problem(key, images.get(key, []), masks.get(key, [])):
                    problems.append(problem)
                elif key in self._files:
                    problems.append(Problem(f'"{key}" is there twice', "used-twice"))
                elif label is None:
                    problems.append(
                        Problem(f'"{key}": no class in the name; give it in a table with --classes', "missing-key")
                    )
                else:
                    self._files[key] = (images[key][0], masks[key][0], label)
        if not self._files:
            problems = problems or [Problem(f"{root} holds no pairs *_im.* and *_gt.*", "missing-file")]
            raise InputError(problems, f"{root} cannot be used, {len(problems)} faults:")
        self.left_out = [as_left_out(InputError(problem), "pair", root) for problem in problems]

    def keys(self) -> list[str]:
        """Keys of all pictures."""
        return list(self._files)

    def read(self, key: str) -> Picture:
        """Read one picture; its mask is read on demand."""
        image, mask, label = self._files[key]
        (height, width), (rows, columns) = image_size(image), image_size(mask)
        # A mask may also be drawn on the photograph as it is stored; its size then tells so.
        if (rows, columns) not in ((height, width), file_facts(image).stored_size):
            note = turned_note(mask, (height, width))
            raise InputError(f"{mask} is {columns}x{rows}, its photograph {width}x{height}.{note}", code="wrong-size")
        instance = Instance("0", label, partial(_region, mask))
        return Picture(key, image, width, height, "not stated by the data set", (instance,))


def _region(mask: Path) -> NDArray[np.bool_]:
    # Only now, for it imports torch: a wrong folder is found at once.
    from rses.images.masks import read_mask

    return read_mask(mask)


def _by_key(folder: Path, ending: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.stem.endswith(ending) and path.suffix.lower() in IMAGE_EXTENSIONS:
            found.setdefault(path.stem.removesuffix(ending), []).append(path)
    return found


def _pair_problem(key: str, images: list[Path], masks: list[Path]) -> Problem | None:
    for files in (images, masks):
        if len(files) > 1:
            return Problem(f"{files[0]} and {files[1].name} are two files of one name; keep one", "ambiguous")
    if not masks:
        return Problem(f"{images[0]} has no mask {key}_gt.*", "missing-file")
    return None if images else Problem(f"{masks[0]} has no photograph {key}_im.*", "missing-file")


def _class_in(key: str) -> str | None:
    letters = re.sub(r"[^a-z]", "", key.lower())
    found = [label for label in VOC_CLASSES if label.replace(" ", "") in letters]
    return max(found, key=len) if found else None


def _read_classes(file: Path) -> dict[str, str]:
    rows = (row for _, row in read_rows(file, ("name", "object")))
    return {row["name"]: label for row in rows if (label := str(row["object"]).strip())}
