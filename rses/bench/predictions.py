"""Edits that were made elsewhere, read from a folder: the honest way to score a closed or licence-less method."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rses.errors import InputError, Place, Problem, did_you_mean
from rses.files.atomic import sha256_files
from rses.files.names import folded, listed
from rses.files.text import read_json
from rses.images.decode import read_image
from rses.inputs.card import card_problems
from rses.inputs.image_folder import ImageFolder, name_hint
from rses.methods import EditSample, MethodCard

__all__ = ["Predictions"]

CARD = "method.json"


class Predictions:
    """Reads ``<id>.png``, or another image file, from a folder; ``method.json`` in it may fill the card.

    Without ``"mask_used": false`` there, nobody says that the method did without the mask.

    Args:
        folder: Folder of edits, each at its source's size.

    Raises:
        InputError: No such folder, several files of one id, or a card that cannot be recorded.
    """

    defaults = MethodCard("predictions", "edits read from a folder")

    how = "pass the folder: --predictions DIR"

    def __init__(self, folder: str | Path | None = None):
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(f"There is no folder of predictions {self.folder}.", code="missing-file")
        self.card = self.defaults if self.folder is None else self._read_card(self.folder)
        # Known from the start, so that a finished run is not taken for one of files that changed since.
        self.loaded: dict[str, Any] = {}
        self.files: dict[str, Path] = {}
        if self.folder is not None:
            self._edits = _indexed(self.folder)
            self.files = self._edits.files
            own = sorted(self.files.values(), key=lambda path: folded(path.name))
            self.loaded["sha256"] = sha256_files(own, self.folder)

    def check_names(self, ids: Collection[str]) -> None:
        """Refuse a folder that holds no edit of any of ``ids``, before a run in which all of them would fail.

        Raises:
            InputError: Says how the files should be called.
        """
        if self.folder is None or any(name in self.files for name in ids):
            return
        strange = {name: path.name for name, path in self.files.items()}
        raise InputError(
            f"{self.folder} holds no edit of any of the {len(ids)} samples. Edits must be named <id>.png: "
            f"{listed([self._edits.shown(name) for name in sorted(ids)])}. {name_hint(strange, ids)}".rstrip(),
            code="unknown-samples",
            place=Place(str(self.folder)),
        )

    def load(self, device: str, dtype: str) -> None:  # noqa: ARG002
        """Refuse to go on without a folder."""
        if self.folder is None:
            raise InputError(f"{self.card.name}: {self.how}.", code="unsupported")

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        """Read each sample's file."""
        return [self._read(sample) for sample in batch]

    def _read(self, sample: EditSample) -> np.ndarray:
        assert self.folder is not None, "call load first"
        path = self.files.get(sample.id)
        if path is None:
            file = self.folder / self._edits.shown(sample.id)
            raise InputError(f"{file} is missing.", code="missing-file", place=Place(str(file)))
        return read_image(path)

    def _read_card(self, folder: Path) -> MethodCard:
        path = folder / CARD
        facts = {**self.defaults.to_dict(), "settings": {"folder": folder.name}}
        if facts["name"] == "predictions":
            facts["name"] = folder.resolve().name
        given = _read_object(path) if path.is_file() else {}
        fields = [field.name for field in dataclasses.fields(MethodCard)]
        problems = [
            Problem(f'There is no key "{key}".{did_you_mean(key, fields)}', "unknown-key", Place(str(path), field=key))
            for key in given
            if key not in fields
        ]
        problems += card_problems({**facts, **given}, Place(str(path)))
        if problems:
            where = path if path.is_file() else f"{folder}, which stands for its method.json"
            raise InputError(problems, f"{where} is not a method card, which may hold {', '.join(fields)}:")
        return MethodCard(**{**facts, **given})


def _read_object(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        kind = "null" if found is None else "a list" if isinstance(found, list) else f"the value {found!r:.60}"
        raise InputError(
            f'{path} holds {kind}, expected an object of facts, such as {{"name": "mine", "mask_used": false}}.',
            code="wrong-type", place=Place(str(path)),
        )  # fmt: skip
    return found


def _indexed(folder: Path) -> ImageFolder:
    problems: list[str] = []
    found = ImageFolder(folder, "edits", problems)
    if problems:
        raise InputError(problems, code="missing-file")
    return found
