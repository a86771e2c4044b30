"""Reading ``samples.parquet``: a file of kilobytes can stand for gigabytes, so what it unpacks to is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rses.errors import InputError, Place
from rses.files.parquet_pages import measure_pages
from rses.files.paths import id_problem
from rses.runs.sample_result import SampleResult

MAX_ROWS, MAX_COLUMNS = 1_000_000, 200
MAX_PAGE, MAX_VALUES = 128 << 20, 8_000_000
"""Bytes that one page may unpack to (writers make pages of about 1 MB), and values of a column."""
AT_ONCE, BATCH = 64 << 20, 500
"""Bytes and rows that are unpacked at once: a page's longest text may stand in every row."""
MAX_ROW, MAX_TEXTS = 16 << 10, 512 << 20
"""Bytes that the texts of a row may take on average, and those of all rows."""


def read_samples(path: Path) -> list[SampleResult]:
    """Read the samples of a run.

    Raises:
        InputError: Unpacks to too much, ids that are absent or there twice, or values of another type.
    """
    samples: list[SampleResult] = []
    seen: set[str] = set()
    for row in read_rows(path):
        try:
            sample = SampleResult.from_dict(row)
        except ValueError as error:
            raise InputError(
                f"{path}, row {len(samples) + 1}: {error}.", code="wrong-content", place=Place(str(path))
            ) from error
        if id_problem(sample.id, portable=False):
            # Ids name files, which commands write and remove.
            raise InputError(
                f'{path}, row {len(samples) + 1}: the id "{sample.id[:80]}" cannot name a file.',
                code="bad-id",
                place=Place(str(path)),
            )
        if sample.id in seen:
            raise InputError(
                f'{path}, row {len(samples) + 1}: the id "{sample.id[:80]}" is used before.',
                code="used-twice",
                place=Place(str(path)),
            )
        seen.add(sample.id)
        samples.append(sample)
    return samples


def read_rows(path: Path, max_rows: int = MAX_ROWS, max_columns: int = MAX_COLUMNS) -> Iterator[dict[str, Any]]:
    """Yield the rows of a parquet file, a batch at a time.

    Raises:
        InputError: Not parquet, or it unpacks to more than a table of samples can hold.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            about = file.metadata
            if about.num_rows > max_rows or about.num_columns > max_columns:
                raise InputError(
                    f"{path} holds {about.num_rows} rows of {about.num_columns} columns; at most {max_rows} rows of "
                    f"{max_columns} columns are read.",
                    code="too-large",
                    place=Place(str(path)),
                )
            pages = measure_pages(path)
            if pages.largest > MAX_PAGE or pages.values > MAX_VALUES:
                raise InputError(
                    f"{path} has pages of {pages.largest >> 20} MB unpacked and columns of {pages.values} values; at "
                    f"most {MAX_PAGE >> 20} MB and {MAX_VALUES} values are read.",
                    code="too-large",
                    place=Place(str(path)),
                )
            rows = max(1, min(BATCH, AT_ONCE // max(1, pages.largest)))
            held = count = 0
            for batch in file.iter_batches(rows, use_threads=False):
                held, count = held + _texts(batch, path), count + batch.num_rows
                if held > MAX_TEXTS or count > max_rows:
                    raise InputError(
                        f"{path} unpacks to more than {MAX_TEXTS >> 20} MB of text or {max_rows} rows.",
                        code="too-large",
                        place=Place(str(path)),
                    )
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path} cannot be read as parquet: {str(error)[:200] or type(error).__name__}",
            code="unreadable",
            place=Place(str(path)),
        ) from error


def _texts(batch: Any, path: Path) -> int:
    """Return how many bytes the texts and lists of a batch take.

    Raises:
        InputError: More than rows of samples can say.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in batch.columns:
        values, items = column, 0
        while pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            values = values.flatten()
            items += len(values)
        if pa.types.is_nested(values.type) or pa.types.is_dictionary(values.type):
            raise InputError(
                f"{path} has a column of type {column.type}, which no table of samples has.",
                code="wrong-type",
                place=Place(str(path)),
            )
        texts = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        texts = texts or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)
        held = items + ((pc.sum(pc.binary_length(values)).as_py() or 0) if texts else 0)
        if held > MAX_ROW * batch.num_rows:
            raise InputError(
                f"{path} holds longer texts than a sample can have.", code="too-large", place=Place(str(path))
            )
        total += held
    return total
