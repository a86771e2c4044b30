"""From submissions to boards: one per suite and protocol, with ranks, layers and groups."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rses.errors import InputError, Place, Problem
from rses.files.escape import clean
from rses.images.nuisances import NUISANCES
from rses.leaderboard.cells import cells_and_groups, rounded
from rses.leaderboard.pack import chosen_ids, slug
from rses.leaderboard.seeds import averaged, seed_spread
from rses.leaderboard.submission import Submission, read_json, read_submission
from rses.pages.notices import TOY_BOARD, is_toy
from rses.report.columns import Cell, mark_cells
from rses.report.worst import worst_samples
from rses.runs.sample_result import SampleResult
from rses.runs.summary import clusters_of, suite_size
from rses.statistics import RankInterval, pareto_layers, rank_intervals
from rses.statistics.order import places
from rses.table import METRICS, MetricInfo

__all__ = ["RANKED", "SECTIONS", "Board", "BoardRow", "Scores", "build_board", "load_boards"]

RANKED = ("rsm", "lpips_bg", "mse_bg")
"""Metrics that get ranks, and that span the trade-off of the Pareto layers."""
SECTIONS = {
    "mask-free": "no mask at inference",
    "mask": "sees the mask at inference, or does not say",
    "reference": "reference rows: bound the scale, not ranked",
}
"""Methods of different sections do not compete with each other."""
SHOWN = tuple(name for name in METRICS if name not in ("clip_cosine", "mse_bg_pm1"))


@dataclass(frozen=True)
class Scores:
    """Numbers of the scored samples as arrays, because a board may hold millions; NaN where undefined."""

    ids: tuple[str, ...]
    clusters: tuple[str, ...]
    values: dict[str, np.ndarray]


@dataclass(frozen=True)
class BoardRow:
    """One method on one board; several seeds of a method are one row.

    Attributes:
        key: Unique short name, safe in addresses.
        name: Name of the method.
        section: One of :data:`SECTIONS`.
        cells: Mean and interval by metric.
        n: Scored samples (with every seed).
        total: Samples of the suite.
        seeds: Seeds that were averaged; empty where none is recorded.
        date: Day of the latest submission.
        version: Version of rses.
        card: The method card.
        ranks: Ranks by metric of :data:`RANKED`, among the methods of its section.
        layer: Pareto layer over the same metrics, in its section.
        groups: Cells by group ("style: pixel art", "tag: small", "region: large") and metric.
        scores: The shown metrics of every scored sample.
        worst: The worst samples, worst first.
        shots: The samples of which the page shows an edit.
        folders: The submissions.
        spread: Standard deviation of the means of the seeds, by metric; empty for one seed.
        best: Metrics in which it is the best of its section, or cannot be told from it.
        second: Metrics in which it is the best of the others, or cannot be told from that.
    """

    key: str
    name: str
    section: str
    cells: dict[str, Cell]
    n: int
    total: int
    seeds: tuple[int, ...]
    date: str
    version: str
    card: dict[str, Any]
    ranks: dict[str, RankInterval]
    layer: int | None
    groups: dict[str, dict[str, Cell]]
    scores: Scores
    worst: tuple[SampleResult, ...]
    shots: tuple[SampleResult, ...]
    folders: tuple[Path, ...]
    spread: dict[str, float] = dataclasses.field(default_factory=dict)
    best: frozenset[str] = frozenset()
    second: frozenset[str] = frozenset()

    def place(self, name: str) -> int | None:
        """Return 1 where the method is first of its section in a metric, 2 where it is second."""
        return 1 if name in self.best else 2 if name in self.second else None

    @property
    def weights(self) -> str:
        """Weights id with revision.

        Example:
            >>> card = {"weights": "x/y", "revision": "0123456789abcdef"}
            >>> none = Scores((), (), {})
            >>> row = BoardRow("a", "a", "mask", {}, 0, 0, (), "", "", card, {}, None, {}, none, (), (), ())
            >>> row.weights
            'x/y@0123456789ab'
        """
        name, revision = clean(self.card.get("weights") or "-"), clean(self.card.get("revision") or "")
        return f"{name}@{revision[:12]}" if revision else name


@dataclass(frozen=True)
class Board:
    """All methods on one suite under one protocol."""

    key: str
    suite: str
    suite_version: str
    suite_sha256: str
    protocol: str
    protocol_hash: str
    metrics: tuple[MetricInfo, ...]
    rows: tuple[BoardRow, ...]

    @property
    def toy(self) -> str:
        """What must be said of a board of embedded weights; empty for others."""
        return TOY_BOARD if is_toy(self.protocol) else ""

    @property
    def floor(self) -> tuple[str, float] | None:
        """The nuisance row whose ``rses_p`` is furthest from 0, and how far; ``None`` without such rows."""
        names = {f"{name}-identity" for name in NUISANCES}
        rows = [row for row in self.rows if row.section == "reference" and row.name in names and "rses_p" in row.cells]
        reached = [(abs(mean), row.name) for row in rows if (mean := row.cells["rses_p"].mean) is not None]
        return max(reached)[::-1] if reached else None

    @property
    def title(self) -> str:
        """Suite and protocol in one line."""
        return f"{self.suite} {self.suite_version} under {self.protocol} ({self.protocol_hash})"


def load_boards(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> list[Board]:
    """Read every submission below ``results/`` and arrange them as boards.

    Args:
        folder: The leaderboards folder.
        progress: Called with (done, total) over submissions.

    Raises:
        InputError: An unsound submission, or one that does not belong to its board.
    """
    root = Path(folder) / "results"
    places = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    entries = {place.name: _entries(place) for place in places if not place.name.startswith(".")}
    total, done = sum(map(len, entries.values())), 0

    def report() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return [build_board(name, folders, report) for name, folders in entries.items() if folders]


def _entries(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def build_board(key: str, folders: Sequence[Path], report: Callable[[], None] = lambda: None) -> Board:
    """Arrange the submissions of one board.

    Args:
        key: Name of its folder.
        folders: At least one submission, all of one suite, protocol and weights.
        report: Called after each submission.

    Raises:
        InputError: They differ in suite, protocol or weights, or one method is there twice with one seed.
    """
    by_method: dict[str, list[Path]] = {}
    for folder in folders:
        by_method.setdefault(_method_of(folder), []).append(folder)
    problems: list[str] = []
    rows: list[BoardRow] = []
    first: tuple[str, dict[str, Any]] | None = None
    ids: set[str] = set()
    # One method at a time, so that memory does not grow with their number.
    for name, own in sorted(by_method.items()):
        group = [read_submission(folder) for folder in own]
        first = first or (group[0].folder.name, group[0].results.info)
        ids = ids or {sample.id for sample in group[0].results.samples}
        problems += [fault for s in group for fault in _mixed(first[0], first[1], s)]
        problems += _seed_problems(name, group)
        problems += [
            Problem(
                f"{s.folder.name} and {first[0]} differ in samples: {len(s.results.samples)} and {len(ids)}; "
                "those that failed must be there too, with their status",
                "mismatch",
            )
            for s in group
            if {sample.id for sample in s.results.samples} != ids
        ]
        if not problems:
            rows.append(_row(group))
        for _ in group:
            report()
    if problems or first is None:
        raise InputError(
            problems or [f"{key} holds no submission"], f"results/{key} cannot be one board:", code="mismatch"
        )
    metrics = tuple(METRICS[name] for name in SHOWN if any(name in row.cells for row in rows))
    rows = _unique_keys([_complete(row, metrics) for row in rows])
    ranked = [row for section in SECTIONS for row in rank_rows([r for r in rows if r.section == section], metrics)]
    suite, protocol = first[1]["suite"], first[1]["protocol"]
    return Board(
        key, clean(suite.get("name")), clean(suite.get("version") or ""), clean(suite.get("sha256") or ""),
        clean(protocol["id"]), clean(protocol.get("hash") or ""), metrics, tuple(ranked),
    )  # fmt: skip


def _method_of(folder: Path) -> str:
    summary = folder / "summary.json"
    info = read_json(summary).get("info") if summary.is_file() and not summary.is_symlink() else None
    return str(info.get("method")) if isinstance(info, dict) else ""


def _complete(row: BoardRow, metrics: Sequence[MetricInfo]) -> BoardRow:
    absent = {info.name: Cell(digits=info.digits) for info in metrics}
    groups = {name: {**absent, **cells} for name, cells in row.groups.items()}
    return dataclasses.replace(row, cells={**absent, **row.cells}, groups=groups)


def _unique_keys(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """Number the keys that another row has before."""
    taken: set[str] = set()
    unique = []
    for row in rows:
        key, number = row.key, 2
        while key in taken:
            key, number = f"{row.key}-{number}", number + 1
        taken.add(key)
        unique.append(dataclasses.replace(row, key=key))
    return unique


def _identity(info: dict[str, Any]) -> dict[str, Any]:
    weights = {f"weights.{role}": entry for role, entry in info["weights"].items() if entry is not None}
    suite, protocol = info["suite"], info["protocol"]
    return {
        "suite.name": suite.get("name"), "suite.sha256": suite.get("sha256"), "protocol.id": protocol.get("id"),
        "protocol.hash": protocol.get("hash"), **weights,
    }  # fmt: skip


def _mixed(name: str, info: dict[str, Any], other: Submission) -> list[Problem]:
    first, record = _identity(info), _identity(other.results.info)
    keys = sorted(first.keys() & record.keys())
    return [
        Problem(f"{other.folder.name} and {name} differ in {key}", "mismatch", Place(str(other.folder), field=key))
        for key in keys
        if first[key] != record[key]
    ]


def _seed_problems(name: str, group: Sequence[Submission]) -> list[Problem]:
    seeds = [submission.card.get("seed") for submission in group]
    problems = []
    if len(set(map(str, seeds))) < len(seeds):
        problems.append(Problem(f"{clean(name)} is there twice with one seed", "used-twice"))
    facts = ("weights", "revision", "mask_used", "reference", "settings")
    if any(group[0].card.get(key) != other.card.get(key) for other in group[1:] for key in facts):
        text = f"{clean(name)}: its seeds differ in weights or settings; give the variants names of their own"
        problems.append(Problem(text, "mismatch"))
    return problems


def _row(group: Sequence[Submission]) -> BoardRow:
    first = group[0]
    card, samples = first.card, averaged([submission.results for submission in group])
    scored = [sample for sample in samples if sample.status == "ok"]
    metrics = [METRICS[name] for name in SHOWN if name in first.results.info["metrics"]]
    section = "reference" if card.get("reference") else "mask" if card.get("mask_used", True) else "mask-free"
    spread = {
        name: value
        for name, found in seed_spread([s.results for s in group]).items()
        if (value := rounded(found)) is not None
    }
    cells, groups = cells_and_groups(scored, metrics)
    versions = sorted({clean(s.results.info["versions"].get("rses") or "") for s in group})
    return BoardRow(
        key=slug(first.method), name=clean(first.method), section=section, cells=cells,
        n=len(scored), total=max(suite_size(s.results.samples, s.results.info) for s in group), spread=spread,
        seeds=tuple(sorted(int(s.card["seed"]) for s in group if isinstance(s.card.get("seed"), int))),
        date=max(s.date for s in group), version=", ".join(versions), card=card, ranks={}, layer=None,
        groups=groups,
        scores=_scores(scored), worst=tuple(worst_samples(scored)), shots=tuple(_shots(scored)),
        folders=tuple(s.folder for s in group),
    )  # fmt: skip


def _scores(samples: Sequence[SampleResult]) -> Scores:
    values = {
        name: np.array([np.nan if (v := getattr(s, name)) is None else float(v) for s in samples]) for name in SHOWN
    }
    clusters = tuple(map(sys.intern, clusters_of(samples)))
    return Scores(tuple(sys.intern(sample.id) for sample in samples), clusters, values)


def _shots(samples: Sequence[SampleResult]) -> list[SampleResult]:
    wanted = {*chosen_ids([sample.id for sample in samples]), *(sample.id for sample in worst_samples(samples))}
    return [sample for sample in samples if sample.id in wanted]


def rank_rows(rows: list[BoardRow], metrics: Sequence[MetricInfo]) -> list[BoardRow]:
    """Rank the rows of one section, and sort them."""
    rows = _sorted(rows)
    if not rows or rows[0].section == "reference":
        return rows
    infos = [info for info in metrics if info.name in RANKED]
    ranks = {}
    for info in infos:
        table, clusters = _values(rows, info)
        ranks[info.name] = rank_intervals(table, info.higher_is_better, clusters)
    points = [[row.cells[info.name].mean for info in infos] for row in rows]
    layers = pareto_layers(points, [info.higher_is_better for info in infos]) if infos else [None] * len(rows)
    best = {info.name: _marks(rows, info) for info in metrics}
    return [
        dataclasses.replace(
            row,
            ranks={name: rank for name, column in ranks.items() if (rank := column[i]) is not None},
            layer=layers[i],
            best=frozenset(name for name, marked in best.items() if marked[i] == 1),
            second=frozenset(name for name, marked in best.items() if marked[i] == 2),
        )
        for i, row in enumerate(rows)
    ]


def _sorted(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """Sort by RSES-P, then RSM, then LPIPS_bg; what ties in all of them by name."""
    columns = []
    for name in ("rses_p", "rsm", "lpips_bg"):
        means = [row.cells[name].mean if name in row.cells else None for row in rows]
        columns.append(
            [math.inf if place is None else place for place in places(means, METRICS[name].higher_is_better)]
        )
    order = sorted(range(len(rows)), key=lambda i: (*(column[i] for column in columns), rows[i].name))
    return [rows[i] for i in order]


def _values(rows: Sequence[BoardRow], info: MetricInfo) -> tuple[np.ndarray, list[str]]:
    """Return one metric of all rows (methods, samples), and the source image of every sample."""
    ids = sorted({name for row in rows for name in row.scores.ids})
    places = {name: place for place, name in enumerate(ids)}
    clusters = list(ids)
    table = np.full((len(rows), len(ids)), np.nan)
    for number, row in enumerate(rows):
        columns = [places[name] for name in row.scores.ids]
        table[number, columns] = row.scores.values[info.name]
        for column, cluster in zip(columns, row.scores.clusters, strict=True):
            clusters[column] = cluster
    return table, clusters


def _marks(rows: Sequence[BoardRow], info: MetricInfo) -> list[int | None]:
    table, clusters = _values(rows, info)
    return mark_cells([row.cells[info.name] for row in rows], info, table, clusters)
