"""From runs to the cells of a table, before any format: which columns, which numbers, which are best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rses.errors import InputError, Place
from rses.files.escape import clean
from rses.pages.notices import toy_note
from rses.pages.numbers import UNDEFINED, number
from rses.runs.results import Results
from rses.runs.summary import clusters_of, table_of
from rses.statistics import marks, sure_order, toward_zero
from rses.statistics.intervals import FEWEST
from rses.statistics.order import marked_places
from rses.table import METRICS, MetricInfo, in_table_order

__all__ = ["REPEATED", "Cell", "Row", "Table", "asked", "build_table", "check_comparable", "run_names", "summary_cells"]

REPEATED = "mse_bg_pm1"
"""The scale twin of ``mse_bg`` carries no information of its own, so that comparisons leave it out."""


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
    def key(self) -> str:
        """What a page sorts by; empty where undefined.

        Example:
            >>> Cell(0.25).key, Cell(perfect=3).key, Cell().key
            ('0.25', 'Infinity', '')
        """
        return ("Infinity" if self.perfect else "") if self.mean is None else f"{self.mean:.9g}"

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


def build_table(runs: Sequence[Results], metrics: Sequence[str] | None = None) -> Table:
    """Arrange runs as rows.

    Args:
        runs: At least one run, all of one protocol and one suite.
        metrics: Columns; by default those that the runs asked for, of several runs without multiples of others.

    Raises:
        InputError: No run, or runs whose numbers cannot stand in one table.

    Example:
        >>> from rses.runs.sample_result import SampleResult
        >>> table = build_table([Results([SampleResult("a", mse_bg=0.25)], {"method": "mine"})])
        >>> table.rows[0].name, table.rows[0].cells["mse_bg"].value
        ('mine', '0.25000')
    """
    check_comparable(runs)
    if metrics is None:
        metrics = [name for name in asked(runs) if len(runs) == 1 or name != REPEATED]
    infos = tuple(METRICS[name] for name in metrics)
    summaries = [run.summary for run in runs]
    rows = [_row(name, summary, infos) for name, summary in zip(run_names(runs), summaries, strict=True)]
    rows = _mark_best(rows, infos, runs)
    first = summaries[0]
    protocol = first.get("protocol") or {}
    return Table(
        infos,
        tuple(rows),
        clean(first.get("suite") or ""),
        clean(protocol.get("id") or ""),
        clean(protocol.get("hash") or ""),
        tuple(_notes(rows, infos, runs)),
    )


def asked(runs: Sequence[Results]) -> list[str]:
    """Return the columns that any run asked for; where a run has no record of it, those that have a value."""
    return in_table_order(name for run in runs for name in run.metrics)


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
        raise InputError("There is no run to show. Give at least one.", code="missing-option")
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
                    f"{_describe(here)} and {_describe(there)}. Their numbers cannot be compared. {remedy}",
                    code="mismatch",
                    place=Place(field=what),
                )
        _check_samples(runs[0], run, names[0], name)


def _check_samples(first: Results, second: Results, first_name: str, second_name: str) -> None:
    """Equal ids are not enough: what both runs say of a sample must agree."""
    known = {sample.id: sample for sample in first.samples}
    facts = (("style", "style"), ("source image", "source"), ("mask_fraction", "mask_fraction"))
    for other in second.samples:
        own = known.get(other.id)
        for what, field in facts if own else ():
            here, there = getattr(own, field), getattr(other, field)
            if here is not None and there is not None and here != there:
                raise InputError(
                    f'"{first_name}" and "{second_name}" were scored on different samples: "{clean(other.id)}" has '
                    f"{what} {clean(here)} in one and {clean(there)} in the other. Score both with the same masks, "
                    "sources and styles.",
                    code="mismatch",
                    place=Place(field=field),
                )


def _identity(run: Results, what: str) -> dict[str, str]:
    """Return what must agree between two runs, leaving out what a run does not say."""
    record: dict[str, Any] = run.info.get(what) or {}
    if what == "weights":
        return {role: f"{entry['id']} {entry['sha256'][:12]}" for role, entry in record.items() if entry}
    keys = ("id", "hash") if what == "protocol" else ("sha256",) if record.get("sha256") else ("name",)
    return {key: str(record[key]) for key in keys if record.get(key)}


def _describe(identity: dict[str, str]) -> str:
    return " ".join(clean(value) for value in identity.values()) or "none"


def summary_cells(entries: dict[str, Any], infos: Sequence[MetricInfo]) -> dict[str, Cell]:
    """Read the cells of one row from the ``metrics`` of a summary or of a group in it."""
    fields = ("mean", "low", "high", "n", "perfect")
    found = {info: entries.get(info.aggregate, {}) for info in infos}
    return {
        info.name: Cell(**{key: entry[key] for key in fields if key in entry}, digits=info.digits)
        for info, entry in found.items()
    }


def _row(name: str, summary: dict[str, Any], infos: Sequence[MetricInfo]) -> Row:
    card, coverage = summary["info"].get("method_card") or {}, summary["coverage"]
    cells = summary_cells(summary["metrics"], infos)
    return Row(name, cells, coverage["n"], coverage["N"], bool(card.get("reference")), bool(card.get("mask_used")))


def mark_cells(
    cells: Sequence[Cell], info: MetricInfo, values: np.ndarray, clusters: Sequence[str]
) -> list[int | None]:
    """Mark one column: 1 for the best and all that cannot be told from it, 2 for the same of the others.

    Args:
        cells: One per method.
        info: The metric.
        values: The numbers behind them (methods, samples), NaN where there is none.
        clusters: Source image of each sample.
    """
    means = [None if cell.mean is None else info.rank_value(cell.mean) for cell in cells]
    placed = marked_places(means, [cell.perfect for cell in cells], info.higher_is_better)
    order = sure_order(toward_zero(values) if info.nearest_zero else values, info.higher_is_better, clusters)
    return marks(placed, order)


def _mark_best(rows: Sequence[Row], infos: Sequence[MetricInfo], runs: Sequence[Results]) -> list[Row]:
    """Mark, among the rows that compete, the best of every column and all that cannot be told from it."""
    own = [i for i, row in enumerate(rows) if not row.reference] or list(range(len(rows)))
    if len(own) < 2:
        return list(rows)
    marked = [dict(row.cells) for row in rows]
    values, clusters = _values([runs[i] for i in own], infos)
    for k, info in enumerate(infos):
        found = mark_cells([rows[i].cells[info.name] for i in own], info, values[:, :, k], clusters)
        for i, mark in zip(own, found, strict=True):
            if mark == 1:
                marked[i][info.name] = replace(marked[i][info.name], best=True)
    return [replace(row, cells=cells) for row, cells in zip(rows, marked, strict=True)]


def _values(runs: Sequence[Results], infos: Sequence[MetricInfo]) -> tuple[np.ndarray, list[str]]:
    """Return all metrics of all scored samples (runs, samples, metrics), and the source image of every sample."""
    scored = [[sample for sample in run.samples if sample.status == "ok"] for run in runs]
    first = {sample.id: sample for samples in scored for sample in samples}
    ids = {name: place for place, name in enumerate(sorted(first))}
    values = np.full((len(runs), len(ids), len(infos)), np.nan)
    for table, samples in zip(values, scored, strict=True):
        table[[ids[sample.id] for sample in samples]] = table_of(samples, infos)
    return values, clusters_of([first[name] for name in ids])


def _notes(rows: Sequence[Row], infos: Sequence[MetricInfo], runs: Sequence[Results]) -> list[str]:
    toy = toy_note(str((runs[0].info.get("protocol") or {}).get("id") or ""))
    notes = [*([toy] if toy else []), "Mean with 95 % bootstrap interval; ↑ higher is better, ↓ lower is better."]
    if any(info.nearest_zero for info in infos):
        notes.append("→0 closest to 0 is best.")
    if any(len(set(clusters_of([s for s in run.samples if s.status == "ok"]))) < FEWEST for run in runs):
        notes.append("No interval from fewer than six source images.")
    if any(cell.best for row in rows for cell in row.cells.values()):
        notes.append("Marked: the best and all that cannot be told from it (paired tests, Holm-corrected at 5 %).")
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
