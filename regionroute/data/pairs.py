"""One training pair, and reading all of them with every fault listed at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regionroute.data.manifest import manifest_rows
from regionroute.data.suite import METADATA, suite_rows
from regionroute.styles import EXPERT_STYLES, StyleMatch, find_style, style_key
from rses.errors import InputError, Place, Problem
from rses.files.paths import id_problem
from rses.images.decode import image_size
from rses.images.masks import read_mask


@dataclass(frozen=True)
class TrainingPair:
    """A source and what it should become.

    Attributes:
        id: Unique; safe as a file name.
        source: The original picture.
        target: The same picture with the object restyled, of the same size.
        mask: The object's mask of the same size, not empty.
        object: Name of the object.
        style: Key of the style.
        prompt: Leads from source to target; holds the style phrase.
    """

    id: str
    source: Path
    target: Path
    mask: Path
    object: str
    style: str
    prompt: str


def read_pairs(
    path: str | Path,
    style: str | None = None,
    *,
    root: str | Path | None = None,
    styles: Mapping[str, Sequence[str]] = EXPERT_STYLES,
    targets: bool = True,
) -> list[TrainingPair]:
    """Read training pairs and check everything that training relies on.

    Args:
        path: A folder with ``metadata.jsonl`` (see :mod:`regionroute.data.suite`), or the paper's JSON manifest (see
            :mod:`regionroute.data.manifest`).
        style: Only pairs of this style, in any phrasing; the files of others are not looked at.
        root: Folder that the paths of a manifest are relative to; that of the manifest by default.
        styles: Phrasings by style key.
        targets: False reads masks alone: every source is taken for its own target, and a suite will do.

    Raises:
        InputError: Unknown ``style``, or unsound data; every problem is listed: rows that cannot be read, ids used
            twice, unknown styles, prompts without the style phrase, missing or unreadable files, differing sizes,
            empty masks.
    """
    path = Path(path).expanduser()
    wanted = None if style is None else style_key(style, styles)
    rows, problems = _rows(path, None if root is None else Path(root), targets)
    pairs: list[TrainingPair] = []
    seen: dict[str, str] = {}
    for where, fields in rows:
        faults = _text_faults(fields, styles)
        if not faults:
            # Some file systems ignore case, and some change how accents are coded.
            key = unicodedata.normalize("NFC", fields["id"]).casefold()
            if key in seen:
                text = f'id "{fields["id"]}" is used before, in {seen[key]}'
                faults.append(Problem(text, "used-twice", Place(field="id")))
            seen.setdefault(key, where)
        if not faults:
            pair = TrainingPair(**{**fields, "style": style_key(fields["style"], styles)})
            if wanted in (None, pair.style):
                faults = region_problems(pair.source, pair.mask, pair.target)
                pairs.append(pair)
        problems += [fault.within(where) for fault in faults]
    if not problems and not pairs:
        problems.append(
            Problem("it has no pairs" if wanted is None else f'it has no pairs in the style "{wanted}"', "empty")
        )
    if problems:
        raise InputError(problems, f"{path} cannot be used for training:")
    return pairs


def _rows(path: Path, root: Path | None, targets: bool) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    if path.is_dir():
        return suite_rows(path, targets)
    if not path.exists():
        raise InputError(
            f"{path} does not exist. Give a folder with {METADATA}, or a JSON manifest.",
            code="missing-file",
            place=Place(str(path)),
        )
    if path.suffix.lower() != ".json":
        raise InputError(
            f"{path} is neither a folder with {METADATA} nor a JSON manifest (*.json).",
            code="wrong-content",
            place=Place(str(path)),
        )
    rows, problems = manifest_rows(path, root)
    return [(where, fields if targets else {**fields, "target": fields["source"]}) for where, fields in rows], problems


def _text_faults(fields: Mapping[str, Any], styles: Mapping[str, Sequence[str]]) -> list[Problem]:
    faults = []
    fault = id_problem(fields["id"])
    if fault:
        faults.append(Problem(f"id {fields['id']!r} {fault}", "bad-id", Place(field="id")))
    for name in ("object", "style", "prompt"):
        if not isinstance(fields[name], str) or not fields[name].strip():
            text = f"{name} must be a non-empty text, found {fields[name]!r}"
            faults.append(Problem(text, "wrong-type", Place(field=name)))
    if faults:
        return faults
    style = asked = None
    try:
        style = style_key(fields["style"], styles)
    except InputError as error:
        faults += error.problems
    try:
        asked = find_style(fields["prompt"], styles)
    except InputError as error:
        faults += error.problems
    if style is not None and asked is not None and (fault := style_problem(asked, style)):
        faults.append(Problem(fault, "contradiction", Place(field="prompt")))
    return faults


def style_problem(asked: StyleMatch, style: str) -> str | None:
    """Say that a prompt asks for another style than its pair has, or return None."""
    if asked.style == style:
        return None
    return f'the prompt asks for "{asked.style}" (in "{asked.phrase}"), but the style is "{style}"'


def region_problems(source: Path, mask: Path, *others: Path) -> list[Problem]:
    """Say what makes a picture and its mask unusable: missing, unreadable or of another size, or an empty mask."""
    problems: list[Problem] = []
    sizes = {}
    for file in dict.fromkeys((source, *others)):
        try:
            sizes[file] = image_size(file)
        except InputError as error:
            problems += error.problems
    try:
        region = read_mask(mask)
        sizes[mask] = region.shape
        if not region.any():
            problems.append(
                Problem(f"{mask} is empty: it marks nothing. Make the object white", "empty", Place(str(mask)))
            )
    except InputError as error:
        problems += error.problems
    if source in sizes:
        height, width = sizes[source]
        problems += [
            Problem(
                f"{file} is {size[1]}x{size[0]}, but {source.name} is {width}x{height}. Make them one size",
                "wrong-size",
                Place(str(file)),
            )
            for file, size in sizes.items()
            if size != sizes[source]
        ]
    return problems
