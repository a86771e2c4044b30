"""What every reader of a data set gives: pictures, and the things annotated in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rses.suites.left_out import LeftOut


@dataclass(frozen=True)
class Instance:
    """One annotated thing.

    Attributes:
        key: Name of it, unique in its picture and the same wherever the data set is read.
        label: Class name in plain words.
        mask: Draws its region, booleans (height, width).
        crowd: The annotation covers a group, not one thing.
        truncated: Whether it reaches out of the picture, or None where the data set does not say.
        occluded: Whether something hides part of it, or None where the data set does not say.
        difficult: The annotators marked it as hard to recognise.
    """

    key: str
    label: str
    mask: Callable[[], NDArray[np.bool_]]
    crowd: bool = False
    truncated: bool | None = None
    occluded: bool | None = None
    difficult: bool = False


@dataclass(frozen=True)
class Picture:
    """One photograph.

    Attributes:
        key: Name, unique in the data set and fit for a file name.
        path: The file.
        width: Width in pixels.
        height: Height in pixels.
        licence: Licence of the photograph as the data set states it.
        instances: What is annotated in it.
        origin: Address of the photograph, where the data set names it.
        unread: Labels of further things in it whose regions cannot be read; an object is not the only one of its
            label beside them.
        left_out: What else of it is left out, and what had to be assumed about it.
    """

    key: str
    path: Path
    width: int
    height: int
    licence: str
    instances: tuple[Instance, ...]
    origin: str = ""
    unread: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class Reader(Protocol):
    """Reads one data set, a picture at a time."""

    name: str
    root: Path
    left_out: list[LeftOut]

    def keys(self) -> list[str]:
        """Keys of all pictures."""

    def read(self, key: str) -> Picture:
        """Read one picture's annotation; raises UnusableError where it is to be left out, DataSetError to stop."""
