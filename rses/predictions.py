"""Edits that were made elsewhere, read from a folder: the honest way to score a closed or licence-less method."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rses.errors import InputError
from rses.files import sha256_files
from rses.images import read_image
from rses.json_text import parse_json
from rses.methods import EditSample, MethodCard

__all__ = ["Predictions"]

CARD = "method.json"


class Predictions:
    """Reads ``<id>.png`` from a folder; ``method.json`` in it may fill the card.

    Without ``"mask_used": false`` there, nobody says that the method did without the mask.

    Args:
        folder: Folder of edits, each at its source's size.

    Raises:
        InputError: No such folder, or an unreadable card.
    """

    defaults = MethodCard("predictions", "edits read from a folder")

    how = "pass the folder: --predictions DIR"

    def __init__(self, folder: str | Path | None = None):
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(f"There is no folder of predictions {self.folder}.")
        self.card = self.defaults if self.folder is None else self._read_card(self.folder)
        # Known from the start, so that a finished run is not taken for one of files that changed since.
        self.loaded: dict[str, Any] = {}
        if self.folder is not None:
            self.loaded["sha256"] = sha256_files(sorted(self.folder.glob("*.png")), self.folder)

    def load(self, device: str, dtype: str) -> None:  # noqa: ARG002
        """Refuse to go on without a folder."""
        if self.folder is None:
            raise InputError(f"{self.card.name}: {self.how}.")

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        """Read each sample's file."""
        return [self._read(sample) for sample in batch]

    def _read(self, sample: EditSample) -> np.ndarray:
        assert self.folder is not None, "call load first"
        path = self.folder / f"{sample.id}.png"
        if not path.is_file():
            raise InputError(f"{path} is missing.")
        return read_image(path)

    def _read_card(self, folder: Path) -> MethodCard:
        path = folder / CARD
        facts = {**self.defaults.to_dict(), "settings": {"folder": folder.name}}
        if facts["name"] == "predictions":
            facts["name"] = folder.resolve().name
        if path.is_file():
            try:
                given = parse_json(path.read_bytes())
                return MethodCard(**{**facts, **given})
            except (ValueError, TypeError) as error:
                known = ", ".join(field.name for field in dataclasses.fields(MethodCard))
                raise InputError(f"{path} is not a method card: {error}. It may hold: {known}.") from error
        return MethodCard(**facts)
