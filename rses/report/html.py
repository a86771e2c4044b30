"""The report of one run, or of several side by side, as one page: what ``report.html`` shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rses.pages.html import refuse_other_file, render_page, write_page
from rses.pages.numbers import heading, value_text
from rses.report.columns import Cell, Row, Table, build_table, run_names, summary_cells
from rses.report.gallery import Files, HeatMap, Progress, build_gallery
from rses.report.plots import Plot, Series, distribution
from rses.report.worst import WORST_BY
from rses.runs.results import Results
from rses.runs.warning_codes import grouped_warnings, warning_line
from rses.table import METRICS, MetricInfo

__all__ = ["report_html", "warning_lines", "write_report"]

DEFAULT_SAMPLES = 24
HEADLINE = ("rses_p", "rsm_gain", "rsm", "lpips_bg", "mse_bg")
LEAD = ("rses_p", "rsm_gain", "rsm", "style_correct", "lpips_bg", "mse_bg")
"""Columns that come first, and that are shown before all are asked for."""
TWINS = {"clip_cosine": "rsm", "mse_bg_pm1": "mse_bg"}
"""Columns that only repeat another on another scale."""
MAX_ROWS = 600
# A yes or no has no distribution.
UNPLOTTED = ("style_correct",)
GROUPS = {"by_style": "By style", "by_mask_size": "By region size", "by_dataset": "By dataset"}


def write_report(
    results: Sequence[Results],
    path: str | Path,
    *,
    files: Sequence[Files | None] | None = None,
    heatmap: HeatMap | None = None,
    limit: int = DEFAULT_SAMPLES,
    progress: Progress | None = None,
) -> Path:
    """Write a report of one run, or of several side by side.

    Args:
        results: At least one run, all of one protocol.
        path: The file to write. Only a former report is overwritten.
        files: For each run, its images by sample id, see :func:`rses.report.inputs.folder_files` and
            :func:`rses.report.inputs.run_files`; without them there is no gallery.
        heatmap: Per-sample LPIPS map, :meth:`rses.scoring.scorer.RSES.heatmap`.
        limit: Samples in the gallery, the worst first; fewer where the page would pass 10 MB.
        progress: Called with (done, total) over the gallery.

    Returns:
        ``path``.

    Raises:
        InputError: No run, runs that cannot be compared, or ``path`` is another file or cannot be written.
    """
    target = Path(path)
    refuse_other_file(target)
    return write_page(target, report_html(results, files=files, heatmap=heatmap, limit=limit, progress=progress))


def report_html(
    results: Sequence[Results],
    *,
    files: Sequence[Files | None] | None = None,
    heatmap: HeatMap | None = None,
    limit: int = DEFAULT_SAMPLES,
    progress: Progress | None = None,
) -> str:
    """Return the page of :func:`write_report` as text.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> page = report_html([Results([SampleResult("a", mse_bg=0.25)], {"method": "<mine>"})])
        >>> page.startswith("<!doctype html>"), "&lt;mine&gt;" in page, "<mine>" in page
        (True, True, False)
    """
    results, files = _references_last(results, files)
    table, single = _readable(build_table(results)), len(results) == 1
    name = table.rows[0].name if single else f"{len(results)} methods"
    first = next((METRICS[key] for key in WORST_BY if any(_mean(row.cells, key) for row in table.rows)), None)
    samples = [(name, sample) for name, run in zip(run_names(results), results, strict=True) for sample in run.samples]
    return render_page(
        "report.html",
        title=f"{name} · {table.suite or 'RSES'}",
        heading=name if single else f"{name} compared",
        is_single=single,
        table=table,
        columns=metric_columns(table.metrics),
        counted=_counted(table),
        tiles=_tiles(table),
        warnings=warning_lines(results),
        breakdowns=_breakdowns(results[0], table) if single else [],
        plots=_plots(table, results),
        gallery=build_gallery(results, files, heatmap, limit, progress),
        order=f", worst {first.title} first" if first else "",
        most=MAX_ROWS,
        unscored=[(name, sample) for name, sample in samples if sample.status != "ok"],
        scored=[
            (name, sample, [value_text(getattr(sample, info.name), info) for info in table.metrics])
            for name, sample in samples
            if sample.status == "ok"
        ],
        facts=_facts(table, results[0].info),
        knobs=list(((results[0].info.get("protocol") or {}).get("knobs") or {}).items()),
        ours=[info.title for info in METRICS.values() if info.ours],
    )


def _references_last(
    runs: Sequence[Results], files: Sequence[Files | None] | None
) -> tuple[list[Results], list[Files | None]]:
    places: Sequence[Files | None] = files if files is not None else [None] * len(runs)
    pairs = list(zip(runs, places, strict=True))
    pairs.sort(key=lambda pair: bool((pair[0].info.get("method_card") or {}).get("reference")))
    return [run for run, _ in pairs], [found for _, found in pairs]


def _readable(table: Table) -> Table:
    """Leave out columns that are empty or repeat another, and bring those that matter most to the front."""
    filled = {info for info in table.metrics if any(row.cells[info.name].key for row in table.rows)}
    names = {info.name for info in filled}
    shown = [info for info in table.metrics if info in filled and TWINS.get(info.name) not in names]
    shown.sort(key=lambda info: LEAD.index(info.name) if info.name in LEAD else len(LEAD))
    return replace(table, metrics=tuple(shown))


def metric_columns(metrics: Sequence[MetricInfo]) -> list[tuple[str, str, str, str, bool]]:
    """Return name, heading, direction of a first press, hint, and whether it is shown at first, for each column."""
    few = sum(info.name in LEAD for info in metrics) < 2
    return [
        (info.name, heading(info), "up" if info.higher_is_better else "down", info.description,
         few or info.name in LEAD)
        for info in metrics
    ]  # fmt: skip


def _mean(cells: dict[str, Cell], name: str) -> bool:
    return name in cells and cells[name].mean is not None


def _counted(table: Table) -> str:
    if len(table.rows) == 1:
        return f"{table.rows[0].n} of {table.rows[0].total} samples of"
    counts = sorted({row.n for row in table.rows})
    return f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} samples each of"


def _tiles(table: Table) -> list[tuple[str, str, str]]:
    """Heading, number and note of the numbers that matter most: of the run, or of the best of several."""
    tiles = []
    for info in (METRICS[name] for name in HEADLINE if METRICS[name] in table.metrics):
        best = [row for row in table.rows if len(table.rows) == 1 or row.cells[info.name].best]
        if best:
            best.sort(key=partial(_standing, info))
            cell = best[0].cells[info.name]
            single = (heading(info), cell.value, cell.interval or info.direction)
            named = (f"best {heading(info)}", cell.value, ", ".join(row.name for row in best))
            tiles.append(single if len(table.rows) == 1 else named)
    return tiles


def _standing(info: MetricInfo, row: Row) -> float:
    """The smaller, the better; of rows that cannot be told apart, too."""
    mean = row.cells[info.name].mean
    return 0.0 if mean is None else -mean if info.higher_is_better else mean


def warning_lines(runs: Sequence[Results]) -> list[tuple[str, str]]:
    """Return name of the run and text of everything that is suspected, one line per cause."""
    named = zip(run_names(runs), runs, strict=True)
    return [(name, warning_line(group)) for name, run in named for group in grouped_warnings(run.samples)]


def _breakdowns(run: Results, table: Table) -> list[tuple[str, list[tuple[str, dict[str, Cell], int]]]]:
    """Means by style, region size and dataset."""
    summary = run.summary
    return [
        (title, [(name, summary_cells(group["metrics"], table.metrics), group["n"]) for name, group in groups.items()])
        for key, title in GROUPS.items()
        if len(groups := summary[key]) > 1
    ]


def _plots(table: Table, runs: Sequence[Results]) -> list[tuple[MetricInfo, int, Plot]]:
    plots = []
    for info in table.metrics:
        series = [
            Series(row.name, _finite(run, info.name), row.cells[info.name])
            for run, row in zip(runs, table.rows, strict=True)
        ]
        if info.name not in UNPLOTTED and any(item.values for item in series):
            plots.append((info, sum(item.cell.perfect for item in series), distribution(series, info.title)))
    return plots


def _finite(run: Results, name: str) -> tuple[float, ...]:
    values = [getattr(sample, name) for sample in run.samples if sample.status == "ok"]
    return tuple(float(value) for value in values if value is not None and math.isfinite(value))


def _facts(table: Table, info: dict[str, Any]) -> list[tuple[str, str]]:
    """Everything that determines the numbers."""
    facts = [("protocol", f"{table.protocol or '-'} · {table.protocol_hash or '-'}")]
    for role, entry in (info.get("weights") or {}).items():
        if entry:
            facts.append((f"{role} weights", f"{entry.get('id', '-')} · sha256 {entry.get('sha256', '-')}"))
    suite = info.get("suite") or {}
    version = f" {suite['version']}" if suite.get("version") else ""
    digest = f" · sha256 {suite['sha256']}" if suite.get("sha256") else ""
    versions = ", ".join(f"{name} {value}" for name, value in (info.get("versions") or {}).items())
    return [
        *facts,
        ("suite", f"{suite.get('name') or '-'}{version}{digest}"),
        ("coverage", ", ".join(f"{row.name} {row.n}/{row.total}" for row in table.rows)),
        ("computed on", f"{info.get('device', '-')}, {info.get('dtype', '-')}"),
        ("versions", versions or "-"),
    ]
