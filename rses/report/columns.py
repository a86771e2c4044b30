"""From runs to the cells of a table, before any format: which columns, which numbers, which are best."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rses.errors import InputError
from rses.files.escape import clean
from rses.runs.results import Results
from rses.statistics.order import marked_places
from rses.table import METRICS, MetricInfo, in_table_order

__all__ = ["Cell", "Row", "Table", "build_table", "check_comparable", "heading", "number", "run_names"]

# The scale twin of mse_bg carries no information of its own, so that comparisons leave it out.
COMPARED = tuple(name for name in METRICS if name != "mse_bg_pm1")
UNDEFINED = "-"


@dataclass(frozen=True)
class Cell:
    """One aggregate: mean, interval, how many samples; all ``None`` where undefined."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    perfect: int = 0
    digits: int = 4
    best: bool = False

    @property
    def value(self) -> str:
        """The mean as text; "inf (n perfect)" where every sample is perfect, "-" where undefined.

        Example:
            >>> Cell(0.61234).value, Cell().value, Cell(perfect=3).value
            ('0.6123', '-', 'inf (3 perfect)')
            >>> Cell(31.2, perfect=2, digits=2).value
            '31.20 (+2 perfect)'
        """
        if self.mean is None:
            return f"inf ({self.perfect} perfect)" if self.perfect else UNDEFINED
        return number(self.mean, self.digits) + (f" (+{self.perfect} perfect)" if self.perfect else "")

    @property
    def interval(self) -> str:
        """The 95 % interval as text, empty where there is none or where it is a point.

        Example:
            >>> Cell(0.5, 0.25, 0.75, digits=2).interval, Cell(0.0, 0.0, 0.0).interval
            ('[0.25, 0.75]', '')
        """
        if self.low is None or self.high is None or self.low == self.high:
            return ""
        return f"[{number(self.low, self.digits)}, {number(self.high, self.digits)}]"


@dataclass(frozen=True)
class Row:
    """One run of a table."""

    name: str
    cells: dict[str, Cell]
    n: int
    total: int
    reference: bool = False
    mask_used: bool = False


@dataclass(frozen=True)
class Table:
    """Rows over the same metrics, and what was measured how."""

    metrics: tuple[MetricInfo, ...]
    rows: tuple[Row, ...]
    suite: str
    protocol: str
    protocol_hash: str
    notes: tuple[str, ...]

    @property
    def caption(self) -> str:
        """One line: suite, protocol and hash."""
        parts = [
            f"suite {self.suite}" if self.suite else "",
            f"protocol {self.protocol}" if self.protocol else "",
        ]
        text = ", ".join(part for part in parts if part) or "unnamed protocol"
        return f"{text} ({self.protocol_hash})" if self.protocol_hash else text


def number(value: float, digits: int) -> str:
    """Format a number; an exact zero is "0", and a nonzero number never rounds to zero.

    Example:
        >>> number(0.12345, 4), number(0.0, 4), number(0.0000031, 5), number(float("inf"), 2)
        ('0.1235', '0', '3.1e-06', 'inf')
    """
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else UNDEFINED
    if value == 0:
        return "0"
    text = f"{value:.{digits}f}"
    return f"{value:.1e}" if float(text) == 0 else text


def heading(info: MetricInfo) -> str:
    """Return a column heading: title, mark of our own metrics, direction.

    Example:
        >>> heading(METRICS["rsm_gain"]), heading(METRICS["lpips_bg"])
        ('RSM gain° ↑', 'LPIPS_bg ↓')
    """
    return f"{info.title}{'°' if info.ours else ''} {'↑' if info.higher_is_better else '↓'}"


def compared(runs: Sequence[Results]) -> list[str]:
    """Return the columns that any run asked for, but for those that say the same on another scale."""
    return in_table_order({name for run in runs for name in run.metrics} - {"mse_bg_pm1"})


def build_table(runs: Sequence[Results], metrics: Sequence[str] | None = None) -> Table:
    """Arrange runs as rows.

    Args:
        runs: At least one run, all of one protocol and one suite.
        metrics: Columns; by default those that the runs asked for.

    Raises:
        InputError: No run, or runs whose numbers cannot stand in one table.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> table = build_table([Results([SampleResult("a", mse_bg=0.25)], {"method": "mine"})])
        >>> table.rows[0].name, table.rows[0].cells["mse_bg"].value
        ('mine', '0.25000')
    """
    check_comparable(runs)
    summaries = [run.summary for run in runs]
    wanted = metrics if metrics is not None else compared(runs)
    infos = tuple(METRICS[name] for name in wanted)
    rows = [_row(name, summary, infos) for name, summary in zip(run_names(runs), summaries, strict=True)]
    first = summaries[0]
    protocol = first.get("protocol") or {}
    return Table(
        infos,
        tuple(_mark_best(rows, infos)),
        clean(first.get("suite") or ""),
        clean(protocol.get("id") or ""),
        clean(protocol.get("hash") or ""),
        tuple(_notes(rows, infos, runs)),
    )


