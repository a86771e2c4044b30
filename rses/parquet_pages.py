"""The page headers of a parquet file, read before anything is unpacked.

The sizes and encodings in a file's footer are its author's word; the decoder follows those of the pages. Some encodings
unpack thirty kilobytes to gigabytes, so only those that rses itself writes are let through, and what the pages hold is
added up. Format: https://github.com/apache/parquet-format, headers in Thrift's compact protocol.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Pages", "scan_pages"]

Content = bytes | mmap.mmap
DATA_PAGE, DICTIONARY_PAGE = 0, 2
PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY = 0, 2, 3, 8
VALUES = frozenset({PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY})
DICTIONARIES = frozenset({PLAIN, PLAIN_DICTIONARY})
CODECS = {0: "none", 1: "Snappy"}
"""Snappy unpacks to twenty times a size at most; others, to thousands."""
MAX_HEADER, MAX_PAGES, MAX_DEPTH = 1 << 16, 1 << 16, 8


@dataclass(frozen=True)
class Pages:
    """What the pages of a file hold in all: bytes unpacked, and the most values of one column."""

    unpacked: int
    values: int


def scan_pages(path: Path) -> Pages:
    """Walk over the pages of every column.

    The footer is read here, too: of some that are damaged, ``pyarrow`` ends the process when asked for a column.

    Args:
        path: The file.

    Raises:
        ValueError: A page of an encoding or compression that rses does not write, or that is not where it should be.
    """
    if path.stat().st_size < 12:
        raise ValueError("it is too short to be parquet")
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _scan(content)


def _scan(content: Content) -> Pages:
    unpacked = seen = 0
    values: dict[int, int] = {}
    footer = _footer(content)
    writer = footer.get(6)
    if not isinstance(writer, bytes) or not writer.startswith(b"parquet-cpp-arrow"):
        raise ValueError(f"it was written by {str(writer)[:60]}, expected pyarrow")
    for group in _structs(footer.get(4)):
        for number, column in enumerate(_structs(group.get(1))):
            (chunk,) = _structs([column.get(3)])
            if chunk.get(4) not in CODECS:
                raise ValueError(f"its compression is number {chunk.get(4)}, expected {' or '.join(CODECS.values())}")
            for page in _pages(content, chunk):
                seen += 1
                if seen > MAX_PAGES:
                    raise ValueError(f"it holds more than {MAX_PAGES} pages")
                unpacked += page.unpacked
                values[number] = values.get(number, 0) + page.values
    return Pages(unpacked, max(values.values(), default=0))


def _footer(content: Content) -> dict[int, Any]:
    """Return what stands at the end of a file: 4 row groups, of 1 columns, of 3 metadata; 6 is who wrote it."""
    length = int.from_bytes(content[-8:-4], "little")
    if len(content) < 12 or content[-4:] != b"PAR1" or length > len(content) - 12:
        raise ValueError("it has no footer")
    return _Compact(content, len(content) - 8 - length, len(content) - 8).struct()


def _structs(items: Any) -> list[dict[int, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("its footer does not list its columns")
    return items


def _pages(content: Content, chunk: dict[int, Any]) -> Iterator[Pages]:
    start, dictionary, size = _size(chunk.get(9)), chunk.get(11), _size(chunk.get(7))
    if isinstance(dictionary, int) and 0 < dictionary < start:
        start = dictionary
    end = start + size
    if end > len(content):
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

    def __init__(self, content: Content, place: int, end: int):
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

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        # Each takes at least a byte, so that a count that lies runs out of data.
        if count > self.end - self.place or depth > MAX_DEPTH:
            raise ValueError("a list is cut short, or nested too deeply")
        if head & 0x0F in (1, 2):
            return [self._byte() == 1 for _ in range(count)]
        return [self._value(head & 0x0F, depth + 1) for _ in range(count)]

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
            if self.place > self.end:
                raise ValueError("a text is cut short")
            return self.content[self.place - length : self.place]
        if kind in (9, 10):
            return self._list(depth)
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a page header holds what none does")
