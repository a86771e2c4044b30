"""From scored edits to what is known of every column."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rses.images.nuisances import FLOOR, NUISANCES
from rses.runs.sample_result import SampleResult
from rses.statistics import Interval, column_intervals
from rses.table import METRICS
from rses.validate.ladders import DAMAGE, LADDERS, Ladder, Scene
from rses.validate.renderers import RENDERERS

__all__ = [
    "FLOOR_COLUMNS", "PART", "SEEN", "SHARE", "Climb", "Floor", "Seen", "Validity", "climbs", "floor",
    "known_of", "seen",
]  # fmt: skip

SHARE = 0.9
"""A column is sensitive where so many pictures end on the right side of where they began."""
PART = 0.1
"""Columns of the style encoder may move by this part of what the full style moves, and are taken to stay."""
SEEN = {"rises": 0.95, "nearest": 0.75, "leaks": 0.95}
"""Asked of the mean over all renderings."""
FLOOR_COLUMNS = ("rsm_gain", "leakage", "rses_p")


@dataclass(frozen=True)
class Climb:
    """One column on one ladder.

    Attributes:
        ladder: Name of the ladder.
        unit: Of its steps.
        steps: As in the ladder.
        column: Name of the column.
        expected: "rise", "fall" or "stay".
        means: Mean over pictures at each step.
        slack: What is taken for no change; 0 but for columns of the style encoder.
        monotone: Whether no mean goes back by more than that; for "stay", whether none is further from the first.
        share: Pictures that end on the right side of where they began; for "stay" ``None``.
    """

    ladder: str
    unit: str
    steps: tuple[float, ...]
    column: str
    expected: str
    means: tuple[float, ...]
    slack: float
    monotone: bool
    share: float | None

    @property
    def holds(self) -> bool:
        """Whether the column does what is expected."""
        return self.monotone and (self.share is None or self.share >= SHARE)


@dataclass(frozen=True)
class Floor:
    """One nuisance: means of the columns of :data:`FLOOR_COLUMNS`, and ``rses_p`` of every sample."""

    name: str
    title: str
    means: Mapping[str, Interval]
    values: tuple[float, ...]

    @property
    def holds(self) -> bool:
        """Whether it scores near 0."""
        return "rses_p" in self.means and abs(self.means["rses_p"].mean) <= FLOOR


@dataclass(frozen=True)
class Seen:
    """One rendering of whole pictures: shares of pictures whose right text rises, is nearest of ten, and leaks."""

    name: str
    style: str
    rises: float
    nearest: float | None
    leaks: float
    gain: float


@dataclass(frozen=True)
class Validity:
    """What is known of a protocol.

    Attributes:
        info: Protocol, weights, versions, and the suite that gave the pictures.
        pictures: Regions on which ladders and renderings were tried.
        samples: Samples on which nuisances were tried.
        scene: The first region, for an example.
    """

    info: Mapping[str, Any]
    pictures: int
    samples: int
    climbs: tuple[Climb, ...]
    floors: tuple[Floor, ...]
    seen: tuple[Seen, ...]
    scene: Scene

    @property
    def columns(self) -> list[str]:
        """Columns that the protocol fills, in the order of tables."""
        return [name for name in METRICS if self.of(name)]

    def of(self, column: str) -> dict[str, Climb]:
        """The ladders of one column, by name."""
        return {climb.ladder: climb for climb in self.climbs if climb.column == column}

    def verdict(self, column: str) -> dict[str, Any]:
        """How many ladders of how many a column follows, tells apart, ignores as it should; and where it fails.

        What ``rses_p`` must ignore are the nuisances.
        """
        climbs = self.of(column).values()
        moving = [climb for climb in climbs if climb.expected != "stay"]
        still = [(climb.ladder, climb.holds) for climb in climbs if climb.expected == "stay"]
        if column == "rses_p":
            still = [(f"{floor.name} alone", floor.holds) for floor in self.floors]
        return {
            "monotone": [sum(climb.monotone for climb in moving), len(moving)],
            "sensitive": [sum((climb.share or 0) >= SHARE for climb in moving), len(moving)],
            "blind": [sum(holds for _, holds in still), len(still)],
            "fails": [climb.ladder for climb in moving if not climb.holds]
            + [name for name, holds in still if not holds],
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the example, ready for JSON; infinity is the string "inf"."""
        content = {name: value for name, value in dataclasses.asdict(self).items() if name != "scene"}
        for record, climb in zip(content["climbs"], self.climbs, strict=True):
            record |= {"means": ["inf" if np.isinf(mean) else mean for mean in climb.means], "holds": climb.holds}
        for record, floor in zip(content["floors"], self.floors, strict=True):
            record["holds"] = floor.holds
        verdicts = {name: self.verdict(name) for name in self.columns}
        return {"schema": 1, **content, "known": known_of(self.seen), "verdicts": verdicts}


