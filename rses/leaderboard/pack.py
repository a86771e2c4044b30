"""From a run folder to a submission."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import json
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.files.atomic import sha256_file, write_atomic
from rses.files.folders import new_folder
from rses.files.lock import holding
from rses.leaderboard.fields import SCHEMA
from rses.leaderboard.own_run import names_no_suite
from rses.leaderboard.submission import MANIFEST, Submission, read_submission
from rses.report.inputs import run_files
from rses.report.worst import worst_samples
from rses.runs.results import Results

__all__ = ["PREVIEWS", "add_run", "chosen_ids", "pack_run", "restore_replaced", "slug"]

PREVIEWS = 24
NEW, REPLACED = ".new-", ".replaced-"
"""Begin the names of a submission, and of the one whose place it takes, for a moment."""
PREVIEW_SIDE, PREVIEW_QUALITY = 256, 82


def slug(text: str) -> str:
    """Return a name that is safe as a folder and in an address.

    Example:
        >>> slug("RegionRoute (r=4)"), slug("../x"), slug("?")
        ('regionroute-r-4', 'x', 'unnamed')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9+.]+", "-", plain).strip("-.")[:80] or "unnamed"


def chosen_ids(ids: Sequence[str], number: int = PREVIEWS) -> list[str]:
    """Return evenly spread ids, the same for every method of a suite, so that any two can be compared.

    Example:
        >>> chosen_ids(["d", "a", "c", "b"], 2)
        ['a', 'c']
    """
    ordered = sorted(ids)
    return ordered if len(ordered) <= number else [ordered[i * len(ordered) // number] for i in range(number)]


def pack_run(
    run: str | Path, folder: str | Path, *, images: bool = False, previews: int = PREVIEWS, date: str | None = None,
    suite: str | Path | None = None,
) -> Submission:  # fmt: skip
    """Write a submission of a finished run into a new folder.

    Args:
        run: Run folder whose edited images are still where they were scored.
        folder: Folder to write; must not exist.
        images: Copy all edits, so that anybody can score them again.
        previews: How many small copies to keep for the page, of the same samples for every method; those of this
            method's worst samples are kept besides. None for 0.
        date: Day of the submission, today by default.
        suite: Name or folder of the suite, where the run does not say.

    Raises:
        InputError: The run is not finished, its images are gone, or what it holds is not sound.
    """
    source, target = Path(run), Path(folder)
    results = Results.load(source)
    if target.exists():
        raise InputError(
            f"{target} exists already. Pass --replace to put the new submission in its place.",
            code="already-there",
            place=Place(str(target)),
        )
    files = run_files(source, results, suite) or {}
    scored = [sample.id for sample in results.samples if sample.status == "ok"]
    found = {name: path for name in scored if name in files and (path := files[name].pred) is not None}
    if not scored or len(found) < len(scored):
        raise InputError(
            f"{source}: the images of {len(scored) - len(found)} of {len(scored)} scored samples were not found. "
            "Keep them where they were scored, or give --suite.",
            code="missing-file",
            place=Place(str(source)),
        )
    with new_folder(target) as new:
        for name in ("summary.json", "samples.parquet"):
            shutil.copyfile(source / name, new / name)
        manifest = {
            "schema": SCHEMA,
            "date": date or datetime.date.today().isoformat(),
            "files": {name: sha256_file(new / name) for name in ("summary.json", "samples.parquet")},
            "images": {name: sha256_file(path) for name, path in sorted(found.items())},
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        write_atomic(new / MANIFEST, text.encode())
        if images:
            (new / "images").mkdir()
            for name, path in found.items():
                shutil.copyfile(path, new / "images" / f"{name}{path.suffix.lower()}")
        _write_previews({name: found[name] for name in _previewed(results, previews)}, new / "previews")
        try:
            packed = read_submission(new)
        except InputError as error:
            # The folder of the draft says nothing to anybody.
            raise InputError(error.problems, f"{source} cannot be submitted:") from error
    return dataclasses.replace(packed, folder=target)


def _previewed(results: Results, number: int) -> list[str]:
    """Samples that every method shows, and those on which this one does worst."""
    scored = [sample for sample in results.samples if sample.status == "ok"]
    worst = [sample.id for sample in worst_samples(scored)] if number else []
    return [*chosen_ids([sample.id for sample in scored], number), *worst]


def _write_previews(files: dict[str, Path], folder: Path) -> None:
    from PIL import Image

    from rses.images.decode import read_image
    from rses.report.thumbs import fit

    if not files:
        return
    folder.mkdir()
    for name, path in files.items():
        small = Image.fromarray(fit(read_image(path), PREVIEW_SIDE))
        small.save(folder / f"{name}.jpg", "JPEG", quality=PREVIEW_QUALITY, subsampling=0)


def add_run(
    run: str | Path, boards: str | Path = "leaderboards", *, board: str | None = None, replace: bool = False,
    allow_missing: bool = False, **packing: Any,
) -> Path:  # fmt: skip
    """Pack a run into ``results/<board>/<method>`` of a leaderboards folder.

    Args:
        run: Run folder.
        boards: The leaderboards folder.
        board: Name of the board's folder; ``<suite>--<protocol>`` by default.
        replace: Replace an older submission of the same method and seed.
        allow_missing: Accept a run on a part of its suite, e.g. for a board that is to be looked at alone.
        packing: ``images``, ``previews``, ``date`` and ``suite`` of :func:`pack_run`.

    Returns:
        The new folder.

    Raises:
        InputError: As in :func:`pack_run`; or the run belongs to no suite, or holds a part of it.
    """
    results = Results.load(run)
    info = results.info
    suite_name, protocol = (info.get("suite") or {}).get("name"), (info.get("protocol") or {}).get("id")
    if not suite_name or not protocol or (names_no_suite(info) and packing.get("suite") is None):
        raise InputError(
            f"{run} names no suite. Score it with --suite NAME, so that it has a board to stand on.",
            code="missing-key",
            place=Place(str(run)),
        )
    whole = (info.get("generation") or {}).get("suite_samples", len(results.samples))
    if isinstance(whole, int) and len(results.samples) < whole and not allow_missing:
        raise InputError(
            f"{run} holds {len(results.samples)} of the suite's {whole} samples, and a board compares whole suites. "
            "Bench without --limit, or merge the shards first (rses merge).",
            code="missing-samples",
            place=Place(str(run)),
        )
    seed = (info.get("method_card") or {}).get("seed")
    method = str(info.get("method"))
    tail = f"-seed{seed}" if isinstance(seed, int) and seed else ""
    place_name = "--".join(map(slug, board.split("--") if board else (suite_name, protocol)))
    target = Path(boards) / "results" / place_name / (slug(method) + tail)
    with holding(Path(boards)):
        restore_replaced(target.parent)
        if target.exists() and _method_of(target) not in (None, method):
            # Two names that differ in what folder names cannot hold.
            target = target.with_name(f"{slug(method)}-{hashlib.sha256(method.encode()).hexdigest()[:8]}{tail}")
        if not (target.exists() and replace):
            pack_run(run, target, **packing)
            return target
        new, old = (target.with_name(f"{prefix}{target.name}") for prefix in (NEW, REPLACED))
        pack_run(run, new, **packing)
        target.rename(old)
        try:
            new.rename(target)
        except OSError:
            old.rename(target)
            raise
        _remove(old, new)
    return target


def restore_replaced(board: Path) -> None:
    """Put back what a killed process was about to replace on a board, and remove what it had replaced."""
    for old in board.glob(f"{REPLACED}*"):
        target = old.with_name(old.name.removeprefix(REPLACED))
        if target.exists():
            _remove(old, old.with_name(f"{NEW}{target.name}"))
        else:
            old.rename(target)
    for new in board.glob(f"{NEW}*"):
        shutil.rmtree(new, ignore_errors=True)


def _remove(old: Path, doomed: Path) -> None:
    """Remove a replaced submission under a name that is always removed, so that no half of one is ever put back."""
    shutil.rmtree(doomed, ignore_errors=True)
    with contextlib.suppress(OSError):
        old.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _method_of(submission: Path) -> str | None:
    """Return whose a submission is, or ``None`` where it cannot be read."""
    try:
        return str(Results.load(submission).info.get("method"))
    except InputError:
        return None
