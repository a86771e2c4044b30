"""Colour profiles written by hand."""

from __future__ import annotations

import struct

P3 = [(0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841)]
"""Colorants of Display P3, adapted to D50."""


def rgb_profile(primaries: list[tuple[float, float, float]], gamma: float) -> bytes:
    """A minimal ICC v2 matrix profile (ICC.1:2001-04) with the given D50 colorants and one gamma."""

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    tags = {
        key: b"XYZ \0\0\0\0" + b"".join(map(s15, colour))
        for key, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile(tags, b"mntr", b"RGB ", b"XYZ ")


def profile(tags: dict[bytes, bytes], device: bytes, space: bytes, connection: bytes) -> bytes:
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        table += key + struct.pack(">II", offset + len(body), len(data))
        body += data
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, device, space, connection)
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
