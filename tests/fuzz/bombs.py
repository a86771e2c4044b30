"""``python -m tests.fuzz.bombs``: small files that unpack to much, and large ones; time and memory of each.

Each is tried in a process of its own, so that the peaks do not add up.
"""

from __future__ import annotations

import os
import resource
import struct
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from rses.images.decode import read_image
from rses.inputs.pairing import pair_folder
from rses.inputs.rows import read_metadata
from rses.runs.results import Results, load_run
from rses.runs.sample_result import SampleResult
from tests.fuzz.mutate import png_chunks, png_of
from tests.helpers.small import encoded, photo

MUCH = 1 << 28


def squeezed(size: int) -> bytes:
    """Return zeros, compressed a piece at a time."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*pieces, packer.flush()])


def read_png(folder: Path, *chunks: tuple[bytes, bytes]) -> None:
    (folder / "a.png").write_bytes(png_of(list(chunks)))
    read_image(folder / "a.png")


def wide_png(folder: Path) -> None:
    """A PNG that says that it is 60000 x 60000."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    read_png(folder, (b"IHDR", header), (b"IDAT", squeezed(1 << 26)), (b"IEND", b""))


def text_png(folder: Path, kind: bytes = b"zTXt") -> None:
    """A small PNG with a text of 256 MB, compressed."""
    first, *rest = png_chunks(encoded(photo()))
    read_png(folder, first, (kind, b"a\0\0" + squeezed(MUCH)), *rest)


def profile_png(folder: Path) -> None:
    """A small PNG with a colour profile of 256 MB, compressed."""
    text_png(folder, b"iCCP")


def pixels_png(folder: Path) -> None:
    """A small PNG with 256 MB of pixels."""
    chunks = png_chunks(encoded(photo()))
    read_png(folder, chunks[0], (b"IDAT", squeezed(MUCH)), chunks[-1])


def strip_tiff(folder: Path) -> None:
    """A small TIFF whose strip unpacks to 256 MB."""
    path = folder / "a.tif"
    Image.new("L", (16, 16)).save(path, compression="tiff_adobe_deflate")
    data, packed = path.read_bytes(), squeezed(MUCH)
    with Image.open(path) as image:
        places = [(tag, image.tag_v2[tag][0], new) for tag, new in ((273, len(data)), (279, len(packed)))]
    for tag, old, new in places:
        data = data.replace(struct.pack("<HHII", tag, 4, 1, old), struct.pack("<HHII", tag, 4, 1, new))
    path.write_bytes(data + packed)
    read_image(path)


def million_lines(folder: Path) -> None:
    """A metadata.jsonl of a million sound lines."""
    path = folder / "metadata.jsonl"
    path.write_text("".join(f'{{"id": "s{n}", "style": "pixel art"}}\n' for n in range(10**6)))
    read_metadata(path)


def long_name(folder: Path) -> None:
    """A metadata.jsonl with an id of 10 MB."""
    for name in ("masks", "pred"):
        (folder / name).mkdir()
    (folder / "metadata.jsonl").write_text('{"id": "%s", "style": "x"}\n' % ("a" * 10_000_000))
    pair_folder(folder / "pred", folder / "masks")


def nested_json(folder: Path) -> None:
    """A metadata.jsonl of ten million brackets."""
    (folder / "metadata.jsonl").write_text("[" * 10_000_000)
    rows, problems = read_metadata(folder / "metadata.jsonl")
    assert not rows
    assert problems


def delta_parquet(folder: Path) -> None:
    """A samples.parquet of some kilobytes: a text of a megabyte in 3 000 rows."""
    run = Results([SampleResult("a", mse_bg=0.5)], {}).save(folder / "run")
    options = {"use_dictionary": False, "column_encoding": {"id": "DELTA_BYTE_ARRAY"}, "compression": "zstd"}
    with pq.ParquetWriter(run / "samples.parquet", pa.schema([("id", pa.string())]), **options) as writer:
        for _ in range(60):
            writer.write_table(pa.table({"id": ["x" * (1 << 20)] * 50}))
    load_run(run)


BOMBS = (wide_png, text_png, profile_png, pixels_png, strip_tiff, million_lines, long_name, nested_json, delta_parquet)


def tried(bomb: Callable[[Path], None]) -> str:
    """Run one in a process of its own; return a line for the table."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with tempfile.TemporaryDirectory() as place:
            began = time.monotonic()
            try:
                bomb(Path(place))
                said = "read"
            except Exception as error:
                said = f"{type(error).__name__}: {error}".replace(place, "")[:90]
            size = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            line = f"{size:>12,} bytes  {time.monotonic() - began:6.1f} s  {peak:5} MB  {said}"
        os.write(writing, line.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        line = stream.read()
    os.waitpid(child, 0)
    return line or "the process died"


if __name__ == "__main__":
    for one in BOMBS:
        print(f"{one.__name__:<16}{tried(one)}", flush=True)
