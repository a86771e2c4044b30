"""The suite folder: what is in it, and reading it with every fault listed at once.

    suite/
      metadata.jsonl   one JSON object per sample
      images/ masks/   what the rows name
      README.md        dataset card
      suite.json       name, version, licence, n, and the SHA-256 of every other file

The folder is also a Hugging Face ``imagefolder`` data set
(https://huggingface.co/docs/datasets/image_dataset#imagefolder).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from rses.errors import InputError, Place, Problem
from rses.files.atomic import is_sha256, sha256_file
from rses.files.names import Locator, folded
from rses.files.paths import path_problem
from rses.files.text import JsonError, parse_json, read_text
from rses.inputs.rows import METADATA, PortablePath, WholeRow, read_lines
from rses.inputs.sample import Sample
from rses.schema import Filled, Record, Texts, check, fault
from rses.texts import text_fault

__all__ = [
    "COLUMNS", "MANIFEST", "METADATA", "Manifest", "Sample", "Suite", "SuiteRow", "read_manifest", "read_rows",
    "read_suite",
]  # fmt: skip

MANIFEST = "suite.json"


def _digest(text: str) -> str:
    if not is_sha256(text):
        raise fault("not-a-digest", "has no SHA-256 of 64 small hexadecimal digits")
    return text


def _readable(style: str) -> str:
    if problem := text_fault(style):
        raise fault("unprintable", f"{style!r} {problem}")
    return style


class SuiteRow(WholeRow):
    """A line of a suite's ``metadata.jsonl``; further columns are allowed and ignored."""

    style: Annotated[Filled, AfterValidator(_readable)]
    dataset: Filled
    tags: Texts


COLUMNS = tuple(SuiteRow.model_fields)
"""Columns of every row."""


class Manifest(Record, extra="ignore"):
    """What ``suite.json`` says: the facts about a suite and the SHA-256 of each of its files."""

    name: Filled
    version: Filled
    licence: Filled
    n: int = Field(ge=0)
    files: dict[PortablePath, Annotated[str, AfterValidator(_digest)]]

    @field_validator("files")
    @classmethod
    def _lists_rows(cls, files: dict[str, str]) -> dict[str, str]:
        if METADATA not in files:
            raise fault("missing-key", f"does not list {METADATA}")
        return files

    @property
    def sha256(self) -> str:
        """One hash for name, version, licence, size and all file hashes."""
        facts = [self.name, self.version, self.licence, self.n, sorted(self.files.items())]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Suite:
    """A loaded suite.

    Attributes:
        name: Short name.
        version: Version; scores of different versions do not compare.
        licence: SPDX expression, or a sentence.
        root: Folder it lies in.
        samples: Its samples in the order of ``metadata.jsonl``.
        sha256: Hash of the file hashes that ``suite.json`` declares, and of the facts beside them.
            `verify_suite` checks that the files are the declared ones.
    """

    name: str
    version: str
    licence: str
    root: Path
    samples: tuple[Sample, ...]
    sha256: str

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that occur, in order of first appearance."""
        return tuple(dict.fromkeys(sample.style for sample in self.samples))


def read_manifest(root: Path) -> Manifest:
    """Read and check ``suite.json``.

    Raises:
        InputError: The folder or the file is missing, or the file is not as described above; lists every problem.
    """
    path = root / MANIFEST
    if not root.is_dir():
        raise InputError(
            f"{root} is not a folder. Give a suite folder, or a name from `rses suites`.",
            code="not-a-folder",
            place=Place(str(root)),
        )
    if path.is_symlink() or not path.is_file():
        raise InputError(
            f"{root} has no {MANIFEST}, so it is not a suite. Export one with `rses suites export NAME DIR`, "
            f"or build one with `rses suites build`.",
            code="missing-file",
            place=Place(str(root)),
        )
    try:
        content = parse_json(path.read_bytes())
    except (JsonError, OSError) as error:
        raise InputError(f"{path} is not valid JSON: {error}.", code="not-json", place=Place(str(path))) from error
    return check(Manifest, content, path)


def read_rows(root: Path) -> list[Any]:
    """Read ``metadata.jsonl`` without judging what it says.

    Raises:
        ValueError: It is not UTF-8, or a line is not JSON.
        OSError: It cannot be read.
    """
    text = read_text(root / METADATA)
    return [parse_json(line) for line in text.split("\n") if line.strip()]


def read_suite(root: Path) -> Suite:
    """Load a suite folder, and check its manifest, its rows, and that the files they name are there.

    Contents of images and masks are not read; `rses.suites.verify_suite` does that.
    """
    manifest = read_manifest(root)
    path = root / METADATA
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is missing.", code="missing-file", place=Place(str(path)))
    problems: list[str] = []
    if sha256_file(path) != manifest.files[METADATA]:
        text = (
            f"{METADATA} is not the one {MANIFEST} describes: it was changed. Restore it, or give the "
            f"changed suite its own name and rewrite {MANIFEST} with rses.suites.write_manifest"
        )
        problems.append(Problem(text, "changed-file", Place(METADATA)))
    samples = _read_rows(root, path, manifest, problems)
    if len(samples) != manifest.n and not problems:
        text = f"{MANIFEST} promises {manifest.n} samples, {METADATA} has {len(samples)}"
        problems.append(Problem(text, "mismatch", Place(MANIFEST, field="n")))
    if problems:
        raise InputError(problems, f"{root} is not a sound suite:", code="mismatch")
    return Suite(manifest.name, manifest.version, manifest.licence, root, tuple(samples), manifest.sha256)


def _read_rows(root: Path, path: Path, manifest: Manifest, problems: list[str]) -> list[Sample]:
    locate, declared = Locator(), {folded(name) for name in manifest.files}
    try:
        rows, faults = read_lines(path, SuiteRow, lambda row: _file_problems(root, row, declared, locate), METADATA)
    except InputError as error:
        problems.extend(error.problems)
        return []
    problems += faults
    samples = [row.sample() for _, row in rows]
    return [replace(sample, image=locate(root / sample.image), mask=locate(root / sample.mask)) for sample in samples]


def _file_problems(root: Path, row: SuiteRow, declared: Collection[str], locate: Locator) -> Iterator[Problem]:
    for column in ("file_name", "mask_file_name"):
        name = getattr(row, column)
        if problem := path_problem(root, name):
            yield Problem(f'{column} "{name}" {problem}', "bad-path")
        elif folded(name) not in declared:
            yield Problem(f'{column} "{name}" is not listed in {MANIFEST}', "unknown-file")
        elif not locate(root / name).is_file():
            yield Problem(f'{column} "{name}" does not exist', "missing-file")
