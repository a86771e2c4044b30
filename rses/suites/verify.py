"""Check that a suite folder holds exactly the files it should."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place, Problem
from rses.files.atomic import is_sha256, sha256_file, write_atomic
from rses.files.names import folded
from rses.files.paths import list_files
from rses.files.text import parse_json, read_text
from rses.images.decode import image_size, turned_note
from rses.images.file import FileCache
from rses.schema import check
from rses.suites.format import MANIFEST, METADATA, Manifest, Sample, Suite, read_manifest, read_suite


def verify_suite(folder: str | Path) -> Suite:
    """Compare every file with its SHA-256 in ``suite.json``.

    Raises:
        InputError: Lists every missing, extra, changed or linked file, every unsound row, and every mask
            that differs from its image in size.

    Example:
        >>> from rses.suites import load_suite
        >>> verify_suite(load_suite("mini").root).name
        'mini'
    """
    root = Path(folder)
    manifest = read_manifest(root)
    present, links = list_files(root)
    # Some file systems store accents in another form than suite.json has them.
    stored = {folded(name): name for name in present if name != MANIFEST}
    declared = {folded(name): digest for name, digest in manifest.files.items()}
    problems = [
        Problem(f"{name}: is a symbolic link; put the file itself there", "link", Place(name)) for name in links
    ]
    problems += [
        Problem(f"{name}: missing", "missing-file", Place(name))
        for name in sorted(declared.keys() - stored.keys() - set(map(folded, links)))
    ]
    problems += [
        Problem(f"{name}: extra, not listed in {MANIFEST}", "unknown-file", Place(name))
        for name in sorted(stored.keys() - declared.keys())
    ]
    for name in sorted(stored.keys() & declared.keys()):
        if sha256_file(root / stored[name]) != declared[name]:
            problems.append(
                Problem(f"{name}: changed, its SHA-256 is not the one in {MANIFEST}", "changed-file", Place(name))
            )
    try:
        suite = read_suite(root)
        problems = problems or _size_problems(suite, suite.samples, FileCache())
        if not problems:
            return suite
    except InputError as error:
        # Absent, changed and linked files are in the list already.
        known = (f"{root / METADATA} is missing.", " does not exist", "it was changed. Restore it", "a symbolic link;")
        unknown = [fault for fault in error.problems if not any(phrase in fault for phrase in known)]
        problems += unknown if problems else error.problems
    raise InputError(
        [*problems, Problem("To fix it: export the suite again, or download it again.", "more")],
        f"{root} is not the suite that its {MANIFEST} describes; {len(problems)} faults:",
        code="changed-file",
    )


def verify_files(suite: Suite, samples: Iterable[Sample] | None = None, files: FileCache | None = None) -> None:
    """Compare the images and masks of samples with their SHA-256 in ``suite.json``, and with each other in size.

    Scores name the suite by its hash, which is one over the declared files: if others were scored, it would lie.

    Args:
        suite: A loaded suite.
        samples: Some of its samples; all by default.
        files: Reads them, and keeps what is scored next.
    """
    files = files or FileCache()
    declared = {folded(name): digest for name, digest in read_manifest(suite.root).files.items()}
    chosen = suite.samples if samples is None else tuple(samples)
    paths = dict.fromkeys(path for sample in chosen for path in (sample.image, sample.mask))
    changed = [
        name
        for name, path in ((path.relative_to(suite.root).as_posix(), path) for path in paths)
        if files(path).sha256 != declared.get(folded(name))
    ]
    if changed:
        raise InputError(
            f"{suite.root} is not the suite {suite.name} {suite.version} any more, changed: {', '.join(changed)}. "
            f"Restore the files; or give the changed suite its own name and rewrite {MANIFEST} with "
            "rses.suites.write_manifest.",
            code="changed-file",
            place=Place(changed[0]),
        )
    problems = _size_problems(suite, chosen, files)
    if problems:
        raise InputError(problems, f"{suite.root} is not a sound suite:")


def _size_problems(suite: Suite, samples: Sequence[Sample], files: FileCache) -> list[Problem]:
    sizes: dict[Path, tuple[int, int]] = {}
    problems = []
    for path in dict.fromkeys(path for sample in samples for path in (sample.image, sample.mask)):
        try:
            sizes[path] = image_size(files(path))
        except InputError as error:
            problems += [problem.within(path.relative_to(suite.root).as_posix()) for problem in error.problems]
    for image, mask in dict.fromkeys((sample.image, sample.mask) for sample in samples):
        if image in sizes and mask in sizes and sizes[image] != sizes[mask]:
            text = (
                f"{mask.relative_to(suite.root).as_posix()}: is {sizes[mask][1]}x{sizes[mask][0]}, its "
                f"image is {sizes[image][1]}x{sizes[image][0]}."
                + turned_note(image, sizes[mask])
                + turned_note(mask, sizes[image])
            )
            problems.append(Problem(text, "wrong-size", Place(mask.relative_to(suite.root).as_posix())))
    return problems


def write_manifest(
    folder: str | Path, name: str, version: str, licence: str, left_out: Mapping[str, int] | None = None
) -> Manifest:
    """Write ``suite.json`` for the files that are in a folder now.

    Args:
        folder: A folder with ``metadata.jsonl`` and the files it names.
        name: Short name of the suite.
        version: Its version.
        licence: SPDX expression, or a sentence.
        left_out: How much a build left out, by reason; recorded beside the facts, and no part of the suite's hash.

    Raises:
        InputError: The folder holds symbolic links or no ``metadata.jsonl``.
    """
    root = Path(folder)
    present, links = list_files(root)
    if links:
        raise InputError([f"{link} is a symbolic link; put the file itself there" for link in links], code="link")
    if METADATA not in present:
        raise InputError(f"{root} has no {METADATA}.", code="missing-file", place=Place(str(root)))
    rows = [line for line in read_text(root / METADATA).split("\n") if line.strip()]
    files = {path: sha256_file(root / path) for path in present if path != MANIFEST}
    content: dict[str, Any] = {"name": name, "version": version, "licence": licence, "n": len(rows), "files": files}
    manifest = check(Manifest, content)
    if left_out:
        content["left_out"] = dict(left_out)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomic(root / MANIFEST, text.encode())
    return manifest


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
        frozen: A SHA-256 of `ids_sha256`, a ``selection.json`` of a built suite, or a file with one id per line.

    Returns:
        The SHA-256 of the list.

    Raises:
        InputError: The lists differ; names what is missing and what is extra.
    """
    ids = [sample.id for sample in suite.samples]
    digest = ids_sha256(ids)
    if is_sha256(frozen):
        if digest != frozen:
            raise InputError(f"The ids of {suite.name} hash to {digest}, the frozen list to {frozen}.", code="mismatch")
        return digest
    wanted = _frozen_ids(Path(frozen))
    problems = [
        Problem(f"{name}: missing from the suite", "missing-samples") for name in wanted if name not in set(ids)
    ]
    problems += [
        Problem(f"{name}: not in the frozen list", "unknown-samples") for name in ids if name not in set(wanted)
    ]
    if not problems and ids != wanted:
        problems = [Problem("the ids are the same, their order is not", "mismatch")]
    if problems:
        raise InputError(problems, f"{suite.name} does not hold the samples of {frozen}:", code="mismatch")
    return digest


def _frozen_ids(file: Path) -> list[str]:
    try:
        text = read_text(file)
    except InputError as error:
        raise InputError(
            f"--ids takes a SHA-256 or a readable file. {error}", code="missing-file", place=Place(field="--ids")
        ) from error
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        content = parse_json(text)
        ids, digest = list(content["ids"]), content.get("ids_sha256")
        changed = digest != ids_sha256(ids)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} is not a selection.json: {error}.", code="wrong-content", place=Place(str(file))
        ) from error
    if changed:
        raise InputError(
            f"{file}: its ids do not have the SHA-256 beside them; the list was changed.",
            code="changed-file",
            place=Place(str(file)),
        )
    return ids
