"""Put the shards of one run together."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rses.bench.forget import forget_run
from rses.errors import InputError, Place, Problem
from rses.files.atomic import remove_leftovers
from rses.files.lock import exclusive
from rses.images.decode import IMAGE_EXTENSIONS
from rses.runs.journal import EDITS, SCORES
from rses.runs.results import Results

__all__ = ["merge_runs"]

VARIES = ("wall_time_s", "generation")
"""What may differ between shards of one run."""


def merge_runs(
    runs: Sequence[str | Path], out: str | Path, *, allow_missing: bool = False, fresh: bool = False
) -> Results:
    """Merge runs of one method on parts of one suite into a run of the whole.

    Args:
        runs: Finished run folders.
        out: New run folder.
        allow_missing: Accept that samples of the suite are in none of the runs.
        fresh: Replace another run that ``out`` holds.

    Raises:
        InputError: The runs differ in a setting, share samples, or leave samples of the suite out; or ``out`` is one
            of them, or holds something else than an earlier merge of the same run.

    Returns:
        The merged run, also written to ``out`` with all edits.
    """
    folders, target = [Path(run) for run in runs], Path(out)
    if not folders:
        raise InputError("Give at least one run to merge.", code="missing-option")
    if problem := _target_problem(folders, target):
        raise InputError(problem)
    parts = [Results.load(folder) for folder in folders]
    problems = [*_differences(folders, parts), *_repeated(folders, parts)]
    expected = _expected(parts)
    found = sum(len(part.samples) for part in parts)
    if not problems and found < expected and not allow_missing:
        text = f"together the runs hold {found} of {expected} samples. Merge all shards, or pass --allow-missing."
        problems.append(Problem(text, "missing-samples"))
    if problems:
        raise InputError(problems, "These runs cannot be merged:", code="mismatch")
    merged = Results(sorted((s for part in parts for s in part.samples), key=lambda s: s.id), _info(parts))
    with exclusive(target):
        remove_leftovers(target, target / "images")
        _guard(target, folders, merged, fresh)
        for folder, part in zip(folders, parts, strict=True):
            _take_images(folder / "images", target / "images", part)
        merged.save(target)
    return merged


def _target_problem(folders: Sequence[Path], target: Path) -> Problem | None:
    """Say why a merged run cannot be written to a folder."""
    place, where = target.resolve(), Place(str(target))
    if any(folder.resolve() == place for folder in folders):
        return Problem(f"{target} is one of the runs to merge: choose another --out.", "overlap", where)
    if any(folder.resolve() in place.parents for folder in folders):
        return Problem(f"{target} lies in one of the runs to merge: choose another --out.", "overlap", where)
    for folder in (place, *place.parents):
        if (folder / "suite.json").exists():
            relation = "is" if folder == place else "lies in"
            return Problem(f"{target} {relation} a suite ({folder}). Choose another --out.", "overlap", where)
    if target.is_dir() and any(path.suffix.lower() in IMAGE_EXTENSIONS for path in target.iterdir()):
        return Problem(f"{target} is a folder of pictures. Choose another --out.", "not-empty", where)
    return None


def _guard(target: Path, folders: Sequence[Path], merged: Results, fresh: bool) -> None:
    """Refuse a folder that holds anything but an earlier merge of the same run, or make room there.

    Raises:
        InputError: It holds another run or pictures of unknown origin.
    """
    there = Results.load(target) if (target / "summary.json").exists() else None
    if fresh:
        forget_run(target, [] if there is None else [sample.id for sample in there.samples])
    problem = None if fresh else _other_run(target, there, merged)
    if problem is not None:
        raise InputError(
            f"{target} {problem}. Choose another --out, or pass --fresh to replace it.",
            code="already-there",
            place=Place(str(target)),
        )
    if there is not None and not fresh:
        return
    for path in sorted((target / "images").glob("*.png")):
        if not any(_same(path, folder / "images" / path.name) for folder in folders):
            raise InputError(
                f"{target} holds pictures of unknown origin, e.g. {path}. Choose another --out.",
                code="unknown-file",
                place=Place(str(target)),
            )


def _other_run(target: Path, there: Results | None, merged: Results) -> str | None:
    for name in (EDITS, SCORES):
        if (target / name).exists():
            return f"holds a run of its own ({name})"
    if there is None:
        return None
    keys = sorted({*there.info, *merged.info} - set(VARIES))
    other = [key for key in keys if there.info.get(key) != merged.info.get(key)]
    return f"holds the results of another run (different: {', '.join(other)})" if other else None


def _same(path: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(path, other, shallow=False)


def _differences(folders: Sequence[Path], parts: Sequence[Results]) -> list[Problem]:
    first = parts[0].info
    problems = []
    for folder, part in zip(folders[1:], parts[1:], strict=True):
        keys = sorted({*first, *part.info} - set(VARIES))
        changed = [key for key in keys if first.get(key) != part.info.get(key)]
        generation, other = first.get("generation", {}), part.info.get("generation", {})
        changed += [
            f"generation.{key}"
            for key in ("device", "dtype", "loaded", "limit")
            if generation.get(key) != other.get(key)
        ]
        # Where weights were loaded, the libraries that did it may show.
        if generation.get("loaded") and generation.get("versions") != other.get("versions"):
            changed.append("generation.versions")
        if changed:
            text = f"{folder} differs from {folders[0]} in {', '.join(changed)}"
            problems.append(Problem(text, "mismatch", Place(str(folder), field=", ".join(changed))))
    return problems


def _repeated(folders: Sequence[Path], parts: Sequence[Results]) -> list[Problem]:
    seen: dict[str, Path] = {}
    problems = []
    for folder, part in zip(folders, parts, strict=True):
        again = [sample.id for sample in part.samples if sample.id in seen]
        if again:
            text = f"{folder} and {seen[again[0]]} both hold {len(again)} samples, e.g. {again[0]}"
            problems.append(Problem(text, "used-twice", Place(str(folder))))
        seen.update((sample.id, folder) for sample in part.samples)
    return problems


def _expected(parts: Sequence[Results]) -> int:
    facts = parts[0].info.get("generation", {})
    whole = facts.get("suite_samples", 0)
    return int(min(whole, facts["limit"]) if facts.get("limit") else whole)


def _info(parts: Sequence[Results]) -> dict[str, Any]:
    facts = [part.info.get("generation", {}) for part in parts]
    info = dict(parts[0].info)
    info["wall_time_s"] = round(sum(part.info.get("wall_time_s", 0.0) for part in parts), 3)
    info["generation"] = {
        **facts[0], "shard": None, "failed": sum(fact.get("failed", 0) for fact in facts),
        "sizes": sorted({size for fact in facts for size in fact.get("sizes", ())}),
    }  # fmt: skip
    return info


def _take_images(source: Path, target: Path, part: Results) -> None:
    """Bring edits into the merged run: as further names of the same files where possible, else as copies."""
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(f"{sample.id}.png" for sample in part.samples):
        path, kept = source / name, target / name
        # The folder may hold an earlier edit of a sample that has failed since.
        kept.unlink(missing_ok=True)
        if not path.is_file():
            continue
        try:
            os.link(path, kept)
        except OSError:
            shutil.copyfile(path, kept)
