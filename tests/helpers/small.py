"""Small sound inputs: pictures, masks, a suite, and folders as dictionaries."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rses.suites import write_manifest

PROMPT = "make the cat in pixel art style, keep other area unchanged"


def photo(mode: str = "RGB", side: int = 16, seed: int = 0) -> Image.Image:
    """Return a picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def region(side: int = 16) -> Image.Image:
    """Return a mask, a quarter of the picture."""
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return Image.fromarray(mask)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image file."""
    memory = io.BytesIO()
    image.save(memory, kind, **options)
    return memory.getvalue()


def lines(rows: Sequence[object]) -> bytes:
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def read_files(root: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def write_suite(root: Path, samples: int = 2, side: int = 16) -> Path:
    """Write a small suite."""
    rows = []
    for number in range(samples):
        name = f"s{number}.png"
        row = {"id": f"s{number}", "file_name": f"images/{name}", "mask_file_name": f"masks/{name}", "object": "cat",
               "style": "pixel art", "prompt": PROMPT, "dataset": "own", "tags": ["small"]}  # fmt: skip
        write_files(root, {f"images/{name}": encoded(photo(side=side, seed=number)),
                           f"masks/{name}": encoded(region(side))})  # fmt: skip
        rows.append(row)
    readme = b"---\nlicense: cc0-1.0\n---\n# A suite\n"
    write_files(root, {"metadata.jsonl": lines(rows), "README.md": readme})
    write_manifest(root, "tiny", "1", "CC0-1.0")
    return root