def run_names(runs: Sequence[Results]) -> list[str]:
    """Name every run by its method; runs of one method are numbered.

    Example:
        >>> run_names([Results([], {"method": name}) for name in ("a", "b", "a")])
        ['a (1)', 'b', 'a (2)']
    """
    names = [clean(run.info.get("method") or "unnamed") for run in runs]
    counts, seen = Counter(names), Counter[str]()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return labels


def check_comparable(runs: Sequence[Results]) -> None:
    """Refuse runs whose numbers mean different things.

    Raises:
        InputError: No run; or different protocols, weights, suites, or samples that only share an id.
    """
    if not runs:
        raise InputError("There is no run to show. Give at least one.")
    names = run_names(runs)
    for run, name in zip(runs[1:], names[1:], strict=True):
        for what, remedy in (
            ("protocol", "Score both with the same --protocol and the same options."),
            ("weights", "Score both with the same weights: same --protocol, same version of rses."),
            ("suite", "Score both on the same suite."),
        ):
            here, there = _identity(runs[0], what), _identity(run, what)
            if any(here[key] != there[key] for key in here.keys() & there.keys()):
                raise InputError(
                    f'"{names[0]}" and "{name}" were scored with different {what}: '
                    f"{_describe(here)} and {_describe(there)}. Their numbers cannot be compared. {remedy}"
                )
        _check_samples(runs[0], run, names[0], name)


def _check_samples(first: Results, second: Results, first_name: str, second_name: str) -> None:
    """Equal ids are not enough: what both runs say of a sample must agree."""
    known = {sample.id: sample for sample in first.samples}
    for other in second.samples:
        own = known.get(other.id)
        if own is None:
            continue
        for what, here, there in (
            ("style", own.style, other.style),
            ("source image", own.source, other.source),
            ("mask_fraction", own.mask_fraction, other.mask_fraction),
        ):
            if here is not None and there is not None and here != there:
                raise InputError(
                    f'"{first_name}" and "{second_name}" were scored on different samples: "{clean(other.id)}" has '
                    f"{what} {clean(str(here))} in one and {clean(str(there))} in the other. Score both with the same "
                    "masks, sources and styles."
                )


def _identity(run: Results, what: str) -> dict[str, str]:
    """Return what must agree between two runs, leaving out what a run does not say."""
    record: dict[str, Any] = run.info.get(what) or {}
    if what == "weights":
        return {role: f"{entry['id']} {entry['sha256'][:12]}" for role, entry in record.items() if entry}
    if what == "protocol":
        return {key: str(record[key]) for key in ("id", "hash") if record.get(key)}
    keys = ("sha256",) if record.get("sha256") else ("name",)
    return {key: str(record[key]) for key in keys if record.get(key)}


def _describe(identity: dict[str, str]) -> str:
    return " ".join(clean(value) for value in identity.values()) or "none"


def _row(name: str, summary: dict[str, Any], infos: Sequence[MetricInfo]) -> Row:
    card = summary["info"].get("method_card") or {}
    cells = {}
    for info in infos:
        entry = summary["metrics"].get(info.aggregate, {})
        cells[info.name] = Cell(
            mean=entry.get("mean"),
            low=entry.get("low"),
            high=entry.get("high"),
            n=entry.get("n", 0),
            perfect=entry.get("perfect", 0),
            digits=info.digits,
        )
    coverage = summary["coverage"]
    return Row(name, cells, coverage["n"], coverage["N"], bool(card.get("reference")), bool(card.get("mask_used")))


def _mark_best(rows: Sequence[Row], infos: Sequence[MetricInfo]) -> list[Row]:
    """Mark the best mean of every column among the rows that compete; ties are all marked, unless all tie."""
    own = [i for i, row in enumerate(rows) if not row.reference] or list(range(len(rows)))
    if len(own) < 2:
        return list(rows)
    marked = [dict(row.cells) for row in rows]
    for info in infos:
        cells = [rows[i].cells[info.name] for i in own]
        found = marked_places([cell.mean for cell in cells], [cell.perfect for cell in cells], info.higher_is_better)
        for i, place in zip(own, found, strict=True):
            if place == 1:
                marked[i][info.name] = replace(marked[i][info.name], best=True)
    return [replace(row, cells=cells) for row, cells in zip(rows, marked, strict=True)]


def _notes(rows: Sequence[Row], infos: Sequence[MetricInfo], runs: Sequence[Results]) -> list[str]:
    notes = ["Mean with 95 % bootstrap interval; ↑ higher is better, ↓ lower is better."]
    if any(info.ours for info in infos):
        notes.append("° beyond the RegionRoute paper, defined by RSES.")
    if any(row.mask_used for row in rows):
        notes.append("† sees the mask at inference.")
    if any(row.reference for row in rows):
        tail = ", and not marked as best" if any(not row.reference for row in rows) else ""
        notes.append(f"(ref) reference row: bounds the scale{tail}.")
    if any(row.total > len(run.samples) for row, run in zip(rows, runs, strict=True)):
        notes.append("A run on a part of its suite: N counts all samples of the suite.")
    if len({frozenset(s.id for s in run.samples if s.status == "ok") for run in runs}) > 1:
        notes.append("The runs cover different samples; `rses compare` uses those they share.")
    return notes
