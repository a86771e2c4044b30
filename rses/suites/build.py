"""Suites of the data sets COCO, Pascal VOC and BIG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.suites.entry import Entry, SuiteFacts
from rses.suites.format import Suite, read_suite
from rses.suites.ids import ids_sha256
from rses.suites.left_out import left_out_lines
from rses.suites.readers import BigReader, CocoReader, Reader, VocReader
from rses.suites.selection import RULE, Choice, Selection, load_selection, select
from rses.suites.writing import require_free, write_suite

__all__ = ["DATASETS", "build_suite", "open_reader"]

DATASETS = ("coco", "voc", "big")

_NAMES = {"coco": "COCO", "voc": "Pascal VOC", "big": "BIG"}


def open_reader(
    dataset: str,
    root: Path,
    split: str | None = None,
    annotations: Path | None = None,
    classes: Path | None = None,
    outlines: bool = False,
) -> Reader:
    """Open a data set.

    Args:
        dataset: One of `DATASETS`.
        root: Its folder.
        split: Part of it.
        annotations: COCO: the annotation file, where it is not in its usual place.
        outlines: COCO: polygons are meant as labelme means them; see `CocoReader`.
        classes: BIG: table of the objects' names. VOC: list of its classes.

    Raises:
        InputError: The folder is not as the data set's should be; lists all faults.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder. Give the folder of the data set with --root.")
    if dataset == "coco":
        return CocoReader(root, split, annotations, outlines)
    if dataset == "voc":
        return VocReader(root, split, classes)
    if dataset == "big":
        return BigReader(root, split, classes)
    raise InputError(f'There is no data set "{dataset}". There are: {", ".join(DATASETS)}.')


def build_suite(
    reader: Reader,
    out: str | Path,
    styles: Sequence[str],
    n: int | None = None,
    seed: int = 0,
    selection: Selection | str = "default",
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Suite:
    """Build a suite of a data set.

    Args:
        reader: The data set, from `open_reader`.
        out: A folder that does not exist yet or is empty.
        styles: Styles, each of which every picture gets.
        n: Number of pictures; all that the rule lets in by default. Fewer than asked for is an error.
        seed: Another seed gives other pictures.
        selection: The rule's settings, or their name.
        name: Name of the suite; made of data set and selection by default.
        progress: Called with (pictures done, pictures in all).
        warn: Called with a line for each reason for which something was left out, and for what is to be checked.

    Returns:
        The suite. What is unsound is left out of it, counted and named in its card.

    Raises:
        InputError: Too few pictures; lists what was left out. Nothing is written then.
    """
    target = Path(out).expanduser()
    require_free(target)
    if n is not None and n < 1:
        raise InputError(f"--n must be at least 1, found {n}.")
    rule = load_selection(selection) if isinstance(selection, str) else selection
    chosen: list[str] = []
    total = n or len(reader.keys())
    left_out = list(reader.left_out)
    named: dict[str, str] = {}

    def entries() -> Iterator[Entry]:
        for choice in select(reader, rule, seed, left_out):
            entry = _entry(choice, reader.name)
            named[entry.key] = f"{choice.picture.key}:{choice.instance.key}"
            yield entry
            if len(chosen) == n:
                return
        if chosen and n is not None:
            raise InputError(
                [
                    f"The rule lets in {len(chosen)} pictures, --n asks for {n}. Ask for fewer, or allow more.",
                    *left_out_lines(left_out),
                ]
            )

    def stored(key: str) -> None:
        chosen.append(named.pop(key))
        if progress is not None:
            progress(len(chosen), total)

    def record(ids: list[str]) -> dict[str, Any]:
        return {
            "rule": RULE, "selection": asdict(rule), "dataset": reader.name, "seed": seed, "n": len(chosen),
            "styles": list(styles), "instances": chosen, "ids_sha256": ids_sha256(ids), "ids": ids,
        }  # fmt: skip

    facts = SuiteFacts(
        name=name or f"{reader.name}-{rule.name}-{seed}",
        version=rule.version,
        licence="Each photograph under its own licence, listed in README.md",
        about=_about(reader.name, rule, seed),
    )
    write_suite(entries(), styles, target, facts, record, left_out=left_out, strict=False, stored=stored)
    if warn is not None:
        for line in left_out_lines(left_out):
            warn(line)
    return read_suite(target)


def _entry(choice: Choice, dataset: str) -> Entry:
    picture, instance = choice.picture, choice.instance
    return Entry(
        key=f"{dataset}-{picture.key}",
        image=picture.path,
        mask=instance.mask,
        object=instance.label,
        dataset=dataset,
        licence=picture.licence,
        tags=choice.tags,
        origin=picture.origin,
    )


def _about(dataset: str, rule: Selection, seed: int) -> str:
    allowed = ", ".join(rule.allow) or "nothing beyond the rule"
    text = (
        f"Objects of {_NAMES.get(dataset, dataset)}, chosen by the rule {RULE} with the settings `{rule.name}` "
        f"(version {rule.version}), seed {seed}. {rule.about} Area from {rule.minimum_area:g} to "
        f"{rule.maximum_area:g} of the picture; also allowed: {allowed}. `selection.json` holds the settings, the "
        "instances and the frozen list of ids. Photographs are the files of the data set; those with an orientation "
        "tag or not in RGB are PNG now."
    )
    if rule.unknown:
        text += "\n\nUnknown in the protocol that this stands for:\n\n" + "\n".join(
            f"- {entry}" for entry in rule.unknown
        )
    return text
