"""The sections of a report page: headline, tables, plots, sample list, provenance. All text is escaped here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rses.files.escape import escape_html
from rses.report.columns import Cell, Row, Table, heading, number, run_names
from rses.report.plots import Series, histogram, strips
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import grouped_warnings, warning_line
from rses.table import METRICS, MetricInfo

__all__ = [
    "breakdowns",
    "distributions",
    "headline",
    "provenance",
    "results_table",
    "sample_list",
    "unscored",
    "warnings_list",
]

HEADLINE = ("rsm_gain", "rsm", "lpips_bg", "mse_bg", "rses_p")
MAX_ROWS = 600
# A yes or no has no distribution; the others repeat RSM and MSE_bg on another scale.
UNPLOTTED = ("style_correct", "clip_cosine", "mse_bg_pm1")


def headline(table: Table, runs: Sequence[Results]) -> str:
    """Return the first screen: what was scored, and the numbers that matter most."""
    single = len(runs) == 1
    row = table.rows[0]
    suite = f"suite <b>{escape_html(table.suite)}</b>" if table.suite else "a folder of edits"
    protocol = f"protocol <b>{escape_html(table.protocol)}</b>" if table.protocol else "an unnamed protocol"
    title = escape_html(row.name) if single else f"{len(runs)} methods compared"
    if single:
        what = f"{row.n} of {row.total} samples of {suite} scored under {protocol}."
    else:
        counts = sorted({run.n for run in table.rows})
        spread = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        what = f"{spread} samples each of {suite} scored under {protocol}."
    tiles = "".join(
        _tile(table, info, single) for name in HEADLINE for info in table.metrics if info.name == name
    )  # fmt: skip
    if single:
        tiles += (
            f'<div class="tile"><dt>coverage</dt><dd>{row.n}<small>/{row.total}</small></dd>'
            "<dd class=note>samples scored</dd></div>"
        )
    return (
        f'<header><p class="eyebrow">Regional Style Editing Score</p><h1>{title}</h1>'
        f'<p class="lede">{what} Style should rise inside the region; the background should stay as it was.</p>'
        f'<dl class="tiles">{tiles}</dl></header>'
    )


def _tile(table: Table, info: MetricInfo, single: bool) -> str:
    direction = "higher is better" if info.higher_is_better else "lower is better"
    if single:
        cell, note = table.rows[0].cells[info.name], ""
    else:
        best = [row for row in table.rows if row.cells[info.name].best]
        if not best:
            return ""
        cell, note = best[0].cells[info.name], escape_html(", ".join(row.name for row in best))
    interval = escape_html(cell.interval) or direction
    label = f"{'' if single else 'best '}{escape_html(heading(info))}"
    return f'<div class="tile"><dt>{label}</dt><dd>{cell.value}</dd><dd class=note>{note or interval}</dd></div>'


def results_table(table: Table) -> str:
    """Return the main table: a metric a line for one run, a run a line for several."""
    notes = "".join(f"<li>{escape_html(note)}</li>" for note in table.notes)
    body = _single(table) if len(table.rows) == 1 else _several(table)
    return f'{body}<ul class="notes">{notes}</ul>'


def _single(table: Table) -> str:
    row = table.rows[0]
    lines = "".join(
        f'<tr><th scope="row">{_heading(info)}<span class="hint">{escape_html(info.description)}</span></th>'
        f'<td class="num strong">{cell.value}</td><td class="num">{escape_html(cell.interval) or "–"}</td>'
        f'<td class="num">{cell.n + cell.perfect}</td></tr>'
        for info in table.metrics
        for cell in (row.cells[info.name],)
    )
    return _scroll(
        "Results",
        f"<caption>{escape_html(row.name)}, {escape_html(table.caption)}</caption><thead><tr>"
        '<th scope="col">metric</th><th scope="col" class="num">mean</th>'
        '<th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th></tr></thead>'
        f"<tbody>{lines}</tbody>",
        "single",
    )


def _several(table: Table) -> str:
    heads = "".join(f'<th scope="col" class="num">{_heading(info)}</th>' for info in table.metrics)
    lines = "".join(
        f'<tr{" class=ref" if row.reference else ""}><th scope="row">{_name(row)}</th>'
        + "".join(_cell(row.cells[info.name]) for info in table.metrics)
        + f'<td class="num">{row.n}/{row.total}</td></tr>'
        for row in table.rows
    )
    return _scroll(
        "Comparison",
        f'<caption>{escape_html(table.caption)}</caption><thead><tr><th scope="col">method</th>{heads}'
        f'<th scope="col" class="num">scored</th></tr></thead><tbody>{lines}</tbody>',
        "wide",
    )


def _heading(info: MetricInfo) -> str:
    return escape_html(heading(info)).replace("_bg", "<sub>bg</sub>")


def _name(row: Row) -> str:
    mask = '<abbr title="sees the mask at inference">†</abbr>' if row.mask_used else ""
    return f"{escape_html(row.name)}{mask}" + (' <span class="tag">ref</span>' if row.reference else "")


def _cell(cell: Cell) -> str:
    value = f"<strong>{cell.value}</strong>" if cell.best else cell.value
    interval = f'<span class="interval">{escape_html(cell.interval)}</span>' if cell.interval else ""
    return f'<td class="num">{value}{interval}</td>'


def _scroll(label: str, content: str, kind: str) -> str:
    return (
        f'<div class="scroll" role="region" aria-label="{label} table" tabindex="0">'
        f'<table class="{kind}">{content}</table></div>'
    )


def distributions(table: Table, runs: Sequence[Results]) -> str:
    """Return one plot a metric, but for :data:`UNPLOTTED`."""
    names = run_names(runs)
    figures = []
    for info in table.metrics:
        if info.name in UNPLOTTED:
            continue
        series = [
            Series(name, _finite(run, info.name), row.cells[info.name])
            for name, run, row in zip(names, runs, table.rows, strict=True)
        ]
        if not any(item.values for item in series):
            continue
        plot = histogram(series[0], info.title) if len(series) == 1 else strips(series, info.title)
        perfect = sum(item.cell.perfect for item in series)
        left = f'<span class="hint">{perfect} perfect (infinite), not drawn</span>' if perfect else ""
        figures.append(f'<figure class="plotbox"><figcaption>{_heading(info)}{left}</figcaption>{plot}</figure>')
    return f'<div class="plots">{"".join(figures)}</div>'


def _finite(run: Results, name: str) -> tuple[float, ...]:
    values = [getattr(sample, name) for sample in run.samples if sample.status == "ok"]
    return tuple(float(value) for value in values if value is not None and math.isfinite(value))


def breakdowns(run: Results, table: Table) -> str:
    """Return means by style, region size and dataset, of one run."""
    summary = run.summary
    parts = []
    for key, title in (("by_style", "By style"), ("by_mask_size", "By region size"), ("by_dataset", "By dataset")):
        groups: dict[str, Any] = summary[key]
        if len(groups) > 1:
            parts.append(f"<details><summary>{title}</summary>{_groups(title, groups, table.metrics)}</details>")
    return "".join(parts)


def _groups(title: str, groups: dict[str, Any], metrics: Sequence[MetricInfo]) -> str:
    heads = "".join(f'<th scope="col" class="num">{_heading(info)}</th>' for info in metrics)
    lines = ""
    for name, group in groups.items():
        cells = ""
        for info in metrics:
            entry = group["metrics"].get(info.aggregate, {})
            cell = Cell(
                entry.get("mean"), entry.get("low"), entry.get("high"), perfect=entry.get("perfect", 0),
                digits=info.digits,
            )  # fmt: skip
            cells += _cell(cell)
        lines += f'<tr><th scope="row">{escape_html(name)}</th>{cells}<td class="num">{group["n"]}</td></tr>'
    return _scroll(
        title,
        f'<caption>{title}</caption><thead><tr><th scope="col">group</th>{heads}<th scope="col" class="num">n</th>'
        f"</tr></thead><tbody>{lines}</tbody>",
        "wide",
    )


def warnings_list(runs: Sequence[Results]) -> str:
    """Return what is suspected of the runs, one line per cause, or nothing."""
    lines = [
        f"<li>{f'<b>{escape_html(name)}</b>: ' if len(runs) > 1 else ''}{escape_html(warning_line(group))}</li>"
        for name, run in zip(run_names(runs), runs, strict=True)
        for group in grouped_warnings(run.samples)
    ]
    if not lines:
        return ""
    return f'<section id="warnings"><h2>Warnings</h2><ul class="notes">{"".join(lines)}</ul></section>'


def unscored(runs: Sequence[Results]) -> str:
    """Return the samples without numbers and why, or nothing."""
    rows = [
        (name, sample)
        for name, run in zip(run_names(runs), runs, strict=True)
        for sample in run.samples
        if sample.status != "ok"
    ]
    if not rows:
        return ""
    lines = "".join(
        f'<tr><th scope="row">{escape_html(sample.id)}</th><td>{escape_html(name)}</td>'
        f"<td>{escape_html(sample.status)}</td><td>{escape_html(sample.note)}</td></tr>"
        for name, sample in rows[:MAX_ROWS]
    )
    more = f"<p>… and {len(rows) - MAX_ROWS} more.</p>" if len(rows) > MAX_ROWS else ""
    table = _scroll(
        "Not scored",
        '<caption>Counted in coverage, in no mean</caption><thead><tr><th scope="col">sample</th>'
        '<th scope="col">method</th><th scope="col">status</th><th scope="col">why</th></tr></thead>'
        f"<tbody>{lines}</tbody>",
        "plain",
    )
    return f'<section id="unscored"><h2>Not scored</h2>{table}{more}</section>'


def sample_list(runs: Sequence[Results], metrics: Sequence[MetricInfo]) -> str:
    """Return every scored sample with its numbers, folded away."""
    rows = [
        (name, sample)
        for name, run in zip(run_names(runs), runs, strict=True)
        for sample in run.samples
        if sample.status == "ok"
    ]
    heads = "".join(f'<th scope="col" class="num">{_heading(info)}</th>' for info in metrics)
    lines = "".join(_sample_line(name, sample, metrics) for name, sample in rows[:MAX_ROWS])
    more = f"<p>The first {MAX_ROWS} of {len(rows)}; all are in samples.parquet.</p>" if len(rows) > MAX_ROWS else ""
    table = _scroll(
        "All samples",
        '<caption>Every scored sample</caption><thead><tr><th scope="col">sample</th><th scope="col">method</th>'
        f'<th scope="col">style</th>{heads}</tr></thead><tbody>{lines}</tbody>',
        "wide",
    )
    return f"<details><summary>All {len(rows)} scored samples</summary>{table}{more}</details>"


def _sample_line(name: str, sample: SampleResult, metrics: Sequence[MetricInfo]) -> str:
    cells = ""
    for info in metrics:
        value = getattr(sample, info.name)
        text = "-" if value is None else ("yes" if value else "no") if isinstance(value, bool) else (
            number(value, info.digits)
        )  # fmt: skip
        cells += f'<td class="num">{text}</td>'
    return (
        f'<tr><th scope="row">{escape_html(sample.id)}</th><td>{escape_html(name)}</td>'
        f"<td>{escape_html(sample.style or '-')}</td>{cells}</tr>"
    )


def provenance(table: Table, runs: Sequence[Results]) -> str:
    """Return the footer: everything that determines the numbers."""
    info = runs[0].info
    facts = [("protocol", f"{table.protocol or '-'} · {table.protocol_hash or '-'}")]
    for role, entry in (info.get("weights") or {}).items():
        if entry:
            facts.append((f"{role} weights", f"{entry.get('id', '-')} · sha256 {entry.get('sha256', '-')}"))
    suite = info.get("suite") or {}
    version = f" {suite['version']}" if suite.get("version") else ""
    digest = f" · sha256 {suite['sha256']}" if suite.get("sha256") else ""
    facts.append(("suite", f"{suite.get('name') or '-'}{version}{digest}"))
    facts.append(("coverage", ", ".join(f"{row.name} {row.n}/{row.total}" for row in table.rows)))
    facts.append(("computed on", f"{info.get('device', '-')}, {info.get('dtype', '-')}"))
    versions = info.get("versions") or {}
    facts.append(("versions", ", ".join(f"{name} {value}" for name, value in versions.items()) or "-"))
    lines = "".join(f"<div><dt>{escape_html(name)}</dt><dd>{escape_html(value)}</dd></div>" for name, value in facts)
    knobs = (info.get("protocol") or {}).get("knobs") or {}
    pairs = "".join(
        f"<div><dt>{escape_html(key)}</dt><dd>{escape_html(value)}</dd></div>" for key, value in knobs.items()
    )
    card = f'<details><summary>All knobs of the protocol</summary><dl class="facts">{pairs}</dl></details>'
    names = ", ".join(escape_html(METRICS[name].title) for name in METRICS if METRICS[name].ours)
    return (
        f'<footer><h2>How these numbers were made</h2><dl class="facts">{lines}</dl>{card if pairs else ""}'
        f"<p>Numbers of different protocols or weights must not be compared. Beyond the paper: {names}.</p></footer>"
    )
