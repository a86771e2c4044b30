"""A suite as parquet with embedded images, the form in which it lies on the Hugging Face hub.

    dataset/
      README.md                          the suite's card; its YAML block names the parquet files
      data/test-00000-of-00001.parquet   one row per sample; image and mask as {bytes, path}
      suite/                             every other file of the suite as it is: suite.json, metadata.jsonl, ...

Both forms hold the same bytes: images are embedded as their files are, never encoded again. Files are read and written
by row groups, so memory does not grow with the suite.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rses.errors import InputError, Place, Problem
from rses.files.atomic import sha256_bytes
from rses.files.folders import new_folder
from rses.files.names import listed
from rses.files.parquet_pages import measure_pages
from rses.files.paths import path_problem
from rses.suites.format import COLUMNS, MANIFEST, METADATA, Manifest, Suite, read_manifest, read_rows, read_suite
from rses.suites.verify import verify_suite

ROW_GROUP, SHARD = 16 << 20, 512 << 20
"""Bytes of image and mask in a row group and in a file, about."""
MAX_PAGE = 512 << 20
"""Bytes that a page of a file, and the cells read at once, may take."""

_NAMES = {"image": "file_name", "mask": "mask_file_name"}
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_Progress = Callable[[int, int], None]


def is_dataset(folder: Path) -> bool:
    """Whether a folder is of the form above.

    Example:
        >>> is_dataset(Path("no such folder"))
        False
    """
    return (folder / "suite" / MANIFEST).is_file()


def text_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns that hold a text in every row and become columns of the data set; the file names do not.

    Example:
        >>> text_columns([{"id": "a", "file_name": "a.png", "licence": "CC0-1.0", "size": 3}])
        ['id', 'licence']
    """
    left_out = (*_NAMES, *_NAMES.values(), "tags")
    names = dict.fromkeys(key for row in rows for key in row if key not in left_out)
    return [name for name in names if all(isinstance(row.get(name), str) for row in rows)]


def sample_rows(suite: Suite) -> Iterator[dict[str, Any]]:
    """Yield the rows with embedded files, one at a time."""
    rows = read_rows(suite.root)
    texts = text_columns(rows)
    last: dict[str, tuple[str, bytes]] = {}
    for row in rows:
        cells: dict[str, Any] = {name: row[name] for name in texts} | {"tags": list(row["tags"])}
        for column, key in _NAMES.items():
            # Rows of one photograph mostly follow each other.
            if last.get(column, ("",))[0] != row[key]:
                last[column] = (row[key], (suite.root / row[key]).read_bytes())
            cells[column] = {"bytes": last[column][1], "path": row[key]}
        yield cells


def write_dataset(suite: Suite, out: Path, progress: _Progress | None = None) -> None:
    """Write a suite as parquet.

    Raises:
        InputError: The suite, which is verified first, is unsound, or the folder is in use. Nothing is left then.
    """
    suite = verify_suite(suite.root)
    manifest = read_manifest(suite.root)
    rows = read_rows(suite.root)
    if not rows:
        raise InputError(f"{suite.name} has no samples, so there is nothing to share.", code="empty")
    embedded = {row[key] for row in rows for key in _NAMES.values()}
    with new_folder(out) as folder:
        for name in (*sorted(set(manifest.files) - embedded), MANIFEST):
            _copy(suite.root / name, folder / "suite" / name)
        _write_shards(suite, text_columns(rows), folder / "data", progress)
        _write_card(suite, folder)


