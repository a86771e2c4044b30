"""What must stand on everything that shows numbers of the embedded weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["TOY_BOARD", "TOY_ENCODER", "is_toy", "stands_in", "toy_note"]

TOY_ENCODER = "Embedded toy encoder, not for publication."
TOY_BOARD = (
    "Toys trained by this project on drawn scenes; they show that the machinery works and say nothing about the models "
    "they stand in for."
)


def is_toy(protocol: str) -> bool:
    """Whether a protocol scores with the embedded encoder.

    Example:
        >>> is_toy("rses-mini"), is_toy("rses-mini+custom"), is_toy("rses-v1")
        (True, True, False)
    """
    return protocol.startswith("rses-mini")


def toy_note(protocol: str) -> str:
    """Return the note on numbers of the embedded encoder; empty for other protocols."""
    return TOY_ENCODER if is_toy(protocol) else ""


def stands_in(card: Mapping[str, Any]) -> bool:
    """Whether a method card is of embedded weights that stand in for a model.

    Example:
        >>> stands_in({"name": "sdedit-mini", "weights": "sd-mini"}), stands_in({"name": "sdedit", "weights": "a/b"})
        (True, False)
    """
    return any(part.endswith("-mini") for key in ("name", "weights") for part in str(card.get(key) or "").split())
