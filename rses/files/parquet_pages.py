"""Sizes of a parquet file's pages, from the pages' own headers: the summary at the file's end may say anything.

A header is a Thrift structure in the compact protocol
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), of which field 2 is the page's size
unpacked, field 3 its size in the file, and field 1 of the structures 5 and 8 the number of its values
(https://github.com/apache/parquet-format).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

Fields = dict[int, Any]
_HEADER = 64 << 10
"""Most bytes of a header; it holds statistics, which writers keep short."""
_FOOTER = 16 << 20
"""Most bytes of the structure at the end of a file."""
_MAX_DEPTH = 8
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


@dataclass(frozen=True)
class Pages:
    """What a file's pages unpack to."""

    largest: int = 0
    values: int = 0


def measure_pages(path: Path) -> Pages:
    """Measure the pages of a file without unpacking any.

    What lies at the file's end is read here, too: ``pyarrow`` ends the process on some that are damaged.

    Raises:
        ValueError: It is not parquet, or pages do not lie where its end says.
    """
    largest, values = 0, dict[int, int]()
    with path.open("rb") as stream:
        for group in _items(_footer(stream), 4):
            for number, chunk in enumerate(_items(group, 1)):
                column = _inner(chunk, 3)
                start, dictionary = _number(column, 9), column.get(11)
                if isinstance(dictionary, int) and 0 < dictionary < start:
                    start = dictionary
                pages = _measure(stream, start, _number(column, 7))
                largest = max(largest, pages.largest)
                values[number] = values.get(number, 0) + pages.values
    return Pages(largest, max(values.values(), default=0))


def _footer(stream: IO[bytes]) -> Fields:
    """Return the structure at the end of a file: 4 row groups, of 1 columns, of 3 metadata."""
    end = stream.seek(0, os.SEEK_END)
    if end < 12:
        raise ValueError("it is too short to be parquet")
    stream.seek(end - 8)
    length, mark = struct.unpack("<I4s", stream.read(8))
    if mark != b"PAR1" or length > min(end - 12, _FOOTER):
        raise ValueError("it has no end of a parquet file")
    stream.seek(end - 8 - length)
    return _Compact(stream.read(length)).struct()


def _items(fields: Fields, key: int) -> list[Fields]:
    found = fields.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("the end of the file does not list its columns")
    return found


def _inner(fields: Fields, key: int) -> Fields:
    found = fields.get(key)
    if not isinstance(found, dict):
        raise ValueError("the end of the file does not describe its columns")
    return found


def _measure(stream: IO[bytes], start: int, length: int) -> Pages:
    """Measure the pages that lie one after the other in a part of a file."""
    largest, values, place, end = 0, 0, start, start + length
    while place < end:
        stream.seek(place)
        reader = _Compact(stream.read(min(_HEADER, end - place)))
        fields = reader.struct()
        unpacked, packed = _number(fields, 2), _number(fields, 3)
        values += sum(_number(inner, 1) for key in (5, 8) if isinstance(inner := fields.get(key), dict))
        largest, place = max(largest, unpacked), place + reader.place + packed
    return Pages(largest, values)


def _number(fields: Fields, key: int) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or value < 0:
        raise ValueError("a page has no sound header")
    return value


class _Compact:
    """Reads the whole numbers, structures and lists of a structure; everything else is passed over."""

    def __init__(self, data: bytes):
        self.data, self.place = data, 0

    def struct(self, depth: int = 0) -> Fields:
        """Read a structure; return what it holds by field id."""
        fields: Fields = {}
        last = 0
        while (head := self._byte()) != 0:
            kind, step = head & 15, head >> 4
            last = last + step if step else _zigzag(self._varint())
            value = self._value(kind, depth)
            if value is not None:
                fields[last] = value
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("a structure is nested too deeply")
        if kind in (I16, I32, I64):
            return _zigzag(self._varint())
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind == BINARY:
            self._skip(self._varint())
        elif kind in (LIST, SET):
            return self._list(depth)
        elif kind in (BYTE, DOUBLE):
            self._skip(1 if kind == BYTE else 8)
        elif kind not in (TRUE, FALSE):
            raise ValueError("a structure cannot be read")
        return None

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        # Each takes at least a byte, so that a count that lies runs out of data.
        if count > len(self.data) - self.place:
            raise ValueError("a list is cut short")
        if head & 15 in (TRUE, FALSE):
            self._skip(count)
            return []
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        self._skip(1)
        return self.data[self.place - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number is too large")

    def _skip(self, count: int) -> None:
        self.place += count
        if self.place > len(self.data):
            raise ValueError("a structure is cut short")


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