def _write_shards(suite: Suite, texts: Sequence[str], folder: Path, progress: _Progress | None) -> None:
    folder.mkdir()
    schema, files = _schema(texts), list[Path]()
    groups = _groups(sample_rows(suite))
    done, rows = next(groups, (0, []))
    while rows:
        files.append(folder / f"{len(files):05d}.tmp")
        written = 0
        # The limit lets a photograph that several rows share be stored once in a row group.
        with pq.ParquetWriter(files[-1], schema, dictionary_pagesize_limit=2 * ROW_GROUP) as writer:
            while rows and written < SHARD:
                table = pa.Table.from_pylist(rows, schema=schema)
                writer.write_table(table)
                written += table.nbytes
                if progress is not None:
                    progress(done, len(suite))
                done, rows = next(groups, (0, []))
    for number, file in enumerate(files):
        file.rename(folder / f"test-{number:05d}-of-{len(files):05d}.parquet")


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield rows by row group, with the number of rows so far."""
    group: list[dict[str, Any]] = []
    size = done = 0
    for done, row in enumerate(rows, 1):  # noqa: B007
        group.append(row)
        size += sum(len(row[column]["bytes"]) for column in _NAMES)
        if size >= ROW_GROUP:
            yield done, group
            group, size = [], 0
    if group:
        yield done, group


def _schema(texts: Sequence[str]) -> pa.Schema:
    text = {"dtype": "string", "_type": "Value"}
    features: dict[str, Any] = dict.fromkeys(texts, text)
    # A list in brackets is read by every version of `datasets`.
    features |= {"tags": [text], "image": {"_type": "Image"}, "mask": {"mode": "L", "_type": "Image"}}
    fields = [(name, pa.string()) for name in texts]
    fields += [("tags", pa.list_(pa.string())), ("image", _IMAGE), ("mask", _IMAGE)]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _write_card(suite: Suite, folder: Path) -> None:
    from huggingface_hub import metadata_load, metadata_save

    card, source = folder / "README.md", suite.root / "README.md"
    text = source.read_text("utf-8") if source.is_file() else f"# {suite.name}\n\n{len(suite)} samples.\n"
    about = (
        "## Loading it\n\n`rses.load_suite` and `rses suites pull` take this data set and verify it; "
        f"`datasets.load_dataset` gives its rows. `suite/` holds the suite's own card and lists.\n\n"
        f"Suite {suite.name}, version {suite.version}, SHA-256 {suite.sha256}.\n"
    )
    card.write_text(f"{text.rstrip()}\n\n{about}", encoding="utf-8", newline="\n")
    try:
        data = metadata_load(card) or {}
    except Exception as error:  # the YAML reader has many exceptions
        raise InputError(
            f"{source} has a YAML block that cannot be read: {error}.", code="unreadable", place=Place(str(source))
        ) from error
    data["configs"] = [{"config_name": "default", "data_files": [{"split": "test", "path": "data/test-*.parquet"}]}]
    metadata_save(card, data)


def read_dataset(folder: Path, out: Path, progress: _Progress | None = None) -> Suite:
    """Turn a data set of the form above back into a suite folder, and verify it.

    Only files that ``suite.json`` lists, and whose names stay inside the suite, are written; what the parquet says of
    names is compared, never followed.

    Raises:
        InputError: The data set is not what its ``suite.json`` describes; lists all faults. Nothing is left then.
    """
    own, shards = folder / "suite", sorted((folder / "data").glob("*.parquet"))
    links = [path for path in (folder / "data", own, own / MANIFEST, *shards) if path.is_symlink()]
    if links:
        text = "is a symbolic link; put the file itself there"
        raise InputError([Problem(f"{path} {text}", "link", Place(str(path))) for path in links])
    if not is_dataset(folder) or not shards:
        raise InputError(
            f"{folder} is no suite as parquet: expected data/*.parquet and suite/{MANIFEST}, as `rses suites push` "
            f"writes them.",
            code="missing-file",
            place=Place(str(folder)),
        )
    manifest = read_manifest(own)
    with new_folder(out) as temporary:
        _copy_own(own, temporary, [MANIFEST, METADATA])
        rows = _sound_rows(temporary, manifest, folder)
        embedded = {row[key] for row in rows for key in _NAMES.values()}
        others = sorted(set(manifest.files) - embedded - {METADATA})
        _copy_own(own, temporary, others)
        if problems := _unpack(shards, rows, manifest, temporary, progress):
            raise InputError(problems, f"{folder} is not the suite it says:", code="mismatch")
        try:
            verify_suite(temporary)
        except InputError as error:
            raise InputError(error.problems, f"{folder} is not the suite that its {MANIFEST} describes:") from error
    return read_suite(out.expanduser())


def _copy_own(own: Path, target: Path, names: Sequence[str]) -> None:
    problems = [f"suite/{name} {fault}" for name in names if (fault := path_problem(own, name))]
    problems += [
        Problem(f"suite/{name} is missing", "missing-file", Place(f"suite/{name}"))
        for name in names
        if not (own / name).is_file()
    ]
    if problems:
        raise InputError(problems, f"{own} is incomplete:", code="missing-file")
    for name in names:
        _copy(own / name, target / name)


def _sound_rows(root: Path, manifest: Manifest, folder: Path) -> list[dict[str, Any]]:
    if sha256_bytes((root / METADATA).read_bytes()) != manifest.files[METADATA]:
        raise InputError(
            f"{folder / 'suite' / METADATA} is not the one {MANIFEST} describes: it was changed.", code="changed-file"
        )
    try:
        rows = read_rows(root)
    except ValueError as error:
        raise InputError(f"{folder / 'suite' / METADATA} cannot be read: {error}.", code="unreadable") from error

    def sound(row: Any) -> bool:
        if not isinstance(row, dict) or not set(COLUMNS) <= set(row):
            return False
        return all(isinstance(row[key], str) and row[key] in manifest.files for key in _NAMES.values())

    bad = [str(number) for number, row in enumerate(rows, 1) if not sound(row)]
    if bad:
        wanted = f"the columns {', '.join(COLUMNS)} and files that {MANIFEST} lists"
        raise InputError(
            f"{folder / 'suite' / METADATA}: expected {wanted}, not so in row {listed(bad)}.", code="wrong-content"
        )
    return rows


def _unpack(
    shards: Sequence[Path], rows: Sequence[Mapping[str, Any]], manifest: Manifest, root: Path,
    progress: _Progress | None,
) -> list[str]:  # fmt: skip
    problems: list[str] = []
    texts, count = text_columns(rows), 0
    for cells in _cells(shards, (*texts, *_NAMES)):
        count += 1
        if count > len(rows):
            continue
        row = rows[count - 1]
        problems += [
            f'row {count}: {name} is "{cells[name]}" in the parquet, "{row[name]}" in {METADATA}'
            for name in texts
            if cells[name] != row[name]
        ]
        for column, key in _NAMES.items():
            fault = _store(cells[column], row[key], manifest, root)
            problems += [f"row {count}: {column} {fault}"] if fault else []
        if progress is not None:
            progress(count, len(rows))
    if count != len(rows):
        problems.append(f"the parquet holds {count} rows, {METADATA} has {len(rows)}; a file of data/ may be missing")
    return problems


def _store(cell: Any, name: str, manifest: Manifest, root: Path) -> str | None:
    if not isinstance(cell, dict) or not isinstance(cell.get("bytes"), bytes):
        return "holds no bytes; a parquet that names files of another machine cannot be used"
    if cell.get("path") != name:
        return f'is called "{cell.get("path")}", expected "{name}"'
    place = root / name
    if sha256_bytes(cell["bytes"]) != manifest.files[name]:
        return f'"{name}" does not have the SHA-256 that {MANIFEST} declares'
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(cell["bytes"])
    return None


def _cells(shards: Sequence[Path], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for shard in shards:
        try:
            with pq.ParquetFile(shard, pre_buffer=False) as parquet:
                absent = [name for name in columns if name not in parquet.schema_arrow.names]
                if absent:
                    raise InputError(
                        f"{shard} lacks the columns {', '.join(absent)}.", code="missing-key", place=Place(str(shard))
                    )
                # A page's longest cell may stand in every row.
                pages = measure_pages(shard)
                if pages.largest > MAX_PAGE:
                    raise InputError(
                        f"{shard} has pages of {pages.largest >> 20} MB; at most {MAX_PAGE >> 20} are read.",
                        code="too-large",
                        place=Place(str(shard)),
                    )
                rows = max(1, min(8, MAX_PAGE // max(1, pages.largest)))
                for batch in parquet.iter_batches(batch_size=rows, columns=list(columns), use_threads=False):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise InputError(
                f"{shard} is not a readable parquet file: {error}.", code="unreadable", place=Place(str(shard))
            ) from error


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
