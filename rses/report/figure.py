"""The figure of a paper: for chosen samples the source with its region, then what each method made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rses.errors import InputError, did_you_mean
from rses.files.atomic import write_atomic
from rses.files.names import listed
from rses.files.places import require_suffix
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.pages.numbers import number
from rses.report.columns import check_comparable, run_names
from rses.report.figure_page import DENSITY, Page, Picture, Text, fitted, to_pdf, to_png, to_svg
from rses.report.inputs import SampleFiles, run_files
from rses.report.paper_table import rename
from rses.report.thumbs import fit, outline
from rses.report.worst import worst_first
from rses.runs.results import Results, common_ids
from rses.runs.sample_result import SampleResult
from rses.table import METRICS, select_metrics

__all__ = ["choose_samples", "write_figure"]

WRITERS = {".pdf": to_pdf, ".png": to_png, ".svg": to_svg}
WIDTH, LARGEST, GAP, SIZE = 496.0, 132.0, 4.0, 7.5
"""Points: both columns of a page, the widest picture, the space between two, the size of letters."""
DEFAULT = ("rsm_gain", "lpips_bg")
Files = Mapping[str, SampleFiles]


@dataclass(frozen=True)
class Strip:
    """One sample: its pictures, the source first, and the lines under each."""

    pictures: list[np.ndarray]
    lines: list[list[str]]


def write_figure(
    runs: Sequence[Results],
    files: Sequence[Files | None] | None,
    out: str | Path,
    *,
    best: int = 0,
    worst: int = 0,
    ids: Sequence[str] = (),
    metrics: str | Iterable[str] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """Write a figure; the same runs give the same bytes.

    Args:
        runs: At least one run, in the order of the columns; all of one protocol and suite.
        files: For each run where its images lie, see :func:`rses.report.inputs.run_files`; by default what the folder
            of the run says.
        out: File ending in ``.pdf``, ``.png`` or ``.svg``.
        best: Samples at which the first run is best.
        worst: Samples at which it is worst; two of each where nothing is chosen.
        ids: Samples by name, above the others.
        metrics: Numbers under the pictures; ``rsm_gain`` and ``lpips_bg`` by default, none for an empty list.
        names: Names of methods to replace, old to new.

    Returns:
        Ids of the samples, from above.

    Raises:
        InputError: Unknown ids or names, images that are not there any more, or runs that cannot be compared.
    """
    target = Path(out)
    require_suffix(target, tuple(WRITERS), "A figure")
    check_comparable(runs)
    if files is None:
        files = [None if run.folder is None else run_files(run.folder, run) for run in runs]
    for run, found in zip(runs, files, strict=True):
        if not found:
            raise InputError(
                f'The images of "{run_names([run])[0]}" were not found. Give the suite with --suite NAME|DIR, or score '
                "it again with --out.",
                code="missing-file",
            )
    chosen = choose_samples(runs, best, worst, ids)
    shown = _metrics(runs, metrics)
    titles = ["source", *run_names(rename(runs, names or {}))]
    column = min(LARGEST, (WIDTH - GAP * (len(titles) - 1)) / len(titles))
    strips = [_strip(name, runs, [places or {} for places in files], shown, column) for name in chosen]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, WRITERS[target.suffix.lower()](_page(titles, strips, column)))
    return chosen


def choose_samples(runs: Sequence[Results], best: int = 0, worst: int = 0, ids: Sequence[str] = ()) -> list[str]:
    """Return ids that all runs scored: the given ones, then the best and the worst of the first run.

    Raises:
        InputError: An id that not all runs scored, or no common sample.

    Example:
        >>> run = Results([SampleResult(name, mse_bg=value) for name, value in zip("abc", (0.1, 0.2, 0.3))])
        >>> choose_samples([run], best=1, worst=1), choose_samples([run], ids=["b"])
        (['a', 'c'], ['b'])
    """
    common = set(common_ids(runs))
    if not common:
        raise InputError(f"{', '.join(run_names(runs))} share no scored sample.", code="mismatch")
    for name in ids:
        if name not in common:
            raise InputError(f'"{name}" was not scored in every run.{did_you_mean(name, common)}', code="unknown-name")
    if not (best or worst or ids):
        best = worst = 2
    order = [name for name in worst_first(runs[:1]) if name in common]
    picked = [*ids, *order[::-1][:best], *order[:worst][::-1]]
    return list(dict.fromkeys(picked))


def _metrics(runs: Sequence[Results], metrics: str | Iterable[str] | None) -> list[str]:
    if metrics is not None:
        names = metrics if isinstance(metrics, str) else list(metrics)
        return list(select_metrics(names)) if names else []
    return [name for name in DEFAULT if any(getattr(sample, name) is not None for sample in runs[0].samples)]


def _strip(name: str, runs: Sequence[Results], files: Sequence[Files], metrics: Sequence[str], column: float) -> Strip:
    side = round(column * DENSITY)
    places = [found.get(name) for found in files]
    absent = [run_names([run])[0] for run, place in zip(runs, places, strict=True) if not place or not place.pred]
    first = places[0]
    if absent or first is None or first.source is None or first.mask is None:
        raise InputError(
            f"The images of {name} were not found for {listed(absent) or 'its source and mask'}.", code="missing-file"
        )
    source, region = read_image(first.source), read_mask(first.mask)
    shown = outline(source, region, side) if region.shape == source.shape[:2] else fit(source, side)
    samples = [next(sample for sample in run.samples if sample.id == name) for run in runs]
    asked = [text for text in (samples[0].object, samples[0].style) if text]
    edits = [fit(read_image(place.pred), side) for place in places if place and place.pred]
    return Strip([shown, *edits], [[", ".join(asked)], *(_lines(sample, metrics) for sample in samples)])


def _lines(sample: SampleResult, metrics: Sequence[str]) -> list[str]:
    lines = []
    for info in (METRICS[name] for name in metrics):
        value = getattr(sample, info.name)
        if isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = "-" if value is None else number(value, min(info.digits, 3))
        lines.append(f"{info.title} {text}")
    return lines


def _page(titles: Sequence[str], strips: Sequence[Strip], column: float) -> Page:
    pictures: list[Picture] = []
    texts: list[Text] = []
    step, line = column + GAP, SIZE * 1.25
    y = line + GAP
    for place, title in enumerate(titles):
        text, size = fitted(title, SIZE + 0.5, column)
        texts.append(Text(place * step + column / 2, line - 1, size, text))
    for strip in strips:
        high, wide = strip.pictures[0].shape[:2]
        height = column * high / wide
        for place, (pixels, lines) in enumerate(zip(strip.pictures, strip.lines, strict=True)):
            pictures.append(Picture(place * step, y, column, height, pixels))
            for row, words in enumerate(lines, start=1):
                text, size = fitted(words, SIZE, column)
                texts.append(Text(place * step + column / 2, y + height + row * line, size, text))
        y += height + line * max(len(lines) for lines in strip.lines) + 2 * GAP
    return Page(len(titles) * step - GAP, y - GAP, pictures, texts)
