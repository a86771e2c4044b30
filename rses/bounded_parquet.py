"""Rows of a parquet file that somebody else may have written, in bounded time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError
from rses.parquet_pages import scan_pages
from rses.untrusted import shown

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MAX_PARQUET", "MAX_ROWS", "read_rows"]

MAX_PARQUET, MAX_ROWS, MAX_RAW, MAX_COLUMNS = 32 << 20, 100_000, 512 << 20, 100
# Letters of one cell, texts of a list, and letters of all cells together.
MAX_CELL, MAX_LIST, MAX_TEXTS = 16 << 10, 64, 128 << 20
BATCH = 500


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Read some columns of a parquet file as rses writes it.

    Texts are kept as one dictionary per batch until their lengths are known: one that is stored once may stand in every
    row.

    Args:
        path: The file.
        columns: Columns to read; those that it lacks are left out.

    Returns:
        One dictionary per row.

    Raises:
        InputError: Not parquet, larger than any run, or of an encoding that rses does not write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.stat().st_size > MAX_PARQUET:
        raise InputError(f"{path} is larger than {MAX_PARQUET >> 20} MB.")
    try:
        with pq.ParquetFile(path) as file:
            about, paths = file.metadata, [file.schema.column(i).path for i in range(len(file.schema))]
            if about.num_rows > MAX_ROWS or about.num_columns > MAX_COLUMNS:
                raise InputError(
                    f"{path} holds {about.num_rows} rows and {about.num_columns} columns; at most {MAX_ROWS} rows and "
                    f"{MAX_COLUMNS} columns are read."
                )
            pages = scan_pages(path)
            if pages.unpacked > MAX_RAW or pages.values > (MAX_LIST + 1) * max(1, about.num_rows):
                raise InputError(f"{path} unpacks to more than a run can hold.")
            texts = [paths[i] for i in range(len(paths)) if file.schema.column(i).physical_type == "BYTE_ARRAY"]
        with pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False) as file:
            wanted = [name for name in columns if name in file.schema_arrow.names]
            rows: list[dict[str, Any]] = []
            letters = 0
            for batch in file.iter_batches(BATCH, columns=wanted, use_threads=False):
                letters += sum(_letters(column, path) for column in batch.columns)
                if letters > MAX_TEXTS:
                    raise InputError(f"{path} holds longer texts than a run can have.")
                rows += batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(f"{path} cannot be read as parquet: {shown(error, 200)}") from error
    if len(rows) != about.num_rows:
        raise InputError(f"{path} holds {len(rows)} rows, its footer says {about.num_rows}.")
    return rows


def _letters(column: pa.Array, path: Path) -> int:
    """Return how many letters a column of a batch has, before it is unpacked.

    Raises:
        InputError: A text longer than a sample can have.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return _letters(column.flatten(), path)
    if pa.types.is_struct(column.type):
        return sum(_letters(child, path) for child in column.flatten())
    indices = None
    if pa.types.is_dictionary(column.type):
        indices, column = column.indices, column.dictionary
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    if not any(kind(column.type) for kind in kinds):
        return 0
    lengths = pc.binary_length(column)
    if (pc.max(lengths).as_py() or 0) > MAX_CELL:
        raise InputError(f"{path} holds longer texts than a sample can have.")
    return int(pc.sum(lengths if indices is None else lengths.take(indices)).as_py() or 0)
