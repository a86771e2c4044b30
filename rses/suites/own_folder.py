"""Suites of one's own photographs: with masks, boxes, outlines, or an alpha channel."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError
from rses.files.escape import clean
from rses.images.decode import image_size, turned_note
from rses.suites.entry import TEMPLATE, Entry, SuiteFacts
from rses.suites.format import Suite, read_suite
from rses.suites.photographs import Photographs, find_photographs, left_out_lines, masks_by_name
from rses.suites.readers.types import refuse
from rses.suites.region_list import doubles, outline_of, rows_by_file
from rses.suites.shapes import draw_polygons
from rses.suites.writing import write_suite

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
    warn: Callable[[str], None] | None = None,
) -> Suite:
    """Build a suite of a folder of photographs. Exactly one source of regions is to be given.

    Args:
        images: The photographs; turned as their orientation tag says. Links are followed.
        out: A folder that does not exist yet or is empty.
        styles: Styles, each of which every picture gets.
        masks: Folder of masks named like the photographs and for them as they are shown, upright; read as the
            scorer reads them, see :func:`rses.images.masks.read_mask`.
        regions: CSV or JSON list with ``file_name`` and either ``x``, ``y``, ``width``, ``height`` of a box or, in
            JSON, ``points``, an outline ``[x0, y0, x1, y1, ...]``; in pixels of the upright picture. ``object`` may be
            added.
        alpha: The photographs' alpha channel is the mask; opaque is the region.
        thing: What the regions cover.
        objects: CSV with ``file_name`` and ``object``, where they differ.
        template: Prompt with ``{object}`` and ``{style}``.
        licence: Licence of the photographs.
        name: Name of the suite.
        warn: Called with a line for each reason for which files were left out.

    Raises:
        InputError: Photographs, regions or names are missing or unsound; lists all. Nothing is written then.
    """
    _require_template(template)
    if sum((masks is not None, regions is not None, alpha)) != 1:
        raise InputError("Give exactly one of --masks, --regions and --alpha.")
    found = _photographs(images)
    paths = found.paths
    rows = {} if regions is None else rows_by_file(regions, images)
    named = {} if objects is None else rows_by_file(objects, images)
    entries, problems = [], doubles(paths)
    placed: dict[str, Path] = {}
    if masks is not None:
        placed, double = masks_by_name(masks)
        problems += double
    for path in paths:
        row = rows.get(path.name, {})
        label = str(named.get(path.name, {}).get("object") or row.get("object") or thing or "").strip()
        if not label:
            problems.append(f"{path.name}: nothing says what its region covers; use --object or --objects")
        try:
            region = _region(path, masks, placed, rows, alpha)
        except InputError as error:
            problems += error.problems
            continue
        entries.append(Entry(path.stem, path, region, label, name, licence, upright=True, alpha=alpha))
    refuse(problems, f"No suite was written, {len(problems)} faults:")
    lines = _left_out(found, placed)
    about = "\n\n".join(["Photographs of a folder, with the regions that came with them.", *map(clean, lines)])
    write_suite(entries, styles, out.expanduser(), SuiteFacts(name, "1", licence, about, template))
    if warn is not None:
        for line in lines:
            warn(line)
    return read_suite(out.expanduser())


def _left_out(found: Photographs, masks: Mapping[str, Path]) -> list[str]:
    """Name the files that have no part in the suite, one line per reason."""
    used = {unicodedata.normalize("NFC", Path(name).stem) for name in [*found.left_out, *(p.name for p in found.paths)]}
    unused = {path.name: "mask of no photograph" for key, path in masks.items() if key not in used}
    return [*left_out_lines(found.left_out), *left_out_lines(unused)]


def _require_template(template: str) -> None:
    try:
        found = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise InputError(f'The template "{template}" is not sound: {error}.') from error
    if found != {"object", "style"}:
        raise InputError(f'The template must hold {{object}} and {{style}} and no other field, found "{template}".')


def _photographs(folder: Path) -> Photographs:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder of photographs with --images.")
    found = find_photographs(folder)
    if not found.paths:
        raise InputError([f"{folder} holds no photographs that can be read.", *left_out_lines(found.left_out)])
    return found


def _region(
    path: Path, masks: Path | None, placed: Mapping[str, Path], rows: Mapping[str, Mapping[str, Any]], alpha: bool
) -> _Region:
    height, width = image_size(path)
    if alpha:
        # Only now, for it imports torch: a wrong folder is found at once.
        from rses.images.masks import read_alpha

        return partial(read_alpha, path)
    if masks is not None:
        mask = placed.get(unicodedata.normalize("NFC", path.stem))
        if mask is None:
            raise InputError(f"{path.name}: has no mask {path.stem}.png in {masks}")
        return partial(_mask, mask, path, height, width)
    if path.name not in rows:
        raise InputError(f"{path.name}: has no row in --regions")
    return partial(draw_polygons, [outline_of(rows[path.name], path.name, width, height)], width, height)


def _mask(mask: Path, image: Path, height: int, width: int) -> NDArray[np.bool_]:
    from rses.images.masks import read_mask

    region = read_mask(mask)
    if region.shape != (height, width):
        raise InputError(
            f"{mask} is {region.shape[1]}x{region.shape[0]}, its photograph {image.name} is {width}x{height}."
            + turned_note(image, (region.shape[0], region.shape[1]))
            + turned_note(mask, (height, width))
        )
    return region
