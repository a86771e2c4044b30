"""Copy and share a suite: to a folder, to the Hugging Face hub or a folder of its form, and as a `datasets.Dataset`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError, Place
from rses.files.folders import new_folder
from rses.suites.format import MANIFEST, Suite, read_manifest, read_rows, read_suite
from rses.suites.hub import fetch, hub_error
from rses.suites.registry import hub_id, load_suite
from rses.suites.verify import verify_suite

if TYPE_CHECKING:
    from datasets import Dataset

_Progress = Callable[[int, int], None]


def export_suite(name_or_folder: str | Path, destination: str | Path) -> Path:
    """Copy a suite and verify the copy, which appears under its final name only when it is whole.

    Args:
        name_or_folder: A name from `list_suites`, or a suite folder.
        destination: A folder that does not exist yet or is empty.

    Raises:
        InputError: The destination is in use or cannot be written, or the suite is unsound.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     copy = export_suite("mini", Path(folder) / "mini")
        ...     len(list((copy / "images").iterdir()))
        96
    """
    # Copying follows links, so the source is verified before anything is read from it.
    suite = verify_suite(load_suite(name_or_folder).root)
    target = Path(destination).expanduser()
    try:
        with new_folder(target) as temporary:
            for name in (*read_manifest(suite.root).files, MANIFEST):
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(suite.root / name, temporary / name)
            verify_suite(temporary)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}.", code="unwritable") from error
    return target


def to_hf(suite: Suite) -> Dataset:
    """Return the samples as a Hugging Face data set with the images' bytes in it.

    Columns are those of ``metadata.jsonl`` that hold texts, ``tags``, and ``image`` and ``mask`` instead of the file
    names; masks are shown as mode "L". The rows are streamed into the cache of ``datasets``. `push_suite` writes the
    form from which the suite can be had back whole.

    Raises:
        InputError: The suite's files are not as ``suite.json`` declares.
    """
    from datasets import Dataset, Features, Image, Value

    from rses.suites.parquet import text_columns

    verified = verify_suite(suite.root)
    texts = {name: Value("string") for name in text_columns(read_rows(verified.root))}
    features = Features({**texts, "tags": [Value("string")], "image": Image(), "mask": Image(mode="L")})
    # The hash is there for the cache of `datasets`: another suite in the same folder is another data set.
    arguments = {"root": str(verified.root), "sha256": verified.sha256}
    return Dataset.from_generator(_rows, features=features, gen_kwargs=arguments, split="test", writer_batch_size=16)


def _rows(root: str, sha256: str) -> Iterator[dict[str, Any]]:
    from rses.suites.parquet import sample_rows

    del sha256
    yield from sample_rows(read_suite(Path(root)))


def push_suite(name_or_folder: str | Path, target: str, private: bool = True, progress: _Progress | None = None) -> str:
    """Share a suite as parquet with embedded images.

    Args:
        name_or_folder: A name from `list_suites`, or a suite folder.
        target: A hub id "org/name", or a folder that does not exist yet or is empty; see `hub_id` for which is which.
        private: Whether a data set that does not exist yet is made private. Licences of photographs often demand it.
        progress: Called with (done, total).

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
            raise InputError(
                f"The data set {target} exists and is no suite, so it is left alone. Choose another name.",
                code="already-there",
            )
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
        progress: Called with (done, total).

    Raises:
        InputError: There is none, it cannot be reached, or it is not what its ``suite.json`` describes.
    """
    from rses.suites.parquet import is_dataset, read_dataset

    target = Path(out).expanduser()
    if hub_id(source):
        return fetch(source, revision, target, progress)
    if revision is not None:
        raise InputError(
            f"{source} is a folder; a revision can be asked of a hub id only.",
            code="exclusive",
            place=Place(str(source)),
        )
    if is_dataset(Path(source).expanduser()):
        return read_dataset(Path(source).expanduser(), target, progress)
    return read_suite(export_suite(source, target))
