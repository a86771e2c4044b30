"""What a suite is written from, one entry per picture, and the dataset card that lists them: ``README.md``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.suites.format import METADATA
from rses.suites.left_out import LeftOut, left_out_lines

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
        prompt: Prompt, where the template is not to be used.
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
    prompt: str | None = None
    style: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    alpha: bool = False
    whole: bool = False


@dataclass(frozen=True)
class SuiteFacts:
    """What a suite is called and made with."""

    name: str
    version: str
    licence: str
    about: str
    template: str = TEMPLATE


def card_line(entry: Entry) -> str:
    """Return the row of the card's table for one photograph."""
    cells = (entry.key, entry.object, ", ".join(entry.tags), entry.licence, entry.origin)
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def card(
    facts: SuiteFacts,
    lines: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    styles: Sequence[str],
    left_out: Sequence[LeftOut] = (),
) -> str:
    """Return the text of the card."""
    endings = sorted({Path(str(row["file_name"])).suffix for row in rows})
    files = [METADATA, *(f"images/*{ending}" for ending in endings), "masks/*.png"]
    paths = "\n".join(f"    - {path}" for path in files)
    counts = (
        f"{len(lines)} photographs, one object each, {len(styles)} styles ({', '.join(styles)}): {len(rows)} samples. "
        "Rows of one\nphotograph share its image and its mask, so they are not independent: resample photographs for "
        "intervals."
        if styles
        else f"{len(rows)} samples, each with a prompt of its own."
    )
    return f"""---
license: other
license_name: see-the-table
license_link: README.md
pretty_name: {json.dumps(facts.name)}
task_categories:
- image-to-image
tags:
- image-editing
- style-transfer
- benchmark
configs:
- config_name: default
  drop_labels: true
  data_files:
  - split: test
    path:
{paths}
---
# {facts.name}

{facts.about}

{counts}
{_left_out_section(left_out)}
Licence of the suite as a whole: {facts.licence}. Licences of the photographs are those that the source states:

| name | object | tags | licence | origin |
|---|---|---|---|---|
{chr(10).join(lines)}
"""


def _left_out_section(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return ""
    # As code, so that names of files cannot become links or HTML.
    lines = (line.partition(": ") for line in left_out_lines(left_out))
    listed = "\n".join(f"- {head}: `{names.replace('`', chr(39))}`" for head, _, names in lines)
    return f"\nWhat the build left out of the data set, and what is to be checked:\n\n{listed}\n"
