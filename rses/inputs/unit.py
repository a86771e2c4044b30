"""One sample to score; importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Unit"]


@dataclass(frozen=True)
class Unit:
    """One sample to score: images as paths or arrays, and what they are called.

    ``source_name`` tells the source apart from all others; by default it is the file's name.
    """

    id: str
    pred: Any
    mask: Any
    source: Any = None
    style: str | None = None
    prompt: str | None = None
    object: str | None = None
    dataset: str | None = None
    tags: tuple[str, ...] = ()
    source_name: str | None = None
