"""One self-contained HTML page a report: no network, no file beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from rses.errors import InputError
from rses.files.atomic import write_atomic
from rses.files.escape import escape_html
from rses.report import sections
from rses.report.columns import Table, build_table
from rses.report.gallery import DIFFERENCE_TOP, Files, Gallery, HeatMap, Progress, build_gallery
from rses.runs.results import Results
from rses.table import METRICS

__all__ = [
    "GENERATOR",
    "content_digest",
    "gallery_section",
    "refuse_other_file",
    "report_html",
    "whole_page",
    "write_report",
]

GENERATOR = "rses report"
DEFAULT_SAMPLES = 24


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
    page = report_html(results, files=files, heatmap=heatmap, limit=limit, progress=progress)
    try:
        write_atomic(target, page.encode("utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"Cannot write the report to {target}: {reason}. Choose another place.") from error
    return target


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
    single = len(results) == 1
    table = build_table(results, results[0].metrics if single else None)
    known = list(files) if files is not None else [None] * len(results)
    gallery = build_gallery(results, known, heatmap, limit, progress)
    parts = [
        sections.headline(table, results),
        sections.warnings_list(results),
        f'<section id="results"><h2>Results</h2>{sections.results_table(table)}'
        f"{sections.breakdowns(results[0], table) if single else ''}</section>",
        f'<section id="distributions"><h2>Distributions</h2><p class="sub">{_plot_legend(single)}</p>'
        f"{sections.distributions(table, results)}</section>",
        gallery_section(gallery, table),
        sections.unscored(results),
        f'<section id="samples"><h2>Samples</h2>{sections.sample_list(results, table.metrics)}</section>',
        sections.provenance(table, results),
    ]
    title = f"{table.rows[0].name if single else f'{len(results)} methods'} · {table.suite or 'RSES'}"
    return whole_page(escape_html(title), "\n".join(parts))


def _plot_legend(single: bool) -> str:
    if single:
        return "One count a sample. The line is the mean, the band its 95 % interval."
    return "One dot a sample. The line is the mean, the band its 95 % interval."


def gallery_section(gallery: Gallery, table: Table, order: str | None = None) -> str:
    """Return the gallery with its legend; ``order`` says in HTML how it is sorted, where not the worst first."""
    if not gallery.entries:
        reason = "Their images were not at hand when this page was made." if not gallery.total else (
            "None of their images could be read when this page was made."
        )  # fmt: skip
        return f'<section id="gallery"><h2>Gallery</h2><p class="sub">{reason}</p></section>'
    first = next((METRICS[name] for name in ("rses_h", "lpips_bg", "mse_bg", "rsm") if _has(table, name)), None)
    if order is None:
        order = f", worst {escape_html(first.title)} first" if first else ""
    options = "".join(
        f'<option value="{info.name.replace("_", "-")}">{escape_html(info.title)}</option>'
        for info in table.metrics
        if info.name != "mse_bg_pm1"
    )
    heat = (
        '<li><span class="ramp" aria-hidden="true"></span> LPIPS map: dark 0, bright '
        f"{gallery.heat_top:.2g} or more a pixel</li>"
        if any(shot.heat is not None for entry in gallery.entries for shot in entry.shots)
        else ""
    )
    lost = f" Images of {gallery.unreadable} more could not be read." if gallery.unreadable else ""
    return (
        f'<section id="gallery"><h2>Gallery</h2>'
        f'<p class="sub">{len(gallery.entries)} of {gallery.total} scored samples{order}.{lost}</p>'
        '<ul class="legend"><li><span class="ring" aria-hidden="true"></span> edge of the region to edit</li>'
        '<li><span class="ramp" aria-hidden="true"></span> difference: dark 0, bright '
        f"{DIFFERENCE_TOP:g} or more</li>{heat}"
        '<li><span class="grey" aria-hidden="true"></span> grey: inside the region, not counted</li></ul>'
        f'<p class="controls" hidden><label>Worst first by <select id="sort"><option value="">as given</option>'
        f'{options}</select></label><label>Style <select id="style"><option value="">all</option></select></label>'
        f'<span id="shown" role="status"></span></p><ol class="samples">{gallery.html()}</ol></section>'
    )


def _has(table: Table, name: str) -> bool:
    return any(name in row.cells and row.cells[name].mean is not None for row in table.rows)


def whole_page(title: str, body: str) -> str:
    """Return a page around ``body``; both are HTML already."""
    style, script = _asset("report.css"), _asset("report.js")
    # The policy makes a browser refuse any request and any script but this one, whatever a name smuggles in.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{content_digest(style)}'; "
        f"script-src '{content_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="generator" content="{GENERATOR}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#results">Skip to the results</a>\n'
        f"<main>\n{body}\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return resources.files("rses.report").joinpath("assets").joinpath(name).read_text("utf-8")


def content_digest(text: str) -> str:
    """Return how a content policy names an inline script or style that it lets through."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def refuse_other_file(target: Path) -> None:
    """Raise :class:`InputError` unless ``target`` is absent or a former page of ours."""
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of the HTML file to write.")
    if target.exists():
        with target.open("rb") as stream:
            head = stream.read(4096)
        if f'content="{GENERATOR}"'.encode() not in head:
            raise InputError(f"{target} exists and is not a report of rses. Choose another place, or remove it.")
