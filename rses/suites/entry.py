"""What a suite is written from: one entry for each picture, and what the whole is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["TEMPLATE", "Entry", "SuiteFacts"]

TEMPLATE = "make the {object} in {style} style, keep other area unchanged"


@dataclass(frozen=True)
class Entry:
    """One picture with the region to edit; it gives one row for each style.

    Attributes:
        key: Name, fit for a file name and unique in the suite.
        image: The photograph.
        mask: Draws the region, booleans (height, width).
        object: What the region covers.
        dataset: Where it comes from.
        licence: Licence of the photograph.
        tags: Labels of it.
        origin: Address of the photograph.
        upright: The mask is known to be for the picture as its orientation tag shows it; otherwise its size tells.
        prompts: Prompt for a style, where the template is not to be used.
        style: Style of this picture alone; it then gives one row, named like it, whatever the suite's styles.
        extra: Further columns of its rows.
        alpha: Whether the photograph's alpha channel is the mask, and so says nothing about its colours.
        whole: Whether the region may be the whole picture, which no background metric can score.
    """

    key: str
    image: Path
    mask: Callable[[], NDArray[np.bool_]]
    object: str
    dataset: str
    licence: str
    tags: tuple[str, ...] = ()
    origin: str = ""
    upright: bool = False
    prompts: Mapping[str, str] = field(default_factory=dict)
    style: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    alpha: bool = False
    whole: bool = False


@dataclass(frozen=True)
class SuiteFacts:
    """What a suite is called and made with.

    Attributes:
        name: Short name.
        version: Its version.
        licence: Licence of the suite as a whole.
        about: Text of the dataset card between the heading and the table.
        template: Prompt with ``{object}`` and ``{style}``.
    """

    name: str
    version: str
    licence: str
    about: str
    template: str = TEMPLATE
