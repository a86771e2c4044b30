"""Suites of data sets that bring their own prompts: PIE-Bench and BrushBench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.suites.entry import Entry, SuiteFacts
from rses.suites.format import Suite, read_suite
from rses.suites.ids import ids_sha256
from rses.suites.left_out import left_out_lines
from rses.suites.readers.mapping import SIDE, MappingReader
from rses.suites.selection import RULE, hash_order
from rses.suites.writing import require_free, write_suite

__all__ = ["build_prompted"]


def build_prompted(
    reader: MappingReader,
    out: str | Path,
    n: int | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Suite:
    """Build a suite with one sample for each entry of a mapping file; ids are its keys.

    Entries come in the order of the selection rule's hash, so that a smaller suite is a prefix of a larger one.

    Args:
        reader: The data set.
        out: A folder that does not exist yet or is empty.
        n: Number of samples; all by default. More than there are is an error.
        seed: Another seed gives another order.
        name: Name of the suite; that of the data set by default.
        progress: Called with (samples done, samples in all).
        warn: Called with a line for each reason for which something was left out, and for what is to be checked.

    Returns:
        The suite. What is unsound is left out of it, counted and named in its card.

    Raises:
        InputError: Too few entries; lists what was left out. Nothing is written then.
    """
    target = Path(out).expanduser()
    require_free(target)
    keys = hash_order(reader.keys(), RULE, seed, reader.name)
    if not keys:
        raise InputError("The selection is empty: the mapping file has no entry of the wanted editing types.")
    if n is not None and not 1 <= n <= len(keys):
        raise InputError(f"--n must be from 1 to {len(keys)}, the number of entries, found {n}.")
    chosen: list[str] = []
    left_out = list(reader.left_out)

    def entries() -> Iterator[Entry]:
        for key in keys:
            edit = reader.read(key)
            yield Entry(
                key=edit.key, image=edit.path, mask=partial(reader.mask, key), object=edit.object,
                dataset=reader.name, licence="as the terms of the data set say", tags=edit.tags,
                prompts={edit.style: edit.prompt}, style=edit.style, extra=edit.extra, whole=reader.as_published,
            )  # fmt: skip
            if len(chosen) == n:
                return
        if chosen and n is not None:
            first = f"{len(chosen)} entries can be used, --n asks for {n}. Ask for fewer."
            raise InputError([first, *left_out_lines(left_out)])

    def stored(key: str) -> None:
        chosen.append(key)
        if progress is not None:
            progress(len(chosen), n or len(keys))

    def record(ids: list[str]) -> dict[str, Any]:
        return {
            "rule": RULE, "dataset": reader.name, "mapping_sha256": reader.mapping_sha256, "mask_key": reader.mask_key,
            "as_published": reader.as_published, "seed": seed, "n": len(ids), "ids_sha256": ids_sha256(ids), "ids": ids,
        }  # fmt: skip

    facts = SuiteFacts(
        name=name or reader.name,
        version="1",
        licence="As the terms of the data set say; do not pass the pictures on unless they allow it",
        about=_about(reader, seed),
    )
    write_suite(entries(), (), target, facts, record, left_out=left_out, strict=False, stored=stored)
    if warn is not None:
        for line in left_out_lines(left_out):
            warn(line)
    return read_suite(target)


def _about(reader: MappingReader, seed: int) -> str:
    how = "as the data set's own script reads them" if reader.as_published else "as coded"
    return (
        f"Entries of {reader.name} in the order of the rule {RULE}, seed {seed}. Masks are `{reader.mask_key}` of the "
        f"mapping file, {how}, at {SIDE}x{SIDE}. The column `style` holds what the data set's texts give in place of a "
        "style; `style_accuracy` means nothing here. `selection.json` holds the frozen list of ids and the SHA-256 of "
        "the mapping file."
    )
