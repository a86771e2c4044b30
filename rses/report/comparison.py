"""Paired differences between runs, on the samples they share."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rses.errors import InputError
from rses.files.escape import clean, escape_latex, escape_markdown
from rses.report.columns import COMPARED, check_comparable, compared, heading, number, run_names
from rses.report.tables import check_format, csv_text
from rses.runs.results import Results, common_ids
from rses.runs.summary import clusters_of
from rses.statistics import PairedDifference, holm, paired_difference
from rses.table import METRICS, MetricInfo, get_metric

if TYPE_CHECKING:
    from rich.table import Table as RichTable

__all__ = ["HEADER", "NOTES", "Comparison", "Difference", "comparison_lines", "compare_runs", "render_comparison"]

ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """One metric of one run against the baseline.

    Attributes:
        run: Name of the run.
        metric: Name of the aggregate.
        baseline_mean: Mean of the baseline over the pairs.
        mean: Mean of run minus baseline.
        low: Lower end of the 95 % bootstrap interval of ``mean``; ``None`` for fewer than two pairs.
        high: Upper end.
        n: Pairs behind it; fewer than the common samples where a value is undefined or infinite.
        p_value: Wilcoxon signed-rank, two-sided, uncorrected.
        p_corrected: The same after Holm's correction over every row of the comparison.
        verdict: "better", "worse" or "" where the corrected p-value is not below 0.05.
    """

    run: str
    metric: str
    baseline_mean: float
    mean: float
    low: float | None
    high: float | None
    n: int
    p_value: float
    p_corrected: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Runs against a baseline on their common samples."""

    baseline: str
    runs: tuple[str, ...]
    protocol: str
    common: int
    left_out: int
    differences: tuple[Difference, ...]

    @property
    def caption(self) -> str:
        """What was compared, in one line."""
        others = ", ".join(self.runs)
        left = f", {self.left_out} not shared" if self.left_out else ""
        protocol = f", protocol {self.protocol}" if self.protocol else ""
        return f"{others} minus {self.baseline} on {self.common} common samples{left}{protocol}"


NOTES = (
    "Mean paired difference with 95 % bootstrap interval, over n pairs with two finite values; samples of one source"
    " image count as one observation.",
    "p: Wilcoxon signed-rank, Holm-corrected over all rows; better or worse only where it is below 0.05 and mean and"
    " ranks point to the same side.",
)


def compare_runs(runs: Sequence[Results], metrics: Sequence[str] | None = None) -> Comparison:
    """Compare every run with the first, sample by sample.

    Args:
        runs: At least two runs of one protocol, weights and suite; the first is the baseline.
        metrics: Columns to compare, by default all that are not multiples of another one; those without a
            common finite value are left out.

    Raises:
        InputError: Fewer than two runs, runs that cannot be compared, or no common sample.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> a = Results([SampleResult(i, mse_bg=v) for i, v in zip("xyz", (0.1, 0.2, 0.3))], {"method": "a"})
        >>> b = Results([SampleResult(i, mse_bg=v) for i, v in zip("xyz", (0.2, 0.3, 0.4))], {"method": "b"})
        >>> difference = compare_runs([a, b]).differences[0]
        >>> difference.run, difference.metric, round(difference.mean, 6), difference.n
        ('b', 'mse_bg', 0.1, 3)
    """
    if len(runs) < 2:
        raise InputError("A comparison needs at least two runs: rses compare RUN RUN...")
    check_comparable(runs)
    ids = common_ids(runs)
    names = run_names(runs)
    if not ids:
        raise InputError(f"{', '.join(names)} share no scored sample: were they scored on the same ids?")
    raw = [
        (name, info, pairs)
        for name, run in zip(names[1:], runs[1:], strict=True)
        for info in (METRICS[metric] for metric in (metrics or _distinct(runs)))
        if (pairs := _pairs(runs[0], run, ids, info.name))
    ]
    tests = [
        paired_difference([b for _, b, _ in pairs], [a for a, _, _ in pairs], clusters=[name for *_, name in pairs])
        for _, _, pairs in raw
    ]
    corrected = holm([test.p_value for test in tests]) if tests else []
    differences = [
        Difference(
            name, info.aggregate, math.fsum(a for a, *_ in pairs) / len(pairs), test.mean, test.low, test.high,
            test.n, test.p_value, p, _verdict(info, test, p),
        )
        for (name, info, pairs), test, p in zip(raw, tests, corrected, strict=True)
    ]  # fmt: skip
    every = {sample.id for run in runs for sample in run.samples if sample.status == "ok"}
    protocol = clean((runs[0].info.get("protocol") or {}).get("id") or "")
    return Comparison(
        names[0], tuple(names[1:]), protocol, len(ids), len(every) - len(ids), tuple(differences)
    )  # fmt: skip


def _distinct(runs: Sequence[Results]) -> list[str]:
    """Leave out what differs from RSM by constants: the same test thrice would only cost correction."""
    twins = {"clip_cosine", "rsm_gain"} if all("rsm" in run.info.get("metrics", ("rsm",)) for run in runs) else set()
    return [name for name in [*COMPARED, *(n for n in compared(runs) if n not in METRICS)] if name not in twins]


def _pairs(baseline: Results, run: Results, ids: Sequence[str], metric: str) -> list[tuple[float, float, str]]:
    clusters = {s.id: name for s, name in zip(baseline.samples, clusters_of(baseline.samples), strict=True)}
    first = {sample.id: getattr(sample, metric) for sample in baseline.samples}
    second = {sample.id: getattr(sample, metric) for sample in run.samples}
    values = [(first[name], second[name], clusters[name]) for name in ids]
    return [
        (float(a), float(b), cluster)
        for a, b, cluster in values
        if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)
    ]


