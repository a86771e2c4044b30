"""Share a suite: push it to the Hugging Face hub or into a folder of the same form, and pull it from there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from rses.errors import InputError
from rses.suites.export import export_suite
from rses.suites.format import MANIFEST, Suite, read_suite
from rses.suites.hub import fetch, hub_error
from rses.suites.registry import hub_id, load_suite

__all__ = ["pull_suite", "push_suite"]

_Progress = Callable[[int, int], None]


def push_suite(name_or_folder: str | Path, target: str, private: bool = True, progress: _Progress | None = None) -> str:
    """Share a suite as parquet with embedded images.

    Args:
        name_or_folder: A name from `list_suites`, or a suite folder.
        target: A hub id "org/name", or a folder that does not exist yet or is empty; see `hub_id` for which is which.
        private: Whether a data set that does not exist yet is made private. Licences of photographs often demand it.
        progress: Called with (samples done, samples in all).

    Returns:
        Where the data set lies now.

    Raises:
        InputError: The suite is unsound, the target is in use, or the hub refuses.
    """
    from rses.suites.parquet import write_dataset

    suite = load_suite(name_or_folder)
    if not hub_id(target):
        write_dataset(suite, Path(target), progress)
        return target
    with tempfile.TemporaryDirectory(prefix="rses-push-") as place:
        write_dataset(suite, Path(place) / "dataset", progress)
        return _upload(Path(place) / "dataset", target, private, f"Suite {suite.name} {suite.version}")


def _upload(folder: Path, target: str, private: bool, message: str) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        exists = api.repo_exists(target, repo_type="dataset")
        if exists and not api.file_exists(target, f"suite/{MANIFEST}", repo_type="dataset"):
            raise InputError(f"The data set {target} exists and is no suite, so it is left alone. Choose another name.")
        if not exists:
            api.create_repo(target, repo_type="dataset", private=private)
        api.upload_folder(
            repo_id=target, repo_type="dataset", folder_path=folder, commit_message=message,
            delete_patterns=["data/*", "suite/*"],
        )  # fmt: skip
    except Exception as error:  # of two HTTP libraries, which share no base
        raise hub_error(target, error, "pushed to") from error
    return f"https://huggingface.co/datasets/{target}"


def pull_suite(source: str, out: str | Path, revision: str | None = None, progress: _Progress | None = None) -> Suite:
    """Fetch a suite into a folder and verify it.

    Args:
        source: A hub id "org/name", or a folder that `push_suite` wrote, or a suite folder.
        out: A folder that does not exist yet or is empty.
        revision: Branch, tag or commit on the hub.
        progress: Called with (samples done, samples in all).

    Returns:
        The suite.

    Raises:
        InputError: There is none, it cannot be reached, or it is not what its ``suite.json`` describes.
    """
    from rses.suites.parquet import is_dataset, read_dataset

    target = Path(out).expanduser()
    if hub_id(source):
        return fetch(source, revision, target, progress)
    if revision is not None:
        raise InputError(f"{source} is a folder; a revision can be asked of a hub id only.")
    if is_dataset(Path(source).expanduser()):
        return read_dataset(Path(source).expanduser(), target, progress)
    return read_suite(export_suite(source, target))
