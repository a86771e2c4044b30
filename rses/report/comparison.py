"""Paired differences between runs, on the samples they share."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rses.errors import InputError
from rses.files.escape import clean
from rses.pages.grid import Grid, Value, columns_of, latex_heading, printed
from rses.pages.notices import toy_note
from rses.pages.numbers import heading, number
from rses.report.columns import REPEATED, asked, check_comparable, run_names
from rses.report.tables import check_format, markdown_notes
from rses.runs.results import Results, common_ids
from rses.runs.summary import clusters_of
from rses.statistics import PairedDifference, holm, paired_difference
from rses.table import METRICS, MetricInfo, get_metric

if TYPE_CHECKING:
    from rich.table import Table as RichTable

__all__ = ["NOTES", "Comparison", "Difference", "compare_runs", "comparison_grid", "render_comparison"]

ALPHA = 0.05
HEADER = ("run", "metric", "baseline", "difference", "95 % interval", "n", "p", "verdict")
ALIGN = "llrrrrrl"


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
    " ranks point to the same side. Leakage is compared by how far its mean lies from 0.",
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
        raise InputError("A comparison needs at least two runs: rses compare RUN RUN...", code="missing-option")
    check_comparable(runs)
    ids = common_ids(runs)
    names = run_names(runs)
    if not ids:
        text = f"{', '.join(names)} share no scored sample: were they scored on the same ids?"
        raise InputError(text, code="mismatch")
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
    """Leave out what says the same as another column: testing it again would only cost correction."""
    names = asked(runs)
    twins = {"rsm": {"clip_cosine", "rsm_gain", "style_success"}, "lpips_bg": {"preservation"}}
    left = {REPEATED}.union(*(others for name, others in twins.items() if name in names))
    return [name for name in names if name not in left]


def _pairs(baseline: Results, run: Results, ids: Sequence[str], metric: str) -> list[tuple[float, float, str]]:
    clusters = {s.id: name for s, name in zip(baseline.samples, clusters_of(baseline.samples), strict=True)}
    first = {sample.id: getattr(sample, metric) for sample in baseline.samples}
    second = {sample.id: getattr(sample, metric) for sample in run.samples}
    values = [(first[name], second[name], clusters[name]) for name in ids]
    found = [
        (float(a), float(b), cluster)
        for a, b, cluster in values
        if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)
    ]
    if not METRICS[metric].nearest_zero:
        return found
    sides = [-1 if math.fsum(column) < 0 else 1 for column in ([a for a, *_ in found], [b for _, b, _ in found])]
    return [(sides[0] * a, sides[1] * b, cluster) for a, b, cluster in found]


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
        return Grid([*header, "p_value", "p_corrected", "verdict"], rows).csv()
    grid, toy = comparison_grid(comparison), toy_note(comparison.protocol)
    notes = [*([toy] if toy else []), *NOTES]
    if format == "markdown":
        return f"{grid.markdown()}\n\n{markdown_notes([comparison.caption, *notes])}"
    if format == "latex":
        return grid.latex(comparison.caption, notes, text=latex_heading, caution=toy)
    return _terminal(comparison, grid, notes, width, color)


def comparison_grid(comparison: Comparison) -> Grid:
    """Arrange the differences as a table of text."""
    return Grid(HEADER, [_line(item) for item in comparison.differences], ALIGN)


def _terminal(comparison: Comparison, whole: Grid, notes: Sequence[str], width: int, color: bool) -> str:
    """One table; where it is too wide, one for each run, at last with the intervals below the differences."""
    from rich.text import Text

    shapes: list[list[Text | RichTable]] = [[whole.terminal(color, grouped=True)], [], []]
    for run in comparison.runs:
        rows = [row for row in whole.rows if row[0] == run]
        below = [[metric, base, Value(step, interval), *rest] for _, metric, base, step, interval, *rest in rows]
        short = Grid((*HEADER[1:4], *HEADER[5:]), below, ALIGN[1:4] + ALIGN[5:])
        for parts, grid in zip(
            shapes[1:], (Grid(HEADER[1:], [row[1:] for row in rows], ALIGN[1:]), short), strict=True
        ):
            parts += [Text(run, style="bold"), grid.terminal(color)] if rows else []
    fitting = (parts for parts in shapes if all(columns_of(part) <= width for part in parts))
    lines = [Text(note, style="dim") for note in notes]
    return printed([Text(comparison.caption, style="bold"), *next(fitting, shapes[-1]), *lines], width, color)


def _line(item: Difference) -> list[str | Value]:
    info = get_metric(item.metric)
    interval = "" if item.low is None or item.high is None or item.low == item.high else (
        f"[{_signed(item.low, info.digits)}, {_signed(item.high, info.digits)}]"
    )  # fmt: skip
    p_value = "<0.001" if item.p_corrected < 0.001 else f"{item.p_corrected:.3f}"
    verdict = Value(item.verdict, style={"better": "green", "worse": "red"}.get(item.verdict, ""))
    return [
        item.run, heading(info), number(item.baseline_mean, info.digits), _signed(item.mean, info.digits),
        interval, str(item.n), p_value, verdict,
    ]  # fmt: skip


def _signed(value: float, digits: int) -> str:
    return ("+" if value > 0 else "") + number(value, digits)