def _verdict(info: MetricInfo, test: PairedDifference, p_value: float) -> str:
    """A few large differences can pull the mean to the side that the ranks speak against; then neither is claimed."""
    if p_value >= ALPHA or test.mean * test.direction <= 0:
        return ""
    return "better" if (test.mean > 0) == info.higher_is_better else "worse"


def render_comparison(comparison: Comparison, format: str = "table", *, width: int = 120, color: bool = False) -> str:
    """Render a comparison in one of :data:`rses.report.tables.FORMATS`.

    Raises:
        InputError: Unknown format.

    Example:
        >>> print(render_comparison(Comparison("a", ("b",), "", 3, 0, ()), "csv"), end="")
        baseline,run,metric,baseline_mean,difference,low,high,n,p_value,p_corrected,verdict
    """
    check_format(format)
    if format == "json":
        return json.dumps({"schema": 1, **asdict(comparison)}, indent=2, allow_nan=False) + "\n"
    if format == "csv":
        header = ["baseline", "run", "metric", "baseline_mean", "difference", "low", "high", "n"]
        rows = [[comparison.baseline, *asdict(item).values()] for item in comparison.differences]
        return csv_text([*header, "p_value", "p_corrected", "verdict"], rows)
    lines = comparison_lines(comparison)
    if format == "markdown":
        return _markdown(comparison, lines)
    if format == "latex":
        return _latex(comparison, lines)
    return _table(comparison, lines, width, color)


HEADER = ("run", "metric", "baseline", "difference", "95 % interval", "n", "p", "verdict")


def comparison_lines(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the cells of the table as text, in the order of :data:`HEADER`."""
    return [_line(item) for item in comparison.differences]


def _line(item: Difference) -> tuple[str, ...]:
    info = get_metric(item.metric)
    interval = "" if item.low is None or item.high is None or item.low == item.high else (
        f"[{_signed(item.low, info.digits)}, {_signed(item.high, info.digits)}]"
    )  # fmt: skip
    return (
        item.run, heading(info), number(item.baseline_mean, info.digits), _signed(item.mean, info.digits),
        interval, str(item.n), _p_value(item.p_corrected), item.verdict,
    )  # fmt: skip


def _signed(value: float, digits: int) -> str:
    return ("+" if value > 0 else "") + number(value, digits)


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _table(comparison: Comparison, lines: Sequence[tuple[str, ...]], width: int, color: bool) -> str:
    """One grid; where it is too wide, a grid for each run, at last with the intervals below the differences."""
    from rich.text import Text

    from rses.report.terminal import grid_width, to_text

    runs = [[line for line in lines if line[0] == run] for run in dict.fromkeys(line[0] for line in lines)]
    shapes = [
        [_grid(runs, HEADER)],
        [part for rows in runs for part in (Text(rows[0][0], style="bold"), _grid([rows], HEADER[1:]))],
        [
            part
            for rows in runs
            for part in (Text(rows[0][0], style="bold"), _grid([rows], (*HEADER[1:4], *HEADER[5:])))
        ],
    ]
    fitting = (parts for parts in shapes if all(isinstance(p, Text) or grid_width(p) <= width for p in parts))
    notes = [Text(note, style="dim") for note in NOTES]
    return to_text([Text(comparison.caption, style="bold"), *next(fitting, shapes[-1]), *notes], width, color)


def _grid(runs: Sequence[Sequence[tuple[str, ...]]], columns: Sequence[str]) -> RichTable:
    """Rows in sections; an interval that has no column stands below its difference."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1) if "run" in columns else (0, 1, 0, 0))
    for title in columns:
        grid.add_column(title, justify="left" if title in ("run", "metric", "verdict") else "right", no_wrap=True)
    for rows in runs:
        for line in rows:
            cells = dict(zip(HEADER, line, strict=True))
            if "95 % interval" not in columns and cells["95 % interval"]:
                cells["difference"] += f"\n{cells['95 % interval']}"
            style = {"better": "green", "worse": "red"}.get(cells["verdict"], "")
            grid.add_row(*(Text(cells[title], style=style if title == "verdict" else "") for title in columns))
        grid.add_section()
    return grid


def _markdown(comparison: Comparison, lines: Sequence[tuple[str, ...]]) -> str:
    rows = ["| " + " | ".join(escape_markdown(text) for text in line) + " |" for line in (HEADER, *lines)]
    rows.insert(1, "|:---|:---|---:|---:|---:|---:|---:|:---|")
    notes = "  \n".join(escape_markdown(note) for note in (comparison.caption, *NOTES))
    return "\n".join(rows) + f"\n\n{notes}\n"


def _latex(comparison: Comparison, lines: Sequence[tuple[str, ...]]) -> str:
    rows = [" & ".join(_latex_text(text) for text in line) + r" \\" for line in (HEADER, *lines)]
    return "\n".join(
        [
            f"% {clean(comparison.caption)}",
            "% needs \\usepackage{booktabs}",
            "\\begin{tabular}{llrrrrrl}",
            "\\toprule",
            rows[0],
            "\\midrule",
            *rows[1:],
            "\\bottomrule",
            "\\end{tabular}",
            *(f"% {note}" for note in NOTES),
            "",
        ]
    )


def _latex_text(text: str) -> str:
    return escape_latex(text).replace("\\_bg", "\\textsubscript{bg}")
