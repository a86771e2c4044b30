"""The paper's data format: one JSON list for all pairs, masks found by their names.

Each record has ``prompt``, ``image_path`` (the target), ``original_path`` (the source), ``mask_dir``, ``image_name``
and ``objects``, ``{object: style}``; its mask is ``<mask_dir>/mask_<image_name>_<object>.png``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rses.errors import InputError
from rses.files.text import parse_json

__all__ = ["manifest_rows"]

TEXTS = ("prompt", "image_path", "original_path", "mask_dir", "image_name")


def manifest_rows(path: Path, root: Path | None = None) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Read a manifest; what the fields hold is for :func:`regionroute.data.pairs.read_pairs` to check.

    Args:
        path: The JSON file.
        root: Folder that its paths are relative to; that of the file by default.

    Returns:
        For each usable record what messages call it, and the fields of a training pair; and the problems of the rest.

    Raises:
        InputError: The file cannot be read as a JSON list.
    """
    try:
        content = parse_json(path.read_bytes())
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(content, list):
        raise InputError(f"{path} must hold a list of records, found {type(content).__name__}.")
    rows: list[tuple[str, dict[str, Any]]] = []
    problems: list[str] = []
    for number, record in enumerate(content, 1):
        where = f"record {number}"
        if isinstance(record, dict) and isinstance(record.get("image_name"), str):
            where += f' ("{record["image_name"]}")'
        faults = _faults(record)
        if not faults:
            rows.append((where, _fields(record, path.parent if root is None else root)))
        problems += [f"{where}: {fault}" for fault in faults]
    return rows, problems


def _faults(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return [f"expected a JSON object, found {type(record).__name__}"]
    missing = [key for key in (*TEXTS, "objects") if key not in record]
    if missing:
        return [f"keys missing: {', '.join(missing)}"]
    faults = [f"{key} must be a text, found {record[key]!r}" for key in TEXTS if not isinstance(record[key], str)]
    objects = record["objects"]
    if not isinstance(objects, dict) or not all(isinstance(style, str) for style in objects.values()):
        faults.append(f'objects must be like {{"cat": "pixel-art"}}, found {objects!r}')
    elif len(objects) != 1:
        named = f"{len(objects)} objects ({', '.join(objects)})" if objects else "no object"
        faults.append(f"names {named}, expected exactly one. Give each object a record of its own")
    if faults:
        return faults
    places = {key: record[key] for key in ("image_path", "original_path")}
    places["mask"] = _mask_names(record)[0]
    return [f'{key} "{place}" {fault}' for key, place in places.items() if (fault := _place_fault(place))]


def _place_fault(text: str) -> str | None:
    # Manifests are passed around, so they must not reach outside their folder.
    if not text.strip() or "\\" in text or any(ord(char) < 32 for char in text):
        return "must be a path written with /"
    if PurePosixPath(text).is_absolute() or re.match("[A-Za-z]:", text) or ".." in PurePosixPath(text).parts:
        return "must be relative to the data folder and stay inside it"
    return None


def _mask_names(record: Mapping[str, Any]) -> list[str]:
    """Object names with spaces have underscores in the file names of TokenCompose, whose masks the paper uses."""
    thing = next(iter(record["objects"]))
    folder, stem = PurePosixPath(record["mask_dir"]), f"mask_{record['image_name']}_"
    names = dict.fromkeys((thing, thing.replace(" ", "_")))
    return [str(folder / f"{stem}{name}.png") for name in names]


def _fields(record: Mapping[str, Any], root: Path) -> dict[str, Any]:
    thing, style = next(iter(record["objects"].items()))
    masks = [root / name for name in _mask_names(record)]
    return {
        # One picture may come in several styles and with several objects.
        "id": "-".join(re.sub(r"[\s_]+", "-", part.strip()) for part in (record["image_name"], thing, style.lower())),
        "source": root / record["original_path"],
        "target": root / record["image_path"],
        "mask": next((mask for mask in masks if mask.is_file()), masks[-1]),
        "object": thing,
        "style": style,
        "prompt": record["prompt"],
    }
