"""Does a run give the same numbers again? Scores its edits from where it says that they lie, and names what differs."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError, Place
from rses.files.escape import clean
from rses.files.untrusted import shown
from rses.inputs.sample import Sample
from rses.inputs.sources import source_names
from rses.leaderboard.own_run import is_own_run, own_protocol, samples_to_score
from rses.report.inputs import recorded_command, recorded_places, run_files
from rses.runs.results import SCHEMA, Results, load_run
from rses.suites import list_suites, load_suite

if TYPE_CHECKING:
    from rses.scoring.scorer import RSES

__all__ = ["Change", "RunCheck", "score_again", "some_of", "some_samples", "verify_run"]

# Scores made again on another device.
RELATIVE, ABSOLUTE = 2e-3, 2e-4
NAMED = 5
"""Samples that are named for each column."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Change:
    """One number that came out otherwise."""

    id: str
    column: str
    said: Any
    found: Any

    @property
    def slight(self) -> bool:
        """Whether another device or version of torch explains it."""
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (self.said, self.found))
        return numbers and math.isclose(self.said, self.found, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


@dataclass(frozen=True)
class RunCheck:
    """What a run said, and what it gives now.

    Attributes:
        method: Name of the method.
        about: What the run was scored with, and what it was scored with again.
        columns: Columns that were compared.
        scored: Samples that were scored again.
        changes: Numbers that differ, however little.
        problems: What else is not as recorded, such as other weights.
    """

    method: str
    about: tuple[str, ...]
    columns: tuple[str, ...]
    scored: int
    changes: tuple[Change, ...]
    problems: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the run can be believed: nothing differs by more than devices do."""
        return not self.problems and all(change.slight for change in self.changes)

    def __str__(self) -> str:
        verdict = "differs" if not self.same else "same" if not self.changes else "same, but for rounding"
        changed = {change.column for change in self.changes}
        equal = [name for name in self.columns if name not in changed]
        lines = [f"{self.method}: {verdict}, {self.scored} samples scored again", *(f"  {text}" for text in self.about)]
        lines += [f"  same     {', '.join(equal)}"] if equal and self.scored else []
        lines += [f"  differs  {_column(name, self.changes)}" for name in self.columns if name in changed]
        return "\n".join([*lines, *(f"  differs  {text}" for text in self.problems)])


def verify_run(
    run: str | Path,
    *,
    rescore: int | None = None,
    suite: str | Path | None = None,
    device: str = "auto",
    seed: int | None = None,
    progress: Progress | None = None,
) -> RunCheck:
    """Score a run again from the files, protocol and metrics that it recorded.

    Args:
        run: Run folder of ``rses score --out`` or ``rses bench --out``.
        rescore: Number of random samples; all by default.
        suite: Name or folder of the suite, where the run does not say or it was moved.
        device: Where to score.
        seed: Choice of the samples; at random by default.
        progress: Called with (done, total).

    Raises:
        InputError: No finished run, or its files are gone.
    """
    from rses.scoring.scorer import RSES

    place = Path(run)
    results = load_run(place)
    samples, styles = _samples(place, results, suite)
    chosen = some_samples(samples, rescore, seed)
    scorer = RSES(own_protocol(results.info), device=device, metrics=results.info.get("metrics"))
    again, changes = score_again(results, scorer, chosen, styles, progress)
    return RunCheck(
        clean(results.info.get("method") or place.name), _about(place, results, again), scorer.metrics, len(chosen),
        tuple(changes), tuple(_problems(place, results, again)),
    )  # fmt: skip


def score_again(
    results: Results, scorer: RSES, samples: Sequence[Sample], styles: Collection[str], progress: Progress | None = None
) -> tuple[Results, list[Change]]:
    """Score samples of a run, and compare to the bit.

    Args:
        results: The run.
        scorer: With the protocol and metrics of the run.
        samples: Samples with their files.
        styles: All style texts that ``style_correct`` chose among.
        progress: Called with (done, total).
    """
    from rses.scoring.options import RunOptions

    known = {sample.id: sample for sample in results.samples}
    again = scorer.score_stream(samples, RunOptions(
        styles=styles, allow_resize=any(known[sample.id].resized for sample in samples),
        progress=None if progress is None else lambda done: progress(done, len(samples)),
    ))  # fmt: skip
    changes = [
        Change(fresh.id, name, said, found)
        for fresh in again.samples
        for name in (*scorer.metrics, "mask_fraction", "status")
        if (said := getattr(known[fresh.id], name)) != (found := getattr(fresh, name))
    ]
    return again, changes


def some_of(names: Sequence[str], number: int | None, seed: int | None) -> list[str]:
    """Return so many random names, all for ``None``.

    Raises:
        InputError: A number below 0.
    """
    if number is not None and number < 0:
        text = f"--rescore must be at least 0, got {number}."
        raise InputError(text, code="out-of-range", place=Place(field="--rescore"))
    if number is None or number >= len(names):
        return list(names)
    return sorted(random.Random(seed).sample(names, number))


def some_samples(samples: Sequence[Sample], number: int | None, seed: int | None) -> list[Sample]:
    """Return so many random samples in the order given; the choice follows from ids and seed alone."""
    chosen = set(some_of(sorted(sample.id for sample in samples), number, seed))
    return [sample for sample in samples if sample.id in chosen]


def _samples(place: Path, results: Results, suite: str | Path | None) -> tuple[list[Sample], set[str]]:
    """Return what can be scored again, with its files, and the styles to choose among."""
    if suite is None and is_own_run(place):
        return samples_to_score(place, results), {sample.style for sample in results.samples if sample.style}
    name = suite or recorded_places(place).get("suite") or (results.info.get("suite") or {}).get("name")
    files = run_files(place, results, suite)
    if not files or name is None or not (str(name) in list_suites() or Path(name).is_dir()):
        raise InputError(
            f"The images of {place} or its suite were not found. Give the suite with --suite NAME|DIR.",
            code="missing-file",
        )
    known = load_suite(name)
    scored = {sample.id for sample in results.samples if sample.status == "ok"}
    sources = source_names(sample.image for sample in known.samples)
    samples = [
        dataclasses.replace(sample, pred=files[sample.id].pred, source_name=sources[sample.image])
        for sample in known.samples
        if sample.id in scored
    ]
    if absent := [sample.id for sample in samples if sample.pred is None] + sorted(scored - {s.id for s in samples}):
        raise InputError(
            f"{len(absent)} scored samples of {place} are gone, e.g. {shown(absent[0])}. Put them back.",
            code="missing-file",
        )
    return samples, {sample.style for sample in known.samples}


def _about(place: Path, results: Results, again: Results) -> tuple[str, ...]:
    def made(info: dict[str, Any]) -> str:
        versions = ", ".join(f"{clean(name)} {clean(text)}" for name, text in (info.get("versions") or {}).items())
        return f"{versions} on {clean(info.get('device') or 'an unknown device')}"

    protocol = clean((results.info.get("protocol") or {}).get("id"))
    command = recorded_command(place)
    lines = [f"run      {protocol}, {made(results.info)}", f"now      {protocol}, {made(again.info)}"]
    return (*lines, f"command  {clean(command)}") if command else tuple(lines)


def _problems(place: Path, results: Results, again: Results) -> list[str]:
    """What a run records beside its samples, against what is found."""
    from rses.files.text import parse_json

    problems = []
    for role, entry in (again.info.get("weights") or {}).items():
        said = (results.info.get("weights") or {}).get(role) or {}
        if entry and said.get("sha256") != entry["sha256"]:
            problems.append(f"weights.{role}: {shown(said.get('sha256'))}, now {entry['sha256']}")
    stored, computed = parse_json((place / "summary.json").read_bytes()), results.summary
    problems += [
        f"summary.json: {key} does not follow from samples.parquet"
        for key in ("metrics", "coverage")
        # A run of an older schema has another summary of the same samples.
        if stored.get("schema") == SCHEMA and stored.get(key) != computed[key]
    ]
    return problems


def _column(name: str, changes: Sequence[Change]) -> str:
    own = [change for change in changes if change.column == name]
    steps = [abs(c.found - c.said) for c in own if isinstance(c.said, float) and isinstance(c.found, float)]
    most = f", by at most {max(steps):.2g}" if steps else ""
    some = "; ".join(f"{clean(c.id)} {shown(c.said)}, now {shown(c.found)}" for c in own[:NAMED])
    return f"{name} in {len(own)} samples{most}: {some}" + (" ..." if len(own) > NAMED else "")
