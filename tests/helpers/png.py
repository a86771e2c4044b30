"""PNG written from its specification (https://www.w3.org/TR/png/), independent of Pillow."""

from __future__ import annotations

import struct
import zlib

import numpy as np

GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int, depth: int = 8, colour: int = COLOUR) -> bytes:
    """What comes before everything else."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(samples: np.ndarray, depth: int, colour: int, before: bytes = b"", after: bytes = b"", rows=None) -> bytes:
    """A picture (H, W) or (H, W, C), with further chunks before and after its data, or rows already filtered."""
    kind = ">u2" if depth == 16 else "u1"
    raw = rows if rows is not None else b"".join(b"\0" + row.astype(kind).tobytes() for row in samples)
    start = header(samples.shape[1], samples.shape[0], depth, colour)
    return start + before + chunk(b"IDAT", zlib.compress(raw)) + after + chunk(b"IEND", b"")
