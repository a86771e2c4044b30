"""Check that a suite folder holds exactly the files it should."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.atomic import sha256_file, write_atomic
from rses.files.names import folded
from rses.files.paths import list_files
from rses.files.text import read_text
from rses.images.decode import image_size, turned_note
from rses.images.file import FileCache
from rses.suites.format import MANIFEST, METADATA, Manifest, Sample, Suite, read_manifest, read_suite

__all__ = ["verify_files", "verify_suite", "write_manifest"]


def verify_suite(folder: str | Path) -> Suite:
    """Compare every file with its SHA-256 in ``suite.json``.

    Args:
        folder: The suite folder.

    Returns:
        The suite, now known to be whole.

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
    problems = [f"{name}: is a symbolic link; put the file itself there" for name in links]
    problems += [f"{name}: missing" for name in sorted(declared.keys() - stored.keys() - set(map(folded, links)))]
    problems += [f"{name}: extra, not listed in {MANIFEST}" for name in sorted(stored.keys() - declared.keys())]
    for name in sorted(stored.keys() & declared.keys()):
        if sha256_file(root / stored[name]) != declared[name]:
            problems.append(f"{name}: changed, its SHA-256 is not the one in {MANIFEST}")
    suite = None
    try:
        suite = read_suite(root)
    except InputError as error:
        # Absent, changed and linked files are in the list already.
        known = ("does not exist", "is missing.", "it was changed", "a symbolic link")
        problems += [fault for fault in error.problems if not any(phrase in fault for phrase in known)]
    if suite is not None and not problems:
        problems = _size_problems(suite, suite.samples, FileCache())
    if problems:
        raise InputError(
            [*problems, "To fix it: export the suite again, or download it again."],
            f"{root} is not the suite that its {MANIFEST} describes; {len(problems)} faults:",
        )
    assert suite is not None
    return suite


def verify_files(suite: Suite, samples: Iterable[Sample] | None = None, files: FileCache | None = None) -> None:
    """Compare the images and masks of samples with their SHA-256 in ``suite.json``, and with each other in size.

    Scores name the suite by its hash, which is one over the declared files: if others were scored, it would lie.

    Args:
        suite: A loaded suite.
        samples: Some of its samples; all by default.
        files: Reads them, and keeps what is scored next.

    Raises:
        InputError: Lists every changed file, or every mask of another size than its image.
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
            "rses.suites.write_manifest."
        )
    problems = _size_problems(suite, chosen, files)
    if problems:
        raise InputError(problems, f"{suite.root} is not a sound suite:")


def _size_problems(suite: Suite, samples: Sequence[Sample], files: FileCache) -> list[str]:
    sizes: dict[Path, tuple[int, int]] = {}
    problems = []
    for path in dict.fromkeys(path for sample in samples for path in (sample.image, sample.mask)):
        try:
            sizes[path] = image_size(files(path))
        except InputError as error:
            problems += [f"{path.relative_to(suite.root).as_posix()}: {problem}" for problem in error.problems]
    for image, mask in dict.fromkeys((sample.image, sample.mask) for sample in samples):
        if image in sizes and mask in sizes and sizes[image] != sizes[mask]:
            problems.append(
                f"{mask.relative_to(suite.root).as_posix()}: is {sizes[mask][1]}x{sizes[mask][0]}, its "
                f"image is {sizes[image][1]}x{sizes[image][0]}."
                + turned_note(image, sizes[mask])
                + turned_note(mask, sizes[image])
            )
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
        raise InputError([f"{link} is a symbolic link; put the file itself there" for link in links])
    if METADATA not in present:
        raise InputError(f"{root} has no {METADATA}.")
    rows = [line for line in read_text(root / METADATA).split("\n") if line.strip()]
    files = {path: sha256_file(root / path) for path in present if path != MANIFEST}
    manifest = Manifest(name, version, licence, len(rows), files)
    content: dict[str, Any] = {"name": name, "version": version, "licence": licence, "n": manifest.n, "files": files}
    if left_out:
        content["left_out"] = dict(left_out)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomic(root / MANIFEST, text.encode())
    return manifest
