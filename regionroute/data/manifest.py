"""The paper's data format: one JSON list for all pairs, masks found by their names.

Each record has ``prompt``, ``image_path`` (the target), ``original_path`` (the source), ``mask_dir``, ``image_name``
and ``objects``, ``{object: style}``; its mask is ``<mask_dir>/mask_<image_name>_<object>.png``.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, model_validator

from rses.errors import InputError, Place, Problem
from rses.files.paths import path_problem
from rses.files.text import parse_json
from rses.schema import Record, check, fault


def _inside(text: str) -> str:
    # Manifests are passed around, so they must not reach outside their folder.
    if problem := path_problem(None, PurePosixPath(text).as_posix()):
        raise fault("bad-path", f'"{text[:80]}" {problem}. It must be relative to the data folder and stay inside it')
    return text


Inside = Annotated[str, AfterValidator(_inside)]


class Entry(Record, extra="ignore"):
    """A record of the list."""

    prompt: str
    image_path: Inside
    original_path: Inside
    mask_dir: str
    image_name: str
    objects: dict[str, str]

    @model_validator(mode="after")
    def _one_mask(self) -> Entry:
        if len(self.objects) != 1:
            named = f"{len(self.objects)} objects ({', '.join(self.objects)})" if self.objects else "no object"
            raise fault("ambiguous", f"names {named}, expected exactly one. Give each object a record of its own")
        _inside(self.masks[0])
        return self

    @property
    def masks(self) -> list[str]:
        """Where the mask may be: TokenCompose, whose masks the paper uses, writes underscores for spaces."""
        (thing,) = self.objects
        folder, stem = PurePosixPath(self.mask_dir), f"mask_{self.image_name}_"
        return [str(folder / f"{stem}{name}.png") for name in dict.fromkeys((thing, thing.replace(" ", "_")))]


def manifest_rows(path: Path, root: Path | None = None) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    """Read a manifest; what the fields hold is for :func:`regionroute.data.pairs.read_pairs` to check.

    Returns:
        For each usable record what messages call it, and the fields of a training pair; and the problems of the rest.
    """
    try:
        content = parse_json(path.read_bytes())
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}.", code="not-json", place=Place(str(path))) from error
    if not isinstance(content, list):
        raise InputError(
            f"{path} must hold a list of records, found {type(content).__name__}.",
            code="wrong-type",
            place=Place(str(path)),
        )
    rows: list[tuple[str, dict[str, Any]]] = []
    problems: list[Problem] = []
    for number, record in enumerate(content, 1):
        where = f"record {number}"
        if isinstance(record, dict) and isinstance(record.get("image_name"), str):
            where += f' ("{record["image_name"]}")'
        try:
            rows.append((where, _fields(check(Entry, record), path.parent if root is None else root)))
        except InputError as error:
            problems += [problem.within(where) for problem in error.problems]
    return rows, problems


def _fields(entry: Entry, root: Path) -> dict[str, Any]:
    ((thing, style),) = entry.objects.items()
    masks = [root / name for name in entry.masks]
    return {
        # One picture may come in several styles and with several objects.
        "id": "-".join(re.sub(r"[\s_]+", "-", part.strip()) for part in (entry.image_name, thing, style.lower())),
        "source": root / entry.original_path,
        "target": root / entry.image_path,
        "mask": next((mask for mask in masks if mask.is_file()), masks[-1]),
        "object": thing,
        "style": style,
        "prompt": entry.prompt,
    }
