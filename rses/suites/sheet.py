"""Look at a suite: a contact sheet with outlined regions, and its statistics."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rses.errors import InputError
from rses.files import write_atomic
from rses.suites.format import Sample, Suite

__all__ = ["outlined", "suite_statistics", "write_sheet"]

_OUTLINE = (255, 0, 180)
_BINS = (0.0, 0.03, 0.1, 0.25, 0.5, 1.0)
_COLUMNS, _CELL, _TEXT = 4, 256, 48


def outlined(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Mark the pixels of a region that have a neighbour outside of it.

    Args:
        image: Array (height, width, 3).
        mask: Array (height, width).

    Returns:
        A copy with those pixels in magenta.

    Example:
        >>> mask = np.pad(np.ones((3, 3), bool), 1)
        >>> marked = outlined(np.zeros((5, 5, 3), np.uint8), mask)
        >>> int((marked[..., 0] > 0).sum()), int(marked[2, 2, 0])
        (8, 0)
    """
    around = np.pad(mask, 1, mode="edge")
    inside = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    marked: NDArray[np.uint8] = image.copy()
    marked[mask & ~inside] = _OUTLINE
    return marked


def suite_statistics(suite: Suite) -> dict[str, dict[str, int]]:
    """Count the photographs by area of the region, and the samples by style, object, tag and data set.

    Args:
        suite: The suite; its masks are read.

    Returns:
        For each of "area", "style", "object", "tag" and "dataset" the counts by value.

    Example:
        >>> from rses.suites import load_suite
        >>> suite_statistics(load_suite("mini"))["style"]
        {'pixel art': 24, 'cyberpunk': 24, 'expressionism': 24, 'line art': 24}
    """
    labels = [f"{low:.0%} to {high:.0%}" for low, high in zip(_BINS, _BINS[1:], strict=False)]
    areas = Counter(labels[min(int(np.searchsorted(_BINS, _area(path), side="right")) - 1, len(labels) - 1)]
                    for path in dict.fromkeys(sample.mask for sample in suite.samples))  # fmt: skip
    return {
        "area": {label: areas[label] for label in labels if areas[label]},
        "style": dict(Counter(sample.style for sample in suite.samples)),
        "object": dict(Counter(sample.object for sample in suite.samples).most_common()),
        "tag": dict(Counter(tag for sample in suite.samples for tag in sample.tags).most_common()),
        "dataset": dict(Counter(sample.dataset for sample in suite.samples)),
    }


def write_sheet(suite: Suite, out: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write a contact sheet: one cell for each photograph and region.

    Args:
        suite: The suite.
        out: A file ending in ``.png``, or in ``.html``, which also holds all prompts and the statistics.
        progress: Called with (cells done, cells in all).

    Raises:
        InputError: The ending is another, or an image cannot be read.
    """
    if out.suffix.lower() not in (".png", ".html"):
        raise InputError(f"A contact sheet is a .png or .html file, found {out}.")
    groups: dict[tuple[Path, Path], list[Sample]] = {}
    for sample in suite.samples:
        groups.setdefault((sample.image, sample.mask), []).append(sample)
    cells = []
    for done, samples in enumerate(groups.values(), 1):
        cells.append((_thumbnail(samples[0]), samples))
        if progress is not None:
            progress(done, len(groups))
    data = _png(_montage(cells)) if out.suffix.lower() == ".png" else _page(suite, cells).encode()
    write_atomic(out, data)


_Cells = list[tuple[Image.Image, list[Sample]]]


def _area(path: Path) -> float:
    return float(_region(path).mean())


def _region(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L")) > 127


def _thumbnail(sample: Sample) -> Image.Image:
    try:
        with Image.open(sample.image) as picture:
            small = picture.convert("RGB")
        with Image.open(sample.mask) as picture:
            region = picture.convert("L")
    except OSError as error:
        raise InputError(f"{sample.id}: image or mask cannot be read ({error}).") from error
    small.thumbnail((_CELL, _CELL))
    mask = np.asarray(region.resize(small.size, Image.Resampling.BOX)) > 127
    return Image.fromarray(outlined(np.asarray(small), mask))


def _montage(cells: _Cells) -> Image.Image:
    columns = max(1, min(_COLUMNS, len(cells)))
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * _CELL, max(1, rows) * (_CELL + _TEXT)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (thumbnail, samples) in enumerate(cells):
        x, y = index % columns * _CELL, index // columns * (_CELL + _TEXT)
        sheet.paste(thumbnail, (x, y))
        lines = (samples[0].id, f"{samples[0].object}: {len(samples)} styles", ", ".join(samples[0].tags))
        for number, line in enumerate(lines):
            # The font that Pillow always has knows Latin letters only.
            draw.text(
                (x + 4, y + _CELL + 14 * number), line[:40].encode("latin-1", "replace").decode("latin-1"), "black"
            )
    return sheet


def _png(picture: Image.Image) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, "PNG")
    return memory.getvalue()


def _page(suite: Suite, cells: _Cells) -> str:
    figures = []
    for thumbnail, samples in cells:
        source = base64.b64encode(_png(thumbnail)).decode()
        prompts = "".join(f"<li>{html.escape(sample.prompt)}</li>" for sample in samples)
        text = f"<b>{html.escape(samples[0].id)}</b> {html.escape(', '.join(samples[0].tags))}"
        alt = html.escape(samples[0].object, quote=True)
        figures.append(
            f'<figure><img src="data:image/png;base64,{source}" alt="{alt}"><figcaption>{text}<ul>{prompts}</ul>'
            "</figcaption></figure>"
        )
    tables = "".join(
        f"<h2>{name}</h2><table>"
        + "".join(f"<tr><td>{html.escape(value)}</td><td>{count}</td></tr>" for value, count in counts.items())
        + "</table>"
        for name, counts in suite_statistics(suite).items()
    )
    title = html.escape(f"{suite.name} {suite.version}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font-family:sans-serif}main{display:flex;flex-wrap:wrap}figure{width:256px;margin:8px;font-size:12px}</style>"
        f"<h1>{title}</h1><main>{''.join(figures)}</main>{tables}</html>\n"
    )
