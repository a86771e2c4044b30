"""The suite `photos`: photographs from the scikit-image wheel with masks drawn as polygons."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmark_data.recipes.suites.writing import STYLES, row, save_card, save_mask, save_png, save_rows
from rses.suites import write_manifest

LONGEST = 512
# Pillow fills a polygon half a sub-pixel too wide on every side, so sub-pixels must be fine.
SUPERSAMPLE = 16


def load_entries() -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "photos.json").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)
    return entries


def load_photo(entry: dict[str, Any]) -> Image.Image:
    """The photograph as RGB, cropped if the entry says so, with no side over 512 pixels."""
    data = importlib.resources.files("skimage.data").joinpath(entry["file"]).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != entry["sha256"]:
        raise SystemExit(f"{entry['file']} in this scikit-image is another picture; masks would not fit. Use 0.26.")
    with importlib.resources.as_file(importlib.resources.files("skimage.data") / entry["file"]) as path:
        photo = Image.open(path).convert("RGB")
    if "crop" in entry:
        photo = photo.crop(tuple(entry["crop"]))
    scale = LONGEST / max(photo.size)
    if scale < 1:
        size = (round(photo.width * scale), round(photo.height * scale))
        photo = photo.resize(size, Image.Resampling.LANCZOS)
    return photo


def draw_mask(polygons: list[list[list[float]]], size: tuple[int, int]) -> np.ndarray:
    """Share of every pixel inside the polygons; coordinates are in pixels, (0, 0) the top-left corner."""
    canvas = Image.new("L", (size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE))
    pencil = ImageDraw.Draw(canvas)
    for polygon in polygons:
        pencil.polygon([(x * SUPERSAMPLE - 0.5, y * SUPERSAMPLE - 0.5) for x, y in polygon], fill=255)
    return np.asarray(canvas.reduce(SUPERSAMPLE), np.float32) / 255


def photo_tags(entry: dict[str, Any], mask: np.ndarray) -> list[str]:
    region = mask > 0.5
    border = np.concatenate([region[0], region[-1], region[:, 0], region[:, -1]])
    measured = {"small": region.mean() < 0.03, "touching_border": border.any()}
    order = ("small", "touching", "touching_border", "multi-instance", "occluded")
    return [tag for tag in order if measured.get(tag, tag in entry["tags"])]


def build_photos(folder: Path) -> None:
    rows: list[dict[str, Any]] = []
    table = []
    for entry in load_entries():
        photo, name = load_photo(entry), f"{entry['name']}.png"
        mask = draw_mask(entry["polygons"], photo.size)
        save_png(folder / "images" / name, np.asarray(photo))
        save_mask(folder / "masks" / name, mask)
        tags = photo_tags(entry, mask)
        for style in STYLES:
            identity = f"{entry['name']}-{style.replace(' ', '-')}"
            rows.append(row(identity, name, name, entry["object"], style, "scikit-image-photos", tags))
        share = 100 * float((mask > 0.5).mean())
        shown = ", ".join(f"`{tag}`" for tag in tags)
        table.append(
            f"| {entry['name']} | {entry['object']} | {photo.width} x {photo.height} | {share:.1f} % | {shown} "
            f"| `{entry['file']}`: {entry['origin']} | {entry['licence']} |"
        )
    save_rows(folder, rows)
    save_card(folder, "photos.md", table="\n".join(table), photos=str(len(table)), n=str(len(rows)))
    write_manifest(
        folder, "photos", "1.0.0", "CC0-1.0, public domain or no known copyright restrictions: README.md says which"
    )
