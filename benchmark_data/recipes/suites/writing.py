"""Writing the files of a suite, the same bytes every time."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

STYLES = ("pixel art", "cyberpunk", "expressionism", "line art")


def prompt(thing: str, style: str) -> str:
    return f"make the {thing} in {style} style, keep other area unchanged"


def row(
    identity: str, image: str, mask: str, thing: str, style: str, dataset: str, tags: Sequence[str]
) -> dict[str, Any]:
    return {
        "id": identity,
        "file_name": f"images/{image}",
        "mask_file_name": f"masks/{mask}",
        "object": thing,
        "style": style,
        "prompt": prompt(thing, style),
        "dataset": dataset,
        "tags": list(tags),
    }


def save_png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "PNG", optimize=True)
    path.write_bytes(memory.getvalue())


def save_mask(path: Path, mask: np.ndarray) -> None:
    save_png(path, np.round(mask * 255).astype(np.uint8))


def save_rows(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8", newline="\n")


def save_card(folder: Path, template: str, **facts: str) -> None:
    text = (Path(__file__).parent / template).read_text(encoding="utf-8")
    for name, value in facts.items():
        text = text.replace("{{" + name + "}}", value)
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")
