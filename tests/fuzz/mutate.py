"""Changed copies of files, by what kind of file it is: bytes, text, JSON trees, PNG chunks, tables, tensors."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

TEXTS = (
    "", " ", "a", "../x", "/etc/passwd", "a/b", "a\\b", "C:\\x", "a\0b", "\ud800", "e\u0301", "\u202e", "\x1b[31m",
    "inf", "nan", "-1", "1e999", "NaN", "\ufeffa", "x" * 300, "y" * 20_000, "<script>", "=1+1", "%s{0}", "a\nb",
    "\u0660",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2, 255, 2**31, 2**63, 2**64, 10**400, -(10**400), 0.5, -0.0, 1e-320, 1e308, float("inf"),
           float("-inf"), float("nan"))  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, [0] * 50)
BITS = (b"\0", b"\xff", b"\n", b'"', b"{", b"[", b",", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x80", b"-", b"1" * 5000)


def mutate_file(rng: random.Random, name: str, data: bytes) -> bytes:
    """Return a changed copy of a file, mostly still of its form."""
    if rng.random() < 0.15:
        return _bytes(rng, data)
    kind = _KINDS.get(PurePath(name).suffix.lower(), _bytes)
    try:
        return kind(rng, data)
    except Exception:  # a change that this content does not allow
        return _bytes(rng, data)


def _bytes(rng: random.Random, data: bytes) -> bytes:
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        where, how = rng.randrange(len(content) + 1), rng.randrange(7)
        span = rng.choice((1, 1, 2, 4, 8, 64, 1024))
        if how == 0:
            del content[where : where + span]
        elif how == 1:
            content[where:where] = rng.choice(BITS)
        elif how == 2:
            content[where:where] = content[where : where + span]
        elif how == 3:
            del content[where:]
        elif how == 4 and where + 4 <= len(content):
            number = rng.choice((0, 1, 65536, 2**31 - 1, 2**32 - 1))
            content[where : where + 4] = struct.pack(rng.choice("<>") + "I", number)
        elif where < len(content):
            content[where] = content[where] ^ (1 << rng.randrange(8)) if how == 5 else rng.randrange(256)
    return bytes(content)


def _text(rng: random.Random, data: bytes) -> bytes:
    """Change fields between separators, whole lines, or the encoding."""
    text = data.decode("utf-8", "replace")
    how = rng.randrange(8)
    if how == 0:
        return text.encode(rng.choice(("utf-8-sig", "utf-16", "latin-1")), "replace")
    if how == 1:
        return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\0\n", "\u2028"))).encode("utf-8", "replace")
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    if how == 2:
        lines[at : at + 1] = [lines[at]] * rng.choice((0, 2, 30))
    elif how == 3:
        rng.shuffle(lines)
    else:
        marks = [mark for mark in (",", "=", ";", "[", "<", " ", '"') if mark in lines[at]]
        mark = rng.choice(marks or [","])
        fields = lines[at].split(mark)
        fields[rng.randrange(len(fields))] = str(rng.choice((*TEXTS, *NUMBERS[:9], "[" * 5000, "{a=" * 3000, '"')))
        lines[at] = mark.join(fields)
    return "\n".join(lines).encode("utf-8", "surrogatepass" if rng.random() < 0.3 else "replace")


def tree(rng: random.Random, value: Any) -> Any:
    """Change one place of a JSON value, the deeper the likelier."""
    if not isinstance(value, (dict, list)) or not value or rng.random() > 0.9:
        others = (rng.choice(TEXTS), rng.choice(NUMBERS), rng.choice(OTHERS), [value], {"a": value}, str(value))
        return rng.choice(others)
    changed, how = value.copy(), rng.random()
    place = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if how < 0.12:
        del changed[place]
    elif how > 0.25:
        changed[place] = tree(rng, value[place])
    elif isinstance(value, list):
        changed.insert(place, rng.choice(value))
    else:
        changed[rng.choice(TEXTS)] = changed.pop(place) if how < 0.2 else value[place]
    return changed


def _dumped(rng: random.Random, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.7)
    if rng.random() < 0.03:
        depth = rng.choice((200, 5_000, 100_000))
        return text.replace("null", "[" * depth, 1) if "null" in text else "[" * depth
    return text


def _json(rng: random.Random, data: bytes) -> bytes:
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        value = tree(rng, value)
    return _dumped(rng, value).encode("utf-8", "surrogatepass")


def _json_lines(rng: random.Random, data: bytes) -> bytes:
    lines = [line for line in data.decode("utf-8").split("\n") if line]
    at = rng.randrange(len(lines))
    if rng.random() < 0.2:
        return _text(rng, data)
    lines[at] = _json(rng, lines[at].encode()).decode("utf-8", "surrogatepass")
    return ("\n".join(lines) + rng.choice(("\n", "\n", ""))).encode("utf-8", "surrogatepass")


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return kind and content of every chunk."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Put chunks together, with right checksums."""
    body = (struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _png(rng: random.Random, data: bytes) -> bytes:
    chunks = png_chunks(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at, how = rng.randrange(len(chunks)), rng.randrange(7)
        kind, content = chunks[at]
        if how == 0:
            del chunks[at]
        elif how == 1:
            chunks.insert(rng.randrange(len(chunks)), chunks[at])
        elif how == 2:
            added = b"zTXt tRNS iCCP eXIf gAMA pHYs cHRM PLTE acTL fdAT IEND iTXt".split()
            filled = rng.choice((b"", b"a\0\0", b"a\0\0" + zlib.compress(bytes(5_000)), rng.randbytes(12)))
            chunks.insert(rng.randrange(len(chunks) + 1), (rng.choice(added), filled))
        elif how == 3 and kind == b"IDAT":
            raw = zlib.decompress(content)
            chunks[at] = kind, zlib.compress(_bytes(rng, raw))
        elif how == 4:
            fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
            place = rng.randrange(7)
            fields[place] = rng.choice((0, 1, 7, 9000, 2**31, 2**32 - 1)) if place < 2 else rng.randrange(18)
            chunks[0] = b"IHDR", struct.pack(">IIBBBBB", *fields)
        else:
            chunks[at] = kind, _bytes(rng, content)
    return png_of(chunks)


def _safetensors(rng: random.Random, data: bytes) -> bytes:
    """Change the header: names, shapes, types, offsets."""
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    if rng.random() < 0.2:
        return data[: 8 + size] + _bytes(rng, body)
    for _ in range(rng.choice((1, 1, 3))):
        header = tree(rng, header)
    text = _dumped(rng, header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text) if rng.random() < 0.95 else rng.choice((0, 2**40, 2**63))) + text + body


def _parquet(rng: random.Random, data: bytes) -> bytes:
    """Change values, types, columns or the encoding of a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    how, name = rng.randrange(6), rng.choice(table.column_names)
    at = table.column_names.index(name)
    try:
        if how == 0:
            table = table.drop_columns([name])
        elif how == 1:
            table = table.rename_columns([rng.choice(TEXTS[:8]) if c == name else c for c in table.column_names])
        elif how == 2:
            value: Any = rng.choice((*TEXTS[:20], 1, 2.5, None, True, [1], ["a"], {"a": 1}, b"\xff", float("nan")))
            table = table.set_column(at, name, pa.array([value] * table.num_rows))
        elif how == 3:
            table = table.slice(0, rng.randrange(table.num_rows + 1))
        elif how == 4:
            table = pa.concat_tables([table] * rng.choice((2, 20)))
        else:
            values = table.column(name).to_pylist()
            values[rng.randrange(len(values))] = rng.choice((None, values[0], *TEXTS[:6], 1e308, -1.0, float("inf")))
            table = table.set_column(at, name, pa.array(values))
    except (pa.ArrowException, TypeError, UnicodeError):
        return _bytes(rng, data)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=rng.choice(("snappy", "zstd", "none")), use_dictionary=rng.random() < 0.5)
    return sink.getvalue() if rng.random() < 0.8 else _bytes(rng, sink.getvalue())


_KINDS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    ".json": _json, ".jsonl": _json_lines, ".png": _png, ".csv": _text, ".toml": _text, ".xml": _text, ".txt": _text,
    ".md": _text, ".parquet": _parquet, ".safetensors": _safetensors,
}  # fmt: skip
