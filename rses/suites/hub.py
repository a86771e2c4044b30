"""Suites of the Hugging Face hub, and the cache that loading unpacks them into."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rses.backbones.digests import cache_home
from rses.errors import InputError, Place, Problem
from rses.files.paths import id_problem
from rses.suites.format import MANIFEST, Suite, read_manifest, read_suite

_Progress = Callable[[int, int], None]


def suite_cache() -> Path:
    """Folder into which suites from the hub are unpacked.

    ``$RSES_SUITE_CACHE``, or else ``rses/suites`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    own = os.environ.get("RSES_SUITE_CACHE")
    return Path(own).expanduser() if own else cache_home() / "rses" / "suites"


def cached_folder(folder: Path) -> Suite:
    """Load a folder that `push_suite` wrote, by way of the cache, where it is known by its SHA-256."""
    from rses.suites.parquet import read_dataset

    place = suite_cache() / f"folder--{read_manifest(folder / 'suite').sha256[:32]}"
    return _known(place) or _unless_made(place, lambda: read_dataset(folder, place))


def cached_suite(repo: str, revision: str | None = None) -> Suite:
    """Load a suite of the hub, by way of the cache, where it is known by its commit.

    The hub is asked which commit the revision is; where it cannot be reached, the last known one is used.
    """
    home = suite_cache() / f"hub--{repo.replace('/', '--')}"
    name = revision or "main"
    note = home / "refs" / name.replace("/", "--")
    if fault := id_problem(note.name):
        raise InputError(f'Revision "{name}" {fault}.', code="bad-path", place=Place(field="revision"))
    try:
        commit = name if re.fullmatch(r"[0-9a-f]{40}", name) and (home / name).is_dir() else _commit(repo, name)
    except InputError as error:
        known = note.read_text("utf-8").strip() if isinstance(error, _Unreachable) and note.is_file() else ""
        if not re.fullmatch(r"[0-9a-f]{40}", known):
            raise
        commit = known
    place = home / commit
    suite = _known(place) or _unless_made(place, lambda: fetch(repo, commit, place, None))
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(commit, encoding="utf-8")
    return suite


def _known(place: Path) -> Suite | None:
    # Anything that a broken-off run or somebody else left there is made again.
    try:
        return read_suite(place) if place.is_dir() else None
    except InputError:
        shutil.rmtree(place)
        return None


def _unless_made(place: Path, make: Callable[[], Suite]) -> Suite:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        return make()
    except InputError:
        # Another process may have been faster.
        if place.is_dir() and (place / MANIFEST).is_file():
            return read_suite(place)
        raise


def fetch(repo: str, revision: str | None, out: Path, progress: _Progress | None) -> Suite:
    """Fetch a suite of the hub into a folder and verify it."""
    from huggingface_hub import snapshot_download

    from rses.suites.parquet import read_dataset

    beside = out.absolute().parent
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rses-pull-", dir=beside) as place:
        try:
            snapshot_download(
                repo, repo_type="dataset", revision=revision, local_dir=place,
                allow_patterns=["data/*.parquet", "suite/*"],
            )  # fmt: skip
        except Exception as error:
            raise hub_error(repo, error, "loaded") from error
        try:
            return read_dataset(Path(place), out, progress)
        except InputError as error:
            faults = [
                Problem(problem.replace(f"{place}{os.sep}", ""), problem.code, problem.place)
                for problem in error.problems
            ]
            raise InputError(faults, f"The data set {repo} cannot be used as a suite:") from error


def _commit(repo: str, revision: str) -> str:
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(repo, revision=revision, timeout=20).sha)
    except Exception as error:
        raise hub_error(repo, error, "loaded") from error


class _Unreachable(InputError):
    """The hub did not answer."""


def hub_error(repo: str, error: Exception, verb: str) -> InputError:
    """Turn what ``huggingface_hub`` raised into one message that says what to do."""
    from huggingface_hub import errors

    if isinstance(error, InputError):
        return error
    reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    known: dict[type[Any], str] = {
        errors.GatedRepoError: "it is gated: accept its terms on its page, then log in with `hf auth login`",
        errors.RepositoryNotFoundError: "the hub has none of this name, or it is private: check the name, log in with "
        "`hf auth login`, or give the path of a folder",
        errors.RevisionNotFoundError: "it has no such revision",
        errors.HFValidationError: reason,
    }
    said = next((text for kind, text in known.items() if isinstance(error, kind)), "")
    if not said and status in (401, 403):
        said = "no permission. Log in with `hf auth login`"
    elif not said and status is not None:
        said = f"the hub answered {status} ({reason})"
    if said:
        return InputError(f"The data set {repo} cannot be {verb}: {said}.", code="no-network")
    other = (
        f"have it pulled elsewhere with `rses suites pull {repo} --out DIR` and give that folder; if {repo} is meant "
        "as a folder, check its path"
        if verb == "loaded"
        else "push into a folder and have that uploaded"
    )
    return _Unreachable(
        f"The data set {repo} cannot be {verb}: the hub cannot be reached ({reason}). Check the connection "
        f"and HF_HUB_OFFLINE; or {other}.",
        code="no-network",
    )
