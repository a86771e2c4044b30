"""The rows of a study: one a configuration, seed and sample."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rses.files.atomic import write_atomic
from rses.files.text import parse_json

__all__ = ["StudyRows", "load_rows", "read_rows", "save_rows"]

StudyRows = dict[tuple[str, int], list[dict[str, Any]]]
"""Rows of every (configuration, seed)."""


def read_rows(out: Path) -> StudyRows:
    """Return the rows of all that is finished in the folder of a study."""
    found = {}
    for path in sorted(out.glob("*/seed-*/rows.json")):
        key = (path.parent.parent.name, int(path.parent.name.removeprefix("seed-")))
        found[key] = parse_json(path.read_bytes())
    return found


def save_rows(rows: StudyRows, path: Path) -> None:
    """Write all rows as parquet."""
    import pandas as pd

    flat = [{"configuration": name, "seed": seed, **row} for (name, seed), own in sorted(rows.items()) for row in own]
    stream = io.BytesIO()
    pd.DataFrame(flat).to_parquet(stream, index=False)
    write_atomic(path, stream.getvalue())


def load_rows(path: Path) -> StudyRows:
    """Return what :func:`save_rows` wrote."""
    import pandas as pd

    found: StudyRows = {}
    frame = pd.read_parquet(path).astype(object)
    # What nobody measured is None, as in the JSON, and not a number that is none.
    for row in frame.where(frame.notna(), None).to_dict("records"):
        found.setdefault((row.pop("configuration"), row.pop("seed")), []).append(row)
    return found
