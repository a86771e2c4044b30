"""Look at a suite: a contact sheet with outlined regions, and its statistics."""

from __future__ import annotations

import base64
import io
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.images.decode import read_image, turned_note
from rses.images.masks import read_mask
from rses.pages.html import render_page
from rses.suites.format import Sample, Suite

__all__ = [
    "CELL",
    "Cell",
    "montage",
    "outlined",
    "png_bytes",
    "sheet_page",
    "shrunk",
    "suite_statistics",
    "write_sheet",
]

CELL = 256
"""Longest side of a picture on a sheet, in pixels; smaller pictures are enlarged."""

_OUTLINE = (255, 0, 180)
_BINS = (0.0, 0.03, 0.1, 0.25, 0.5, 1.0)
_COLUMNS = 4
_ROWS, _LETTERS = 5, 40
_TEXT = 14 * _ROWS + 6


@dataclass(frozen=True)
class Cell:
    """One picture on a sheet.

    Attributes:
        picture: At most `CELL` pixels wide and high.
        lines: What stands below it on a PNG sheet; long ones are wrapped, and five rows are shown.
        title: What stands below it on a page, in bold.
        about: After the title.
        alt: Text in place of the picture on a page.
        prompts: A list below all that.
    """

    picture: Image.Image
    lines: tuple[str, ...]
    title: str = ""
    about: str = ""
    alt: str = ""
    prompts: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The picture as a ``data:`` URI."""
        return "data:image/png;base64," + base64.b64encode(png_bytes(self.picture)).decode()


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
        progress: Called with (done, total).

    Raises:
        InputError: The ending is another, or an image cannot be read.
    """
    if out.suffix.lower() not in (".png", ".html"):
        raise InputError(f"A contact sheet is a .png or .html file, found {out}.", code="wrong-ending")
    groups: dict[tuple[Path, Path], list[Sample]] = {}
    for sample in suite.samples:
        groups.setdefault((sample.image, sample.mask), []).append(sample)
    cells = []
    for done, samples in enumerate(groups.values(), 1):
        cells.append(_cell(samples))
        if progress is not None:
            progress(done, len(groups))
    if out.suffix.lower() == ".png":
        write_atomic(out, png_bytes(montage(cells)))
    else:
        write_atomic(out, sheet_page(f"{suite.name} {suite.version}", cells, suite_statistics(suite)).encode())


def _area(path: Path) -> float:
    return float(read_mask(path).mean())


def _thumbnail(sample: Sample) -> Image.Image:
    try:
        image, region = read_image(sample.image), read_mask(sample.mask)
    except InputError as error:
        raise InputError([problem.within(sample.id) for problem in error.problems]) from error
    if region.shape != image.shape[:2]:
        raise InputError(
            f"{sample.id}: {sample.mask} is {region.shape[1]}x{region.shape[0]}, its image is "
            f"{image.shape[1]}x{image.shape[0]}." + turned_note(sample.image, (region.shape[0], region.shape[1])),
            code="wrong-size",
        )
    small = ImageOps.contain(Image.fromarray(image), (CELL, CELL))
    return Image.fromarray(outlined(np.asarray(small), shrunk(region, small.size)))


def shrunk(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a mask to (width, height): pixels of which at least half is inside.

    Example:
        >>> shrunk(np.array([[True, True, True, False]]), (2, 1)).tolist()
        [[True, True]]
    """
    grey = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)
    return np.asarray(grey) > 127


def _cell(samples: Sequence[Sample]) -> Cell:
    first = samples[0]
    styles = first.style if len(samples) == 1 else f"{len(samples)} styles"
    tags = ", ".join(first.tags)
    prompts = tuple(sample.prompt for sample in samples)
    return Cell(_thumbnail(first), (first.id, f"{first.object}: {styles}", tags), first.id, tags, first.object, prompts)


def montage(cells: Sequence[Cell]) -> Image.Image:
    """Put cells side by side, four per row, with their lines.

    Example:
        >>> montage([Cell(Image.new("RGB", (256, 100)), ("one",))] * 5).size
        (1024, 664)
    """
    columns = max(1, min(_COLUMNS, len(cells)))
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * CELL, max(1, rows) * (CELL + _TEXT)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, cell in enumerate(cells):
        x, y = index % columns * CELL, index // columns * (CELL + _TEXT)
        sheet.paste(cell.picture, (x, y))
        text = [row for line in cell.lines for row in textwrap.wrap(line, _LETTERS)]
        for number, row in enumerate(text[:_ROWS]):
            # The font that Pillow always has knows Latin letters only.
            draw.text((x + 4, y + CELL + 14 * number), row.encode("latin-1", "replace").decode("latin-1"), "black")
    return sheet


def png_bytes(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file holds it."""
    memory = io.BytesIO()
    picture.save(memory, "PNG")
    return memory.getvalue()


def sheet_page(title: str, cells: Sequence[Cell], statistics: Mapping[str, Mapping[str, int]] | None = None) -> str:
    """Return a page of cells that needs no other file, with tables of counts below them."""
    return render_page("sheet.html", title=title, cells=cells, statistics=statistics or {})
