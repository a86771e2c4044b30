"""Suites of one's own photographs: with masks, boxes, outlines, or an alpha channel."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rses.errors import InputError, Place, Problem
from rses.files.names import folded
from rses.images.decode import image_size, turned_note
from rses.suites.entry import TEMPLATE, Entry, SuiteFacts
from rses.suites.format import Suite
from rses.suites.left_out import LeftOut, left_out_lines
from rses.suites.photographs import find_photographs, masks_by_name
from rses.suites.region_list import doubles, outline_of, rows_by_file
from rses.suites.shapes import draw_polygons
from rses.suites.writing import Plan, write_suite
from rses.texts import require_readable

_Region = Callable[[], NDArray[np.bool_]]


def build_folder(
    images: Path,
    out: Path,
    styles: Sequence[str] | Mapping[str, str],
    *,
    thing: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    **options: Any,
) -> Suite:
    """Build a suite of a folder of photographs.

    Args:
        images: The photographs.
        out: A folder that does not exist yet or is empty.
        styles: Styles, or the style of each picture.
        thing: What the regions cover.
        progress: Called with (done, total).
        warn: Called with a line where one object is named for several pictures, and for each reason for which files
            were left out.
        **options: As in :func:`plan_folder`.

    Returns:
        The suite. Files that are no photographs and masks of none are left out, counted and named in its card.

    Raises:
        InputError: As :func:`plan_folder`, or masks are unsound; lists all. Nothing is written then.
    """
    plan = plan_folder(images, styles, thing=thing, **options)
    if warn is not None and (doubt := one_object(plan, thing)):
        warn(doubt)
    return write_suite(plan, out.expanduser(), progress, warn)


def plan_folder(
    images: Path,
    styles: Sequence[str] | Mapping[str, str],
    *,
    masks: Path | None = None,
    regions: Path | None = None,
    alpha: bool = False,
    thing: str | None = None,
    objects: Path | None = None,
    template: str = TEMPLATE,
    licence: str = "not stated",
    name: str = "folder",
) -> Plan:
    """Say what a suite of a folder of photographs is to hold. Exactly one source of regions is to be given.

    Args:
        images: The photographs; turned as their orientation tag says. Links are followed.
        styles: Styles, each of which every picture gets, or the style of each picture by its name without an ending;
            with one style per picture, samples are called like the pictures.
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

    Raises:
        InputError: Photographs, regions or names are missing or unsound; lists all.
    """
    _require_template(template)
    if sum((masks is not None, regions is not None, alpha)) != 1:
        raise InputError("Give exactly one of --masks, --regions and --alpha.", code="exclusive")
    if not images.is_dir():
        raise InputError(
            f"{images} is not a folder. Give the folder of photographs with --images.",
            code="not-a-folder",
            place=Place(str(images)),
        )
    paths, left_out = find_photographs(images)
    if not paths:
        raise InputError([f"{images} holds no photographs that can be read.", *left_out_lines(left_out)], code="empty")
    rows, named = ({} if file is None else rows_by_file(file, images) for file in (regions, objects))
    placed, twice = ({}, []) if masks is None else masks_by_name(masks)
    problems = [*doubles(paths), *twice]
    own = styles if isinstance(styles, Mapping) else {}
    chosen = sorted(set(own.values())) if own else list(styles)
    require_readable(own.values())
    entries = []
    for path in paths:
        row = rows.get(path.name, {})
        label = str(named.get(path.name, {}).get("object") or row.get("object") or thing or "").strip()
        if not label:
            text = f"{path.name}: nothing says what its region covers. Use --object or --objects"
            problems.append(Problem(text, "missing-key"))
        if own and folded(path.stem) not in own:
            text = f"{path.name}: --styles gives it no style; its id is {path.stem}"
            problems.append(Problem(text, "missing-key"))
            continue
        try:
            region = _region_of(path, row, placed.get(folded(path.stem)), masks, alpha)
        except InputError as error:
            problems += error.problems
            continue
        only = own[folded(path.stem)] if own else chosen[0] if len(chosen) == 1 else None
        entries.append(Entry(path.stem, path, region, label, name, licence, upright=True, style=only, alpha=alpha))
    if problems:
        raise InputError(problems, f"No suite was written, {len(problems)} faults:")
    stems = {folded(path.stem) for path in paths} | {folded(Path(entry.name).stem) for entry in left_out}
    left_out += [LeftOut("mask-unused", path.name) for key, path in placed.items() if key not in stems]
    facts = SuiteFacts(name, "1", licence, "Photographs of a folder, with the regions that came with them.", template)
    return Plan(entries, chosen, facts, left_out, total=len(entries))


def one_object(plan: Plan, thing: str | None) -> str | None:
    """Return a doubt where one name was given for all of several pictures, as it ends up in every prompt."""
    named = (thing or "").strip()
    if not named or plan.total < 2 or any(entry.object != named for entry in plan.entries):
        return None
    return (
        f'All {plan.total} pictures are said to show "{named}", which every prompt repeats. If they show different '
        "things, name these with --objects."
    )


def _require_template(template: str) -> None:
    try:
        found = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise InputError(
            f'The template "{template}" is not sound: {error}.', code="wrong-form", place=Place(field="--template")
        ) from error
    if found != {"object", "style"}:
        raise InputError(
            f'The template must hold {{object}} and {{style}} and no other field, found "{template}".',
            code="wrong-form",
            place=Place(field="--template"),
        )


def _region_of(path: Path, row: dict[str, Any], mask: Path | None, masks: Path | None, alpha: bool) -> _Region:
    """Return what draws the region of a photograph; masks are read on demand."""
    height, width = image_size(path)
    if alpha:
        return partial(_alpha, path)
    if masks is None:
        if not row:
            text = f"{path.name}: has no row in --regions. Add one, or take the picture out"
            raise InputError(text, code="missing-key")
        return partial(draw_polygons, [outline_of(row, path.name, width, height)], width, height)
    if mask is None:
        text = f"{path.name}: has no mask {path.stem}.png in {masks}. Add it, or take the picture out"
        raise InputError(text, code="missing-file")
    return partial(_mask, mask, path, height, width)


def _alpha(image: Path) -> NDArray[np.bool_]:
    from rses.images.masks import read_alpha  # only now, for it imports torch: a wrong folder is found at once

    return read_alpha(image)


def _mask(mask: Path, image: Path, height: int, width: int) -> NDArray[np.bool_]:
    from rses.images.masks import read_mask

    region = read_mask(mask)
    if region.shape != (height, width):
        raise InputError(
            f"{mask} is {region.shape[1]}x{region.shape[0]}, its photograph {image.name} is {width}x{height}. "
            "Masks must have exactly the size of their photographs."
            + turned_note(image, (region.shape[0], region.shape[1]))
            + turned_note(mask, (height, width)),
            code="wrong-size",
        )
    return region
