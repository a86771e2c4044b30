"""A comparison as one self-contained page: the paired table, and the samples in which the runs differ most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.files.escape import escape_html
from rses.report.columns import build_table, heading, number, run_names
from rses.report.comparison import HEADER, NOTES, Comparison, comparison_lines
from rses.report.gallery import Files, Progress, build_gallery
from rses.report.html import gallery_section, refuse_other_file, whole_page
from rses.report.sections import warnings_list
from rses.runs.results import Results, common_ids
from rses.table import METRICS, MetricInfo

__all__ = ["comparison_html", "most_different", "write_comparison"]

# What the samples are sorted by: the first of these that the runs have.
SORTED_BY = ("rses_p", "lpips_bg", "mse_bg", "rsm")
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
    for metric in SORTED_BY:
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
    known = list(files) if files is not None else [None] * len(runs)
    gallery = build_gallery(runs, known, None, limit, progress, order=[name for name, _ in samples])
    order = f", largest difference in {escape_html(info.title)} first" if info else ""
    names = run_names(runs)
    title = f"{' and '.join(names)} compared" if len(names) == 2 else f"{len(names)} runs compared"
    body = [
        f'<header><p class="eyebrow">RSES comparison</p><h1>{escape_html(title)}</h1>'
        f'<p class="lede">{escape_html(comparison.caption)}</p></header>',
        f'<section id="results"><h2>Paired differences</h2>{_table(comparison)}</section>',
        gallery_section(gallery, build_table(runs), order),
        _list(info, samples[:LISTED], names),
        warnings_list(runs),
    ]
    return whole_page(escape_html(title), "\n".join(body))


def _table(comparison: Comparison) -> str:
    numeric = ("baseline", "difference", "95 % interval", "n", "p")
    head = "".join(f'<th scope="col"{_kind(title in numeric)}>{escape_html(title)}</th>' for title in HEADER)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_kind(title in numeric)}>{escape_html(text)}</td>" for title, text in zip(HEADER, line, strict=True)
        )
        + "</tr>"
        for line in comparison_lines(comparison)
    )
    notes = "".join(f"<li>{escape_html(note)}</li>" for note in NOTES)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Paired differences"><table>'
        f'<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div><ul class="notes">{notes}</ul>'
    )


def _kind(numeric: bool) -> str:
    return ' class="num"' if numeric else ""


def _list(info: MetricInfo | None, samples: Sequence[tuple[str, list[float]]], names: Sequence[str]) -> str:
    if info is None:
        return ""
    head = "".join(f'<th scope="col" class="num">{escape_html(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape_html(name)}</th>'
        + "".join(f'<td class="num">{number(value, info.digits)}</td>' for value in values)
        + f'<td class="num">{number(max(values) - min(values), info.digits)}</td></tr>'
        for name, values in samples
    )
    return (
        f'<section id="samples"><h2>Samples that differ most</h2><p class="sub">By {escape_html(heading(info))}, the '
        f"first {len(samples)}.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Samples that differ most">'
        f'<table><thead><tr><th scope="col">sample</th>{head}<th scope="col" class="num">spread</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
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
    page = comparison_html(runs, comparison, files=files, limit=limit, progress=progress)
    try:
        write_atomic(target, page.encode("utf-8"))
    except OSError as error:
        raise InputError(f"Cannot write the page to {target}: {error.strerror or error}.") from error
    return target