def climbs(found: Mapping[str, SampleResult], pictures: Sequence[int]) -> Iterator[Climb]:
    """Judge every column on every ladder.

    Args:
        found: Results by "NUMBER source", "NUMBER edit" and "NUMBER LADDER STEP".
        pictures: Their numbers.
    """

    def curve(ladder: Ladder, column: str) -> np.ndarray:
        places = [ladder.start, *(f"{ladder.name} {step}" for step in ladder.steps[1:])]
        # A row for each picture that has the column; small ones have no LPIPS.
        rows = _table([found[f"{number} {place}"] for number in pictures for place in places], [column])
        table = rows.reshape(len(pictures), len(places))
        return np.asarray(table[~np.isnan(table).any(axis=1)])

    blending, everywhere = (next(x for x in LADDERS if x.name == name) for name in ("blending", "global filter"))
    for column in METRICS:
        whole = curve(everywhere if column == "leakage" else blending, column)
        if not len(whole):
            continue
        full = whole.mean(axis=0)
        slack = 0.0 if column in DAMAGE else max(0.0, PART * float(full[-1] - full[0]))
        for ladder in LADDERS:
            if expected := ladder.expected.get(column):
                yield _climb(ladder, column, expected, curve(ladder, column), slack)


def _climb(ladder: Ladder, column: str, expected: str, curve: np.ndarray, slack: float) -> Climb:
    means = tuple(curve.mean(axis=0).tolist())
    facts = (ladder.name, ladder.unit, ladder.steps, column, expected, means, slack)
    if expected == "stay":
        return Climb(*facts, all(abs(_rise(means[0], mean)) <= slack for mean in means), None)
    sign = 1 if expected == "rise" else -1
    monotone = all(sign * _rise(a, b) >= -slack for a, b in zip(means, means[1:], strict=False))
    ends = [sign * _rise(first, last) for first, last in curve[:, [0, -1]].tolist()]
    # A yes that was a yes before is no failure.
    right = [end > 0 or (METRICS[column].proportion and end == 0) for end in ends]
    return Climb(*facts, monotone, float(np.mean(right)))


def _rise(before: float, after: float) -> float:
    """A perfect value after a perfect one is no change."""
    return 0.0 if before == after else after - before


def floor(name: str, results: Sequence[SampleResult]) -> Floor:
    """Judge one nuisance by the results of its samples."""
    scored = [sample for sample in results if sample.status == "ok"]
    table = _table(scored, FLOOR_COLUMNS)
    found = column_intervals(table, [sample.source or sample.id for sample in scored])
    means = {column: value for column, value in zip(FLOOR_COLUMNS, found, strict=True) if value is not None}
    return Floor(name, NUISANCES[name].title, means, tuple(table[np.isfinite(table[:, 2]), 2].tolist()))


def seen(name: str, results: Sequence[SampleResult]) -> Seen:
    """Judge one rendering by the results of its pictures."""
    gains, leaks, nearest = _table(results, ("rsm_gain", "leakage", "style_correct")).T
    known = None if np.isnan(nearest).any() else float(nearest.mean())
    return Seen(
        name, RENDERERS[name][0], float((gains > 0).mean()), known, float((leaks > 0).mean()), float(gains.mean())
    )


def known_of(seen: Sequence[Seen]) -> dict[str, float | None]:
    """Return means over renderings of the shares of :data:`SEEN`; ``None`` where one is not known."""
    shares = {name: [getattr(one, name) for one in seen] for name in SEEN}
    return {name: None if None in values else float(np.mean(values)) for name, values in shares.items()}


def _table(results: Sequence[SampleResult], columns: Sequence[str]) -> np.ndarray:
    rows = [[np.nan if (v := getattr(sample, name)) is None else float(v) for name in columns] for sample in results]
    return np.array(rows).reshape(len(results), len(columns))
