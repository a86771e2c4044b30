"""The gallery of a report: what the worst samples look like, and where their numbers come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rses.errors import RsesError
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.pages.numbers import heading, value_text
from rses.report.columns import REPEATED, asked, run_names
from rses.report.inputs import SampleFiles
from rses.report.thumbs import SIDE, Embedded, difference, embedded, fit, fit_map, heat_colors, outline
from rses.report.worst import badness, worst_first
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.statistics.order import marked_places
from rses.table import METRICS, MetricInfo

__all__ = ["Files", "Gallery", "HeatMap", "Progress", "build_gallery"]

HeatMap = Callable[[Any, Any, Any], np.ndarray]
Files = Mapping[str, SampleFiles]
Progress = Callable[[int, int], None]

# Base64 characters of pictures a page may hold; the rest of the page stays far below 1 MB.
BUDGET = 8_000_000
SIDES = (768, 512, 384, 320, 256, 224, 192, 160)
"""Longest sides of pictures: the first at which all are expected to fit the budget."""
PHOTO, MAP = 0.35, 0.2
"""Base64 characters per pixel of a photograph and of a map, about."""
MAP_SIDE = 192
DIFFERENCE_TOP = 0.25
UNDER = ("rses_p", "rsm_gain", "lpips_bg", "mse_bg", "rsm")
"""Numbers under a picture: the first three that there are."""


@dataclass
class Shot:
    """One prediction of a sample: its pictures, as far as there are, and its numbers."""

    run: str
    sample: SampleResult
    pred: Embedded
    difference: Embedded | None = None
    lpips: Embedded | None = None
    heat: np.ndarray | None = None
    region: np.ndarray | None = None
    best: frozenset[str] = frozenset()

    @property
    def under(self) -> list[tuple[str, str, bool]]:
        """Title and value of three numbers, and whether no other run is better on this sample."""
        known = [name for name in UNDER if getattr(self.sample, name) is not None][:3]
        return [
            (METRICS[name].title, value_text(getattr(self.sample, name), METRICS[name]), name in self.best)
            for name in known
        ]

    @property
    def scores(self) -> list[tuple[str, str]]:
        """Heading and value of every known metric."""
        rest = [name for name in METRICS if name not in (*UNDER, REPEATED)]
        known = [(METRICS[name], getattr(self.sample, name)) for name in (*UNDER, *rest)]
        return [(heading(info), value_text(value, info)) for info, value in known if value is not None]


@dataclass
class Entry:
    """One sample: source and outline once, then one shot per run."""

    id: str
    source: Embedded | None
    outlined: Embedded | None
    shots: list[Shot]

    @property
    def facts(self) -> list[str]:
        """What was asked for, and where."""
        sample = self.shots[0].sample
        share = sample.mask_fraction
        return [
            *([" → ".join(named)] if (named := [text for text in (sample.object, sample.style) if text]) else []),
            *([] if share is None else [f"region {100 * share:.1f} % of the image"]),
            *([", ".join(sample.tags)] if sample.tags else []),
        ]

    @property
    def keys(self) -> dict[str, str]:
        """What the page sorts by: for each metric how bad the sample is, larger is worse, and its style."""
        keys = {}
        for name in METRICS:
            values = [badness(shot.sample, name) for shot in self.shots]
            finite = [value for value in values if math.isfinite(value)]
            if finite:
                keys[name.replace("_", "-")] = f"{sum(finite) / len(finite):.6g}"
        styles = sorted({shot.sample.style for shot in self.shots if shot.sample.style})
        return {**keys, "style": styles[0]} if styles else keys


@dataclass
class Gallery:
    """What fits on the page, and what did not."""

    several: bool
    metrics: list[MetricInfo]
    entries: list[Entry] = field(default_factory=list)
    total: int = 0
    heat_top: float | None = None
    unreadable: int = 0
    difference_top: float = DIFFERENCE_TOP


def build_gallery(
    runs: Sequence[Results],
    files: Sequence[Files | None] | None,
    heatmap: HeatMap | None = None,
    limit: int = 24,
    progress: Progress | None = None,
    order: Sequence[str] | None = None,
) -> Gallery:
    """Read and shrink the pictures of the worst samples.

    Args:
        runs: Runs of one protocol.
        files: For each run, where its images lie; ``None`` where that is unknown.
        heatmap: ``(pred, source, mask) -> (H, W)``, as :meth:`rses.scoring.scorer.RSES.heatmap`.
        limit: Samples at most; fewer where the pictures would make the page too large.
        progress: Called with (done, total).
        order: Sample ids, the first to show first; the worst first by default.

    Returns:
        The pictures; samples whose files are gone are counted, not shown.
    """
    gallery = Gallery(len(runs) > 1, [METRICS[name] for name in asked(runs) if name != REPEATED])
    places = files if files is not None else [None] * len(runs)
    known = [(name, run, own) for name, run, own in zip(run_names(runs), runs, places, strict=True) if own]
    ids = worst_first([run for _, run, _ in known])
    if order is not None:
        scored = set(ids)
        ids = [name for name in order if name in scored]
    gallery.total = len(ids)
    by_id = [(name, {sample.id: sample for sample in run.samples}, own) for name, run, own in known]
    used, side = 0, _side(min(limit, len(ids)), len(known))
    for done, sample_id in enumerate(ids[:limit], start=1):
        entry = _entry(sample_id, by_id, heatmap, side)
        if progress is not None:
            progress(done, min(limit, len(ids)))
        if entry is None:
            gallery.unreadable += 1
            continue
        used += _weight(entry)
        if used > BUDGET:
            break
        gallery.entries.append(entry)
    _colour_heat(gallery)
    return gallery


def _colour_heat(gallery: Gallery) -> None:
    """Draw all heat maps on one scale."""
    shots = [shot for entry in gallery.entries for shot in entry.shots]
    heats = [shot.heat for shot in shots if shot.heat is not None]
    if heats:
        gallery.heat_top = top = float(max(np.quantile(heat, 0.995) for heat in heats))
        for shot in shots:
            if shot.heat is not None:
                shot.lpips = embedded(heat_colors(shot.heat, top, shot.region))


def _side(samples: int, runs: int) -> int:
    room = BUDGET - samples * runs * 2 * MAP * MAP_SIDE**2
    return next((side for side in SIDES if samples * (2 + runs) * PHOTO * side**2 <= room), SIDES[-1])


def _weight(entry: Entry) -> int:
    def size(picture: Embedded | None) -> int:
        return 0 if picture is None else len(picture.uri)

    # A coloured heat map is about as large as the difference picture.
    shots = sum(size(shot.pred) + size(shot.difference) * (1 + (shot.heat is not None)) for shot in entry.shots)
    return size(entry.source) + size(entry.outlined) + shots


def _entry(
    sample_id: str, runs: Sequence[tuple[str, Mapping[str, SampleResult], Files]], heatmap: HeatMap | None, side: int
) -> Entry | None:
    """Return one sample, or ``None`` where its pictures cannot be read any more."""
    entry: Entry | None = None
    for name, samples, places in runs:
        sample, where = samples.get(sample_id), places.get(sample_id)
        if sample is None or sample.status != "ok" or where is None or where.pred is None or where.mask is None:
            continue
        try:
            pred, region = read_image(where.pred), read_mask(where.mask)
            source = None if where.source is None else read_image(where.source)
        except (RsesError, OSError):
            continue
        if entry is None:
            backdrop = pred if source is None else source
            # A small picture is enlarged for the sake of a thin line, a large one is not.
            drawn = min(side, max(SIDE, *backdrop.shape[:2]))
            outlined = embedded(outline(backdrop, region, drawn)) if backdrop.shape[:2] == region.shape else None
            entry = Entry(sample_id, None if source is None else embedded(fit(source, side)), outlined, [])
        shot = Shot(name, sample, embedded(fit(pred, side)))
        # A resized prediction has no pixelwise difference without inventing the resizing here.
        if source is not None and pred.shape == source.shape and region.shape == source.shape[:2]:
            _compare(shot, pred, source, region, heatmap)
        entry.shots.append(shot)
    if entry is not None:
        _mark_best(entry.shots)
    return entry


def _mark_best(shots: Sequence[Shot]) -> None:
    """Mark the best of every number under the pictures, where they differ."""
    for name in UNDER:
        values = [getattr(shot.sample, name) for shot in shots]
        ranked = [None if value is None else METRICS[name].rank_value(value) for value in values]
        placed = marked_places(ranked, [0] * len(shots), METRICS[name].higher_is_better)
        for shot, place in zip(shots, placed, strict=True):
            shot.best |= {name} if place == 1 else frozenset()


def _compare(shot: Shot, pred: np.ndarray, source: np.ndarray, region: np.ndarray, heatmap: HeatMap | None) -> None:
    shot.region = fit_map(region.astype(np.float64), MAP_SIDE) >= 0.5
    shot.difference = embedded(heat_colors(fit_map(difference(pred, source), MAP_SIDE), DIFFERENCE_TOP, shot.region))
    if heatmap is not None:
        shot.heat = fit_map(np.asarray(heatmap(pred, source, region)), MAP_SIDE)
