"""What an editing method is to this package, and how methods are found.

A method is found by its entry point in the group ``rses.methods`` (so any installed package can bring one) or by
``package.module:Class``.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rses.errors import RsesError, did_you_mean

__all__ = ["EditSample", "Method", "MethodCard", "get_method", "method_names", "sample_seed"]

GROUP = "rses.methods"


@dataclass(frozen=True)
class MethodCard:
    """The facts about a method that a table must show.

    Attributes:
        name: Short name, as in the entry point.
        title: One line.
        mask_used: Whether the method sees the mask at inference.
        paper: Citation or URL.
        year: Year of the paper.
        weights: Id of the weights, or "none".
        revision: Revision of the weights.
        licence: Licence of the weights.
        reference: True for rows that bound the scale rather than compete.
        settings: Everything else that determines the images.
    """

    name: str
    title: str
    mask_used: bool
    paper: str = ""
    year: int | None = None
    weights: str = "none"
    revision: str = ""
    licence: str = ""
    reference: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as a JSON-ready dictionary."""
        return asdict(self)


@dataclass(frozen=True)
class EditSample:
    """One edit to make.

    Attributes:
        id: Sample id.
        image: Source (H, W, 3) uint8.
        object: What to restyle.
        style: Target style text.
        prompt: The whole instruction.
        seed: Seed of this sample; depends on the base seed and the id alone.
        mask: (H, W) bool, true = region to edit; ``None`` unless the card says ``mask_used``.
    """

    id: str
    image: np.ndarray
    object: str
    style: str
    prompt: str
    seed: int
    mask: np.ndarray | None = None


@runtime_checkable
class Method(Protocol):
    """An image editing method."""

    card: MethodCard

    def load(self, device: str, dtype: str) -> None:
        """Load weights; called once before the first edit."""
        ...

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        """Return one edited image (H, W, 3) uint8 a sample, at its source's size."""
        ...


def sample_seed(base: int, sample_id: str) -> int:
    """Return the seed of one sample, in [0, 2**32), independent of order and batch.

    Example:
        >>> sample_seed(0, "cat") == sample_seed(0, "cat") != sample_seed(1, "cat")
        True
    """
    digest = hashlib.sha256(f"{base}:{sample_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def method_names() -> list[str]:
    """Return the names of all installed methods, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def get_method(name: str) -> Method:
    """Build a method by entry-point name or ``package.module:Class``.

    Raises:
        RsesError: Unknown name, or the object is not a method.
    """
    target = _import(name) if ":" in name else _entry_point(name)
    method = target() if callable(target) else target
    if not isinstance(method, Method):
        raise RsesError(
            f'"{name}" is not a method: it must have a `card`, `load(device, dtype)` and `edit(batch)`. '
            "See rses.methods.Method."
        )
    return method


def _entry_point(name: str) -> Any:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise RsesError(
            f'There is no method "{name}".{did_you_mean(name, found)} '
            "List the installed ones with `rses methods`, or give package.module:Class."
        )
    return found[name].load()


def _import(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RsesError(f'Cannot import the method "{name}": {error}.') from error
