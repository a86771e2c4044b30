"""A comparison as one self-contained page: the paired table, and the samples in which the runs differ most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rses.pages.html import refuse_other_file, render_page, write_page
from rses.report.columns import run_names
from rses.report.comparison import NOTES, Comparison, comparison_grid
from rses.report.gallery import Files, Progress, build_gallery
from rses.report.html import warning_lines
from rses.report.worst import WORST_BY
from rses.runs.results import Results, common_ids
from rses.table import METRICS, MetricInfo

__all__ = ["comparison_html", "most_different", "write_comparison"]

LISTED = 50


def most_different(runs: Sequence[Results]) -> tuple[MetricInfo | None, list[tuple[str, list[float]]]]:
    """Sort the common samples by how far apart the runs are.

    Args:
        runs: At least two runs.

    Returns:
        The metric that was used, and (id, value of each run), the largest spread first; samples that lack a finite
        value are left out.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> a = Results([SampleResult("x", mse_bg=0.1), SampleResult("y", mse_bg=0.1)])
        >>> b = Results([SampleResult("x", mse_bg=0.2), SampleResult("y", mse_bg=0.4)])
        >>> info, samples = most_different([a, b])
        >>> info.name, [name for name, _ in samples]
        ('mse_bg', ['y', 'x'])
    """
    ids = common_ids(runs)
    by_id = [{sample.id: sample for sample in run.samples} for run in runs]
    for metric in WORST_BY:
        found = []
        for name in ids:
            values = [getattr(samples[name], metric) for samples in by_id]
            if all(value is not None and math.isfinite(value) for value in values):
                found.append((name, [float(value) for value in values]))
        if found:
            return METRICS[metric], sorted(found, key=lambda item: (min(item[1]) - max(item[1]), item[0]))
    return None, []


def comparison_html(
    runs: Sequence[Results],
    comparison: Comparison,
    *,
    files: Sequence[Files | None] | None = None,
    limit: int = 24,
    progress: Progress | None = None,
) -> str:
    """Return the page of :func:`write_comparison` as text."""
    info, samples = most_different(runs)
    names, grid = run_names(runs), comparison_grid(comparison)
    return render_page(
        "comparison.html",
        title=f"{' and '.join(names)} compared" if len(names) == 2 else f"{len(names)} runs compared",
        comparison=comparison,
        header=list(zip(grid.header, grid.align, strict=True)),
        lines=grid.texts,
        notes=NOTES,
        gallery=build_gallery(runs, files, None, limit, progress, order=[name for name, _ in samples]),
        order=f", largest difference in {info.title} first" if info else "",
        info=info,
        samples=samples[:LISTED],
        names=names,
        warnings=warning_lines(runs),
    )


def write_comparison(
    runs: Sequence[Results],
    comparison: Comparison,
    path: str | Path,
    *,
    files: Sequence[Files | None] | None = None,
    limit: int = 24,
    progress: Progress | None = None,
) -> Path:
    """Write a comparison as a page.

    Args:
        runs: The runs that were compared, the baseline first.
        comparison: What :func:`rses.report.comparison.compare_runs` returned for them.
        path: File to write; only a former page of ours is overwritten.
        files: For each run, its images by sample id; without them there is no gallery.
        limit: Samples in the gallery.
        progress: Called with (done, total) over the gallery.

    Returns:
        ``path``.

    Raises:
        InputError: ``path`` is another file or cannot be written.
    """
    target = Path(path)
    refuse_other_file(target)
    return write_page(target, comparison_html(runs, comparison, files=files, limit=limit, progress=progress))
