"""PIE-Bench and BrushBench: pictures, and a ``mapping_file.json`` with prompts and masks as (start, length) pairs.

Both masks are for 512x512 pixels and count along the rows; PIE-Bench counts pixels from 0, BrushBench from 1. Their
scripts make arrays of 0 and 1 of them; a suite stores 0 and 255.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError, Place
from rses.files.atomic import sha256_file
from rses.files.paths import id_problem
from rses.suites.entry import Entry
from rses.suites.left_out import LeftOut, UnusableError, left_out_lines
from rses.suites.readers.files import FileFinder, name_problem, read_annotation
from rses.suites.shapes import starts_and_ends, unfold_starts

SIDE = 512
PIE_TYPES = (
    "random", "change_object", "add_object", "delete_object", "change_attribute_content", "change_attribute_pose",
    "change_attribute_color", "change_attribute_material", "change_background", "change_style",
)  # fmt: skip
"""Names of PIE-Bench's editing types, by ``editing_type_id``."""


class MappingReader:
    """What both data sets have in common."""

    name = ""
    base = 0
    path_key = ""
    texts: tuple[str, ...] = ()
    """Entries that must be texts; the first of them must hold one."""

    def __init__(self, folder: Path, mapping: Path, mask_key: str, as_published: bool):
        self.mask_key, self.as_published = mask_key, as_published
        entries = read_annotation(mapping, "Give the data set's folder with --root, or the file with --mapping.")
        if not isinstance(entries, dict) or not entries:
            raise InputError(
                f"{mapping} is no mapping file: expected an object with one entry per picture.",
                code="wrong-content",
                place=Place(str(mapping)),
            )
        self.mapping_sha256 = sha256_file(mapping)
        self._finder = FileFinder([folder])
        self._paths: dict[str, Path] = {}
        self._entries: dict[str, Any] = {}
        self.left_out: list[LeftOut] = []
        for key, entry in entries.items():
            try:
                self._paths[key] = self._checked(key, entry)
                self._entries[key] = entry
            except UnusableError as error:
                self.left_out.append(error.left_out)
        if not self._entries:
            raise InputError(
                left_out_lines(self.left_out), f"{mapping}: none of its entries can be used:", code="empty"
            )

    def keys(self) -> list[str]:
        """Keys of all entries, in the order of the mapping file."""
        return list(self._entries)

    def mask(self, key: str) -> NDArray[np.bool_]:
        """Draw the mask of an entry, booleans (512, 512)."""
        return unfold_starts(self._entries[key][self.mask_key], SIDE, SIDE, self.base, self.as_published)

    def read(self, key: str) -> Entry:
        """Read one entry; its mask is drawn on demand."""
        return Entry(
            key=key, image=self._paths[key], mask=partial(self.mask, key), dataset=self.name,
            licence="as the terms of the data set say", whole=self.as_published, **self._words(self._entries[key]),
        )  # fmt: skip

    def _words(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return object, style, prompt, tags and further texts of an entry."""
        raise NotImplementedError

    def _checked(self, key: str, entry: Any) -> Path:
        """Return the picture of an entry, or say what is wrong with the entry."""
        name = f'entry "{key}"'
        if faults := self._faults(key, entry):
            raise UnusableError("entry", name, "; ".join(faults))
        named = str(entry[self.path_key])
        path = self._finder.exact(named) or self._finder.similar(named)
        if path is None:
            raise UnusableError("photograph-absent", name, f"{self.path_key} {named}")
        return path

    def _faults(self, key: str, entry: Any) -> list[str]:
        if not isinstance(entry, dict):
            return [f"expected an object, found {type(entry).__name__}"]
        faults = [f"its key {fault}"] if (fault := id_problem(key)) else []
        faults += [f"{name} must be a text, found {entry.get(name)!r}" for name in self.texts
                   if not isinstance(entry.get(name), str) or name_problem(" ".join(entry[name].split()))]  # fmt: skip
        if not faults and not _plain(entry[self.texts[0]]):
            faults.append(f"{self.texts[0]} is empty")
        path = entry.get(self.path_key)
        if not isinstance(path, str) or not path:
            faults.append(f"{self.path_key} must be a non-empty text, found {path!r}")
        elif fault := name_problem(path):
            faults.append(f'{self.path_key} "{path}" {fault}')
        if self.mask_key not in entry:
            return [*faults, f"it has no {self.mask_key}"]
        try:
            starts, ends = starts_and_ends(entry[self.mask_key], SIDE * SIDE, self.base, self.as_published)
        except ValueError as error:
            return [*faults, f"{self.mask_key}: {error}"]
        if not (ends > starts).any() and not self._marks_by_itself():
            faults.append(f"{self.mask_key} marks no pixel")
        return faults

    def _marks_by_itself(self) -> bool:
        """Whether a mask marks pixels that its coding does not name."""
        return False


class PieReader(MappingReader):
    """PIE-Bench: ``annotation_images/`` and ``mapping_file.json``.

    The prompt is ``editing_prompt`` without its brackets, as PIE-Bench scores it. The style is what the brackets hold,
    or the whole prompt; the object is the first word of ``blended_word``, or what the brackets of
    ``original_prompt`` hold.

    Args:
        root: Folder with both.
        mapping: The mapping file, where it is elsewhere.
        types: Editing types to read, such as {"9"}; all by default.
        instructions: Make ``editing_instruction`` the prompt, for methods that follow instructions.
        as_published: Read masks as PIE-Bench's script does: runs that pass the last pixel are cut, and the outermost
            ring of pixels is part of every mask. The protocol ``pie-bench`` adds the ring by itself.
    """

    name = "pie-bench"
    path_key = "image_path"
    texts = ("editing_prompt", "original_prompt", "editing_instruction", "editing_type_id", "blended_word")

    def __init__(
        self,
        root: Path,
        mapping: Path | None = None,
        types: frozenset[str] = frozenset(),
        instructions: bool = False,
        as_published: bool = False,
    ):
        known = {str(number) for number in range(len(PIE_TYPES))}
        if not types <= known:
            raise InputError(
                f"Editing types are 0 to 9, found {', '.join(sorted(types - known))}.", code="unknown-value"
            )
        self._types, self._instructions = types, instructions
        folder = root / "annotation_images" if (root / "annotation_images").is_dir() else root
        super().__init__(folder, mapping or root / "mapping_file.json", "mask", as_published)

    def keys(self) -> list[str]:
        """Keys of the entries of the wanted types."""
        entries = self._entries.items()
        return [key for key, entry in entries if not self._types or entry["editing_type_id"] in self._types]

    def mask(self, key: str) -> NDArray[np.bool_]:
        """Draw the mask of an entry, booleans (512, 512)."""
        mask = super().mask(key)
        if self.as_published:
            mask[[0, -1]] = True
            mask[:, [0, -1]] = True
        return mask

    def _words(self, entry: dict[str, Any]) -> dict[str, Any]:
        before, after = _plain(entry["original_prompt"]), _plain(entry["editing_prompt"])
        words = entry["blended_word"].split()
        number = entry["editing_type_id"]
        kind = PIE_TYPES[int(number)] if number.isdecimal() and int(number) < len(PIE_TYPES) else f"type {number}"
        # Such as 1_change_object_80/1_artificial/1_animal/111000000000.jpg.
        parts = [re.sub(r"^\d+_", "", part) for part in Path(entry["image_path"]).parts[1:-1]]
        instruction = entry["editing_instruction"].strip()
        return {
            "object": words[0] if words else _bracketed(entry["original_prompt"]) or "region",
            "style": _bracketed(entry["editing_prompt"]) or after,
            "prompt": (instruction or after) if self._instructions else after,
            "tags": (kind, *parts),
            "extra": {"source_prompt": before, "instruction": instruction},
        }

    def _marks_by_itself(self) -> bool:
        return self.as_published


class BrushReader(MappingReader):
    """BrushBench: ``images/`` and ``mapping_file.json``. Prompt and style are the caption; no object is named."""

    name = "brushbench"
    base = 1
    path_key = "image"
    texts = ("caption",)

    def __init__(
        self,
        root: Path,
        mapping: Path | None = None,
        mask_key: str = "inpainting_mask",
        as_published: bool = False,
    ):
        super().__init__(root, mapping or root / "mapping_file.json", mask_key, as_published)

    def _words(self, entry: dict[str, Any]) -> dict[str, Any]:
        caption = entry["caption"].strip()
        return {"object": "region", "style": caption, "prompt": caption, "tags": (self.mask_key,)}


def _plain(prompt: str) -> str:
    return prompt.replace("[", "").replace("]", "").strip()


def _bracketed(prompt: str) -> str:
    return " ".join(part.strip() for part in re.findall(r"\[([^\[\]]*)\]", prompt) if part.strip())
