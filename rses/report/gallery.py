"""The gallery of a report: what the worst samples look like, and where their numbers come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rses.errors import RsesError
from rses.files.escape import escape_html
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.report.columns import COMPARED, heading, number, run_names
from rses.report.inputs import SampleFiles
from rses.report.thumbs import data_uri, difference, fit, fit_map, heat_colors, outline
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.table import METRICS, MetricInfo

__all__ = ["Gallery", "HeatMap", "build_gallery", "worst_first"]

HeatMap = Callable[[Any, Any, Any], np.ndarray]
Files = Mapping[str, SampleFiles]
Progress = Callable[[int, int], None]

# Base64 characters of pictures a page may hold; the rest of the page stays far below 1 MB.
BUDGET = 8_000_000
DIFFERENCE_TOP = 0.25
# Sorting keys, the first that a sample has decides; all point to "worse first".
WORST_BY = ("rses_p", "lpips_bg", "mse_bg", "rsm")


@dataclass
class Shot:
    """One prediction of a sample: its pictures and numbers."""

    run: str
    sample: SampleResult
    pred: str = ""
    difference: str = ""
    heat: np.ndarray | None = None
    region: np.ndarray | None = None


@dataclass
class Entry:
    """One sample: source and outline once, then one shot a run."""

    id: str
    source: str
    outlined: str
    shots: list[Shot]
    small: bool


@dataclass
class Gallery:
    """What fits on the page, and what did not."""

    entries: list[Entry] = field(default_factory=list)
    total: int = 0
    heat_top: float = 0.0
    unreadable: int = 0
    several: bool = False

    def html(self) -> str:
        """Return the cards, worst first."""
        return "\n".join(_card(entry, self.heat_top, self.several) for entry in self.entries)


def worst_first(runs: Sequence[Results]) -> list[str]:
    """Return the ids scored by any run, the worst mean over the runs first.

    Example:
        >>> run = Results([SampleResult("a", mse_bg=0.1), SampleResult("b", mse_bg=0.4)])
        >>> worst_first([run])
        ['b', 'a']
    """
    badness: dict[str, list[tuple[float, ...]]] = {}
    for run in runs:
        for sample in run.samples:
            if sample.status == "ok":
                badness.setdefault(sample.id, []).append(tuple(_badness(sample, name) for name in WORST_BY))
    means = {name: tuple(map(_mean, zip(*rows, strict=True))) for name, rows in badness.items()}
    return sorted(means, key=lambda name: (tuple(-value for value in means[name]), name))


def _badness(sample: SampleResult, name: str) -> float:
    value = getattr(sample, name)
    if value is None or not math.isfinite(value):
        return -math.inf
    return float(-value if METRICS[name].higher_is_better else value)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def build_gallery(
    runs: Sequence[Results],
    files: Sequence[Files | None],
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
    gallery = Gallery(several=len(runs) > 1)
    names = run_names(runs)
    known = [(name, run, places) for name, run, places in zip(names, runs, files, strict=True) if places]
    ids = worst_first([run for _, run, _ in known])
    if order is not None:
        ids = [name for name in order if name in set(ids)]
    gallery.total = len(ids)
    by_id = [(name, {sample.id: sample for sample in run.samples}, places) for name, run, places in known]
    used = 0
    for done, sample_id in enumerate(ids[:limit], start=1):
        entry = _entry(sample_id, by_id, heatmap)
        if progress is not None:
            progress(done, min(limit, len(ids)))
        if entry is None:
            gallery.unreadable += 1
            continue
        used += _weight(entry)
        if used > BUDGET:
            break
        gallery.entries.append(entry)
    heats = [shot.heat for entry in gallery.entries for shot in entry.shots if shot.heat is not None]
    gallery.heat_top = float(max((np.quantile(heat, 0.995) for heat in heats), default=0.0))
    return gallery


def _weight(entry: Entry) -> int:
    # A coloured heat map is about as large as the difference picture.
    shots = sum(len(shot.pred) + len(shot.difference) * (1 + (shot.heat is not None)) for shot in entry.shots)
    return len(entry.source) + len(entry.outlined) + shots


def _entry(
    sample_id: str, runs: Sequence[tuple[str, Mapping[str, SampleResult], Files]], heatmap: HeatMap | None
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
            entry = Entry(
                sample_id,
                "" if source is None else data_uri(fit(source)),
                data_uri(outline(backdrop, region)) if backdrop.shape[:2] == region.shape else "",
                [],
                max(backdrop.shape) <= 128,
            )
        entry.shots.append(_shot(name, sample, pred, source, region, heatmap))
    return entry if entry is not None and entry.shots else None


def _shot(
    name: str,
    sample: SampleResult,
    pred: np.ndarray,
    source: np.ndarray | None,
    region: np.ndarray,
    heatmap: HeatMap | None,
) -> Shot:
    shot = Shot(name, sample, data_uri(fit(pred)))
    # A resized prediction has no pixelwise difference without inventing the resizing here.
    if source is None or pred.shape != source.shape or region.shape != source.shape[:2]:
        return shot
    change = fit_map(difference(pred, source))
    shot.region = fit_map(region.astype(np.float64)) >= 0.5
    shot.difference = data_uri(heat_colors(change, DIFFERENCE_TOP, shot.region))
    if heatmap is not None:
        shot.heat = fit_map(np.asarray(heatmap(pred, source, region)))
    return shot


def _card(entry: Entry, heat_top: float, several: bool) -> str:
    first = entry.shots[0].sample
    facts = [
        f"{escape_html(first.object)} → {escape_html(first.style)}" if first.object and first.style else
        escape_html(first.style or first.object or ""),
        "" if first.mask_fraction is None else f"region {100 * first.mask_fraction:.1f} % of the image",
        "" if not first.tags else escape_html(", ".join(first.tags)),
    ]  # fmt: skip
    name = escape_html(entry.id)
    pictures = _figure(entry.source, f"Source of {entry.id}", "source", entry.small)
    pictures += _figure(entry.outlined, f"{entry.id} with the edges of its region drawn", "region outlined", False)
    if several:
        rows = "".join(
            f'<section class="shot"><h4>{escape_html(shot.run)}</h4>'
            f'<div class="strip">{_shot_pictures(entry, shot, heat_top)}</div>{_scores(shot.sample)}</section>'
            for shot in entry.shots
        )
        body = f'<div class="strip lead">{pictures}</div>{rows}'
    else:
        shot = entry.shots[0]
        body = f'<div class="strip">{pictures}{_shot_pictures(entry, shot, heat_top)}</div>{_scores(shot.sample)}'
    meta = " · ".join(fact for fact in facts if fact)
    return (
        f'<li class="sample"{_sort_keys(entry)}><article><h3>{name}</h3><p class="meta">{meta}</p>{body}</article></li>'
    )


def _shot_pictures(entry: Entry, shot: Shot, heat_top: float) -> str:
    who = f"{entry.id} by {shot.run}"
    pictures = _figure(shot.pred, f"Prediction for {who}", "prediction", entry.small)
    pictures += _figure(shot.difference, f"Absolute difference from the source, {who}", "difference", entry.small)
    if shot.heat is not None:
        colored = data_uri(heat_colors(shot.heat, heat_top, shot.region))
        pictures += _figure(colored, f"Where LPIPS_bg comes from, {who}", "LPIPS map", entry.small)
    return pictures


def _figure(uri: str, alt: str, caption: str, small: bool) -> str:
    if not uri:
        return f'<figure><div class="none">not available</div><figcaption>{caption}</figcaption></figure>'
    kind = ' class="small"' if small else ""
    return (
        f'<figure><img{kind} src="{uri}" alt="{escape_html(alt)}" loading="lazy" decoding="async">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _scores(sample: SampleResult) -> str:
    shown = [info for name, info in METRICS.items() if name in COMPARED and getattr(sample, name) is not None]
    pairs = "".join(
        f"<div><dt>{escape_html(heading(info))}</dt><dd>{_score(sample, info)}</dd></div>" for info in shown
    )
    return f'<dl class="scores">{pairs}</dl>'


def _score(sample: SampleResult, info: MetricInfo) -> str:
    value = getattr(sample, info.name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value, info.digits)


def _sort_keys(entry: Entry) -> str:
    """Return data attributes: for each metric, how bad the sample is (larger is worse)."""
    keys = []
    for name in COMPARED:
        values = [_badness(shot.sample, name) for shot in entry.shots]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            keys.append(f' data-{name.replace("_", "-")}="{_mean(finite):.6g}"')
    styles = sorted({shot.sample.style for shot in entry.shots if shot.sample.style})
    keys.append(f' data-style="{escape_html(styles[0])}"' if styles else "")
    return "".join(keys)
