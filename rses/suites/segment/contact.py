"""Sheets of masks over their photographs, for a human to check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rses.errors import InputError, Place
from rses.files.atomic import write_atomic
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.suites.segment.base import Prompt
from rses.suites.segment.prompts import Job
from rses.suites.segment.run import MaskRun
from rses.suites.sheet import CELL, Cell, montage, outlined, png_bytes, sheet_page, shrunk

FOLDER = "check"
PER_PAGE = 48
_BOX, _ON, _BESIDE = (255, 220, 0), (0, 230, 90), (255, 60, 40)


def overlay(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None, prompt: Prompt) -> Image.Image:
    """Draw a mask over its photograph: outside it darker, its outline magenta, box yellow, clicks green or red.

    Returns:
        At most `CELL` pixels wide and high.
    """
    picture = Image.fromarray(image)
    picture.thumbnail((CELL, CELL))
    if mask is not None:
        small = shrunk(mask, picture.size)
        shown = np.asarray(picture)
        dimmed = np.where(small[..., None], shown, (shown * 0.5).astype(np.uint8))
        picture = Image.fromarray(outlined(dimmed, small))
    across, down = picture.width / image.shape[1], picture.height / image.shape[0]
    draw = ImageDraw.Draw(picture)
    if prompt.box is not None:
        x0, y0, x1, y1 = prompt.box
        draw.rectangle((x0 * across, y0 * down, x1 * across - 1, y1 * down - 1), outline=_BOX)
    for (x, y), label in zip(prompt.points, prompt.labels, strict=True):
        u, v = x * across, y * down
        draw.ellipse((u - 3, v - 3, u + 3, v + 3), fill=_ON if label else _BESIDE, outline="white")
    return picture


def write_mask_sheets(run: MaskRun, progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """Write contact sheets into the run's folder, ``check/sheet-1.png`` and ``.html`` and so on, 48 masks each.

    Masks are read from the folder, so that a mask that was replaced by hand is shown as it is.
    """
    folder = run.folder / FOLDER
    pages = [run.jobs[start : start + PER_PAGE] for start in range(0, len(run.jobs), PER_PAGE)]
    written = []
    done = 0
    for number, jobs in enumerate(pages, 1):
        cells = []
        for job in jobs:
            cells.append(_cell(run, job))
            done += 1
            if progress is not None:
                progress(done, len(run.jobs))
        title = f"Masks by {run.facts.title}" + (f", {number} of {len(pages)}" if len(pages) > 1 else "")
        for ending, data in (("png", png_bytes(_headed(title, cells))), ("html", sheet_page(title, cells).encode())):
            written.append(folder / f"sheet-{number}.{ending}")
            write_atomic(written[-1], data)
    for old in folder.glob("sheet-*.*"):
        if old not in written:
            old.unlink()
    return written


def _headed(title: str, cells: list[Cell]) -> Image.Image:
    body = montage(cells)
    sheet = Image.new("RGB", (body.width, body.height + 20), "white")
    ImageDraw.Draw(sheet).text((4, 4), title.encode("latin-1", "replace").decode("latin-1"), "black")
    sheet.paste(body, (0, 20))
    return sheet


def _cell(run: MaskRun, job: Job) -> Cell:
    record = run.records.get(job.key, {})
    said = _said(record)
    try:
        image = read_image(job.path)
        mask = _mask(run.path(job.key), image.shape[:2])
    except InputError as error:
        image, mask, said = np.full((CELL, CELL, 3), 200, np.uint8), None, f"failed: {error}"
        return Cell(Image.fromarray(image), (job.key, "failed: unreadable"), job.path.name, said, said)
    return Cell(overlay(image, mask, job.prompt), (job.key, said, run.facts.title), job.path.name, said, said)


def _mask(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if not path.is_file():
        return None
    mask = read_mask(path)
    if mask.shape != shape:
        raise InputError(
            f"{path} is {mask.shape[1]}x{mask.shape[0]}, its photograph {shape[1]}x{shape[0]}.",
            code="wrong-size",
            place=Place(str(path)),
        )
    return mask


def _said(record: dict[str, Any]) -> str:
    if record.get("status") != "done":
        return f"failed: {record.get('error', 'not tried')}"
    score = record["score"]
    return f"{record['share']:.1%} of the picture" + ("" if score is None else f", score {score:.2f}")
