"""The page headers of a parquet file, read before anything is unpacked.

The sizes and encodings in a file's footer are its author's word; the decoder follows those of the pages. Some encodings
unpack thirty kilobytes to gigabytes, so only those that rses itself writes are let through, and what the pages hold is
added up. Format: https://github.com/apache/parquet-format, headers in Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["Pages", "scan_pages"]

DATA_PAGE, DICTIONARY_PAGE = 0, 2
PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY = 0, 2, 3, 8
VALUES = frozenset({PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY})
DICTIONARIES = frozenset({PLAIN, PLAIN_DICTIONARY})
CODECS = ("SNAPPY", "UNCOMPRESSED")
"""Snappy unpacks to twenty times a size at most; others, to thousands."""
MAX_HEADER, MAX_PAGES, MAX_DEPTH = 1 << 16, 1 << 16, 8


@dataclass(frozen=True)
class Pages:
    """What the pages of a file hold in all: bytes unpacked, and the most values of one column."""

    unpacked: int
    values: int


def scan_pages(path: Path, about: pq.FileMetaData) -> Pages:
    """Walk over the pages of every column.

    Args:
        path: The file.
        about: Its footer.

    Raises:
        ValueError: A page of an encoding or compression that rses does not write, or that is not where it should be.
    """
    unpacked = seen = 0
    values: dict[int, int] = {}
    if not str(about.created_by).startswith("parquet-cpp-arrow"):
        raise ValueError(f"it was written by {str(about.created_by)[:60]!r}, expected pyarrow")
    with path.open("rb") as stream:
        content = stream.read()
    for group in range(about.num_row_groups):
        for number in range(about.num_columns):
            chunk = about.row_group(group).column(number)
            if chunk.compression not in CODECS:
                raise ValueError(f"its compression is {chunk.compression}, expected {' or '.join(CODECS)}")
            for page in _pages(content, chunk):
                seen += 1
                if seen > MAX_PAGES:
                    raise ValueError(f"it holds more than {MAX_PAGES} pages")
                unpacked += page.unpacked
                values[number] = values.get(number, 0) + page.values
    return Pages(unpacked, max(values.values(), default=0))


def _pages(content: bytes, chunk: Any) -> Iterator[Pages]:
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
        start = chunk.dictionary_page_offset
    end = start + chunk.total_compressed_size
    if start < 0 or chunk.total_compressed_size < 0 or end > len(content):
        raise ValueError("a column lies outside the file")
    while start < end:
        reader = _Compact(content, start, min(end, start + MAX_HEADER))
        header = reader.struct()
        packed, unpacked = _size(header.get(3)), _size(header.get(2))
        yield Pages(unpacked, _values(header))
        start = reader.place + packed
    if start > end:
        raise ValueError("a page lies outside its column")


def _values(header: dict[int, Any]) -> int:
    """Return how many values a page adds to its column."""
    kind = header.get(1)
    about = header.get({DATA_PAGE: 5, DICTIONARY_PAGE: 7}.get(kind, -1)) if isinstance(kind, int) else None
    if not isinstance(about, dict):
        raise ValueError(f"it holds a page of kind {kind}")
    allowed = VALUES if kind == DATA_PAGE else DICTIONARIES
    if about.get(2) not in allowed:
        raise ValueError(f"it holds a page of encoding {about.get(2)}")
    if kind == DATA_PAGE and not about.get(3) == about.get(4) == RLE:
        raise ValueError(f"it holds levels of encoding {about.get(3)} and {about.get(4)}")
    return _size(about.get(1))


def _size(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("a page header holds no sizes")
    return value


class _Compact:
    """Reads the compact form of Thrift: what page headers are written in."""

    def __init__(self, content: bytes, place: int, end: int):
        self.content, self.place, self.end = content, place, end

    def _byte(self) -> int:
        if self.place >= self.end:
            raise ValueError("a page header is cut short")
        self.place += 1
        return self.content[self.place - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise ValueError("a page header holds a number without end")

    def _whole(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a structure by their numbers."""
        if depth > MAX_DEPTH:
            raise ValueError("a page header is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            if number in fields:
                raise ValueError("a page header names a field twice")
            fields[number] = self._value(head & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind == 7:
            self.place += 8
            return None
        if kind == 8:
            length = self._varint()
            self.place += length
            return None
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a page header holds what none does")
