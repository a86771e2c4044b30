"""Frozen lists of ids, so that two people can tell whether they score the same samples."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from rses.errors import InputError
from rses.files.text import parse_json, read_text
from rses.suites.format import Suite
from rses.suites.readers.types import SHOWN

__all__ = ["ids_sha256", "verify_ids"]


def ids_sha256(ids: Sequence[str]) -> str:
    """Hash a list of ids, in order, as UTF-8 with a line break after each.

    Example:
        >>> ids_sha256(["a", "b"])[:12]
        '911169ddaaf1'
    """
    return hashlib.sha256("".join(f"{name}\n" for name in ids).encode()).hexdigest()


def verify_ids(suite: Suite, frozen: str) -> str:
    """Check that a suite holds the samples of a frozen list, in its order.

    Args:
        suite: The suite.
        frozen: A SHA-256 of `ids_sha256`, a ``selection.json`` of a built suite, or a file with one id a line.

    Returns:
        The SHA-256 of the list.

    Raises:
        InputError: The lists differ; names what is missing and what is extra.
    """
    ids = [sample.id for sample in suite.samples]
    digest = ids_sha256(ids)
    if re.fullmatch(r"[0-9a-f]{64}", frozen):
        if digest != frozen:
            raise InputError(f"The ids of {suite.name} hash to {digest}, the frozen list to {frozen}.")
        return digest
    wanted = _read(Path(frozen))
    problems = [f"{name}: missing from the suite" for name in wanted if name not in set(ids)]
    problems += [f"{name}: not in the frozen list" for name in ids if name not in set(wanted)]
    if not problems and ids != wanted:
        problems = ["the ids are the same, their order is not"]
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise InputError([*problems[:SHOWN], *more], f"{suite.name} does not hold the samples of {frozen}:")
    return digest


def _read(file: Path) -> list[str]:
    try:
        text = read_text(file)
    except InputError as error:
        raise InputError(f"--ids takes a SHA-256 or a readable file. {error}") from error
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        content = parse_json(text)
        ids = list(content["ids"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not a selection.json: {error}.") from error
    if content.get("ids_sha256") != ids_sha256(ids):
        raise InputError(f"{file}: its ids do not have the SHA-256 beside them; the list was changed.")
    return ids
