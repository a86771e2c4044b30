"""Suites of one's own photographs: with masks, boxes, outlines, or an alpha channel."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rses.errors import InputError
from rses.suites.format import Suite, read_suite
from rses.suites.readers.types import refuse
from rses.suites.region_list import PHOTOGRAPHS, doubles, outline_of, rows_by_file
from rses.suites.shapes import draw_polygons
from rses.suites.writing import TEMPLATE, Entry, SuiteFacts, write_suite

__all__ = ["build_folder"]

_Region = Callable[[], NDArray[np.bool_]]


def build_folder(
    images: Path,
    out: Path,
    styles: Sequence[str],
    *,
    masks: Path | None = None,
    regions: Path | None = None,
    alpha: bool = False,
    thing: str | None = None,
    objects: Path | None = None,
    template: str = TEMPLATE,
    licence: str = "not stated",
    name: str = "folder",
) -> Suite:
    """Build a suite of a folder of photographs. Exactly one source of regions is to be given.

    Args:
        images: The photographs; turned as their orientation tag says.
        out: A folder that does not exist yet or is empty.
        styles: Styles, each of which every picture gets.
        masks: Folder of masks named like the photographs; the region is where they are above one half;
            those that hold 0 and 1 only are read as such.
        regions: CSV or JSON list with ``file_name`` and either ``x``, ``y``, ``width``, ``height`` of a box or, in
            JSON, ``points``, an outline ``[x0, y0, x1, y1, ...]``; in pixels of the upright picture. ``object`` may be
            added.
        alpha: The photographs' alpha channel is the mask.
        thing: What the regions cover.
        objects: CSV with ``file_name`` and ``object``, where they differ.
        template: Prompt with ``{object}`` and ``{style}``.
        licence: Licence of the photographs.
        name: Name of the suite.

    Raises:
        InputError: Photographs, regions or names are missing or unsound; lists all. Nothing is written then.
    """
    _require_template(template)
    if sum((masks is not None, regions is not None, alpha)) != 1:
        raise InputError("Give exactly one of --masks, --regions and --alpha.")
    paths = _photographs(images)
    rows = {} if regions is None else rows_by_file(regions, images)
    named = {} if objects is None else rows_by_file(objects, images)
    entries, problems = [], []
    for path in paths:
        row = rows.get(path.name, {})
        label = str(named.get(path.name, {}).get("object") or row.get("object") or thing or "").strip()
        if not label:
            problems.append(f"{path.name}: nothing says what its region covers; use --object or --objects")
        try:
            region = _region(path, masks, rows, alpha)
        except InputError as error:
            problems += error.problems
            continue
        entries.append(Entry(path.stem, path, region, label, name, licence, upright=True, alpha=alpha))
    problems += doubles(paths)
    refuse(problems, f"No suite was written, {len(problems)} faults:")
    about = "Photographs of a folder, with the regions that came with them."
    write_suite(entries, styles, out.expanduser(), SuiteFacts(name, "1", licence, about, template))
    return read_suite(out.expanduser())


def _require_template(template: str) -> None:
    try:
        found = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise InputError(f'The template "{template}" is not sound: {error}.') from error
    if found != {"object", "style"}:
        raise InputError(f'The template must hold {{object}} and {{style}} and no other field, found "{template}".')


def _photographs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder of photographs with --images.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PHOTOGRAPHS)
    if not paths:
        raise InputError(f"{folder} holds no photographs ({', '.join(sorted(PHOTOGRAPHS))}).")
    return paths


def _region(path: Path, masks: Path | None, rows: Mapping[str, Mapping[str, Any]], alpha: bool) -> _Region:
    if path.is_symlink():
        raise InputError(f"{path.name}: is a symbolic link; put the file itself there")
    try:
        with Image.open(path) as picture:
            width, height = ImageOps.exif_transpose(picture).size
            bands = picture.getbands()
    except (OSError, Image.DecompressionBombError) as error:
        raise InputError(f"{path.name}: not a readable image ({error})") from error
    if alpha:
        if "A" not in bands:
            raise InputError(f"{path.name}: has no alpha channel")
        return partial(_alpha, path)
    if masks is not None:
        return partial(_above_half, _mask_file(masks, path))
    if path.name not in rows:
        raise InputError(f"{path.name}: has no row in --regions")
    return partial(draw_polygons, [outline_of(rows[path.name], path.name, width, height)], width, height)


def _mask_file(folder: Path, image: Path) -> Path:
    for place in (folder / f"{image.stem}.png", folder / image.name):
        if place.is_symlink():
            raise InputError(f"{place.name}: the mask is a symbolic link; put the file itself there")
        if place.is_file():
            return place
    raise InputError(f"{image.name}: has no mask {image.stem}.png in {folder}")


def _above_half(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as picture:
        values = np.asarray(picture.convert("L"))
    # Some tools write 0 and 1 instead of 0 and 255.
    inside: NDArray[np.bool_] = values > (0 if values.max() == 1 else 127)
    return inside


def _alpha(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).getchannel("A")) > 127
