"""The dataset card of a suite that is built: ``README.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.suites.format import METADATA
from rses.suites.left_out import LeftOut, left_out_lines

if TYPE_CHECKING:
    from rses.suites.entry import Entry, SuiteFacts

__all__ = ["card", "card_line"]


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
    """Return the text of the card.

    Args:
        facts: Name, licence and text of the suite.
        lines: Rows of the table, from `card_line`.
        rows: Rows of ``metadata.jsonl``.
        styles: Styles that every photograph gets; none where each has its own.
        left_out: What the build left out.
    """
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
{_section(left_out)}
Licence of the suite as a whole: {facts.licence}. Licences of the photographs are those that the source states:

| name | object | tags | licence | origin |
|---|---|---|---|---|
{chr(10).join(lines)}
"""


def _section(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return ""
    # As code, so that names of files cannot become links or HTML.
    lines = (line.partition(": ") for line in left_out_lines(left_out))
    listed = "\n".join(f"- {head}: `{names.replace('`', chr(39))}`" for head, _, names in lines)
    return f"\nWhat the build left out of the data set, and what is to be checked:\n\n{listed}\n"
