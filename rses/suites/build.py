"""Suites of data sets: one object per picture of COCO, Pascal VOC and BIG; every edit of PIE-Bench and BrushBench."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.suites.entry import Entry, SuiteFacts
from rses.suites.format import Suite
from rses.suites.left_out import left_out_lines
from rses.suites.readers import BigReader, CocoReader, MappingReader, Reader, VocReader
from rses.suites.readers.mapping import SIDE
from rses.suites.selection import RULE, Choice, Selection, hash_order, load_selection, select
from rses.suites.writing import Plan, write_suite

_READERS: dict[str, type[Any]] = {"coco": CocoReader, "voc": VocReader, "big": BigReader}
_NAMES = {"coco": "COCO", "voc": "Pascal VOC", "big": "BIG"}
_Progress = Callable[[int, int], None]
_Warn = Callable[[str], None]


def open_reader(dataset: str, root: Path, **options: Any) -> Reader:
    """Open a data set."""
    if dataset not in _READERS:
        raise InputError(f'Data sets are {", ".join(_READERS)}, found "{dataset}".', code="unknown-name")
    reader: Reader = _READERS[dataset](root, **options)
    return reader


def build_suite(
    reader: Reader,
    out: str | Path,
    styles: Sequence[str],
    n: int | None = None,
    seed: int = 0,
    selection: str | Selection = "default",
    name: str | None = None,
    progress: _Progress | None = None,
    warn: _Warn | None = None,
) -> Suite:
    """Build a suite of a data set, one object per picture.

    Args:
        reader: The data set, from `open_reader`.
        out: A folder that does not exist yet or is empty.
        styles: Styles, each of which every picture gets.
        n: Number of pictures; all that the rule lets in by default. Fewer than asked for is an error.
        seed: Another seed gives other pictures.
        selection: The rule's settings, or their name.
        name: Name of the suite; made of data set and selection by default.
        progress: Called with (done, total).
        warn: Called with a line for each reason for which something was left out, and for what is to be checked.

    Returns:
        The suite. What is unsound is left out of it, counted and named in its card.
    """
    if n is not None and n < 1:
        raise InputError(f"--n must be at least 1, found {n}.", code="out-of-range", place=Place(field="--n"))
    rule = load_selection(selection) if isinstance(selection, str) else selection
    left_out, refused = list(reader.left_out), Counter[str]()
    named: dict[str, str] = {}

    def entries() -> Iterator[Entry]:
        for choice in select(reader, rule, seed, left_out, refused):
            entry = _entry(choice, reader.name)
            named[entry.key] = f"{choice.picture.key}:{choice.instance.key}"
            yield entry

    def too_few(chosen: int) -> list[str]:
        first = f"The rule lets in {chosen} pictures, --n asks for {n}. Ask for fewer, or allow more."
        return [*([first] if chosen else []), *left_out_lines(left_out), *_refused_lines(refused, rule)]

    def record(chosen: list[str]) -> dict[str, Any]:
        return {
            "rule": RULE, "selection": rule.model_dump(), "dataset": reader.name, "seed": seed, "n": len(chosen),
            "styles": list(styles), "instances": [named[key] for key in chosen],
        }  # fmt: skip

    facts = _facts(reader.name, rule, seed, name)
    total = len(reader.keys())
    plan = Plan(entries(), tuple(styles), facts, left_out, False, n, total, record, too_few)
    return write_suite(plan, Path(out).expanduser(), progress, warn)


def build_prompted(
    reader: MappingReader,
    out: str | Path,
    n: int | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: _Progress | None = None,
    warn: _Warn | None = None,
) -> Suite:
    """Build a suite with one sample for each entry of a mapping file; ids are its keys.

    Entries come in the order of the selection rule's hash, so that a smaller suite is a prefix of a larger one.

    Arguments are those of `build_suite`; the name is that of the data set by default.
    """
    keys = hash_order(reader.keys(), RULE, seed, reader.name)
    if not keys:
        raise InputError(
            "The selection is empty: the mapping file has no entry of the wanted editing types.", code="empty"
        )
    if n is not None and not 1 <= n <= len(keys):
        raise InputError(
            f"--n must be from 1 to {len(keys)}, the number of entries, found {n}.",
            code="out-of-range",
            place=Place(field="--n"),
        )
    left_out = list(reader.left_out)

    def too_few(chosen: int) -> list[str]:
        first = [f"{chosen} entries can be used, --n asks for {n}. Ask for fewer."] if chosen else []
        return [*first, *left_out_lines(left_out)]

    def record(chosen: list[str]) -> dict[str, Any]:
        return {
            "rule": RULE, "dataset": reader.name, "mapping_sha256": reader.mapping_sha256, "mask_key": reader.mask_key,
            "as_published": reader.as_published, "seed": seed, "n": len(chosen),
        }  # fmt: skip

    how = "as the data set's own script reads them" if reader.as_published else "as coded"
    facts = SuiteFacts(
        name=name or reader.name,
        version="1",
        licence="As the terms of the data set say; do not pass the pictures on unless they allow it",
        about=f"Entries of {reader.name} in the order of the rule {RULE}, seed {seed}. Masks are `{reader.mask_key}` "
        f"of the mapping file, {how}, at {SIDE}x{SIDE}. The column `style` holds what the data set's texts give in "
        "place of a style; `style_accuracy` means nothing here. `selection.json` holds the frozen list of ids and the "
        "SHA-256 of the mapping file.",
    )
    plan = Plan(map(reader.read, keys), (), facts, left_out, False, n, len(keys), record, too_few)
    return write_suite(plan, Path(out).expanduser(), progress, warn)


def _entry(choice: Choice, dataset: str) -> Entry:
    picture, instance = choice.picture, choice.instance
    return Entry(
        key=f"{dataset}-{picture.key}", image=picture.path, mask=instance.mask, object=instance.label, dataset=dataset,
        licence=picture.licence, tags=choice.tags, origin=picture.origin,
    )  # fmt: skip


def _refused_lines(refused: Counter[str], rule: Selection) -> list[str]:
    """Say how many objects each part of the rule kept out, of pictures none of whose objects is let in."""
    lines = [f"Kept out by the rule `{rule.name}`, {reason}: {count}" for reason, count in refused.most_common()]
    return [*lines, "Allow more with --selection; names in brackets are its settings."] if lines else []


def _facts(dataset: str, rule: Selection, seed: int, name: str | None) -> SuiteFacts:
    allowed = ", ".join(rule.allow) or "nothing beyond the rule"
    about = (
        f"Objects of {_NAMES.get(dataset, dataset)}, chosen by the rule {RULE} with the settings `{rule.name}` "
        f"(version {rule.version}), seed {seed}. {rule.about} Area from {rule.minimum_area:g} to "
        f"{rule.maximum_area:g} of the picture; also allowed: {allowed}. `selection.json` holds the settings, the "
        "instances and the frozen list of ids. Photographs are the files of the data set; those with an orientation "
        "tag or not in RGB are PNG now."
    )
    if rule.unknown:
        about += "\n\nUnknown in the protocol that this stands for:\n\n" + "\n".join(f"- {e}" for e in rule.unknown)
    licence = "Each photograph under its own licence, listed in README.md"
    return SuiteFacts(name or f"{dataset}-{rule.name}-{seed}", rule.version, licence, about)
