"""Run every method with embedded weights for the boards: ``python -m benchmark_data.recipes.boards --out DIR``.

Each is run with each of its seeds on ``mini`` and ``photos``, scored under ``rses-mini``, and kept below DIR; a stopped
run goes on. ``--submit`` then replaces the submissions of ``leaderboards/`` by these; ``rses leaderboard build`` makes
the tables. ``--only regionroute`` does so for the runs alone whose folders begin with that.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from baselines.demo import PROTOCOL
from rses.bench import run_bench
from rses.bench.side_by_side import side_by_side
from rses.leaderboard import add_run
from rses.methods import get_method
from rses.scoring.scorer import RSES

__all__ = ["ENTRIES", "SUITES", "Entry", "Job", "jobs_below", "main"]

SUITES = ("mini", "photos")
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Entry:
    """A row of the boards.

    Attributes:
        method: Name of the method.
        options: Passed to it.
        seeds: One submission each; one alone where there is no chance in it.
    """

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = SEEDS


REFERENCES = ("identity", "background-only", "global-style", "oracle-paste")
NUISANCES = ("jpeg", "resize", "brighter", "contrast", "hue", "blur", "noise")
ENTRIES = (
    Entry("instruct-pix2pix"),
    Entry("sdedit"),
    Entry("prompt-to-prompt", seeds=(0,)),
    Entry("sd2-inpainting"),
    Entry("flux-kontext"),
    Entry("kontext-inpaint"),
    Entry("global-then-paste"),
    Entry("segment-then-paste", {"segmenter": "classical"}),
    Entry("regionroute"),
    Entry("regionroute", {"routed": True}),
    *(Entry(name, seeds=(0,)) for name in REFERENCES),
    *(Entry(f"{name}-identity", seeds=(0,)) for name in NUISANCES),
)
"""What the boards hold; methods without a seed of their own are run once."""


@dataclass(frozen=True)
class Job:
    """An entry on a suite with a seed, and its run folder."""

    entry: Entry
    suite: str
    seed: int
    folder: Path


def jobs_below(out: Path) -> list[Job]:
    """Return all jobs, with run folders ``<suite>/<method>-<options>-seed<n>`` below ``out``.

    Example:
        >>> jobs = jobs_below(Path("runs"))
        >>> len(jobs), jobs[0].folder.as_posix()
        (78, 'runs/mini/instruct-pix2pix-seed0')
    """
    return [
        Job(entry, suite, seed, out / suite / "-".join([entry.method, *sorted(entry.options), f"seed{seed}"]))
        for suite in SUITES
        for entry in ENTRIES
        for seed in entry.seeds
    ]


def _run(job: Job) -> None:
    print(f"{job.suite}: {job.folder.name}", file=sys.stderr, flush=True)
    method = get_method(job.entry.method, **job.entry.options)
    run_bench(method, job.suite, job.folder, scorer=_scorer(), seed=job.seed)


@functools.cache
def _scorer() -> RSES:
    return RSES(protocol=PROTOCOL, device="cpu")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not finished, and submit it if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.boards", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side, a thread each")
    parser.add_argument("--submit", action="store_true", help="replace the submissions of --boards by these runs")
    parser.add_argument("--boards", type=Path, default=Path("leaderboards"))
    parser.add_argument("--only", default="", help="beginning of the names of the run folders that are made")
    options = parser.parse_args(arguments)
    jobs = [job for job in jobs_below(options.out) if job.folder.name.startswith(options.only)]
    if not jobs:
        parser.error(f'no run folder begins with "{options.only}"')
    for _ in side_by_side(_run, jobs, options.workers, 1):
        pass
    if options.submit:
        for job in jobs:
            print(add_run(job.folder, options.boards, replace=True))


if __name__ == "__main__":
    main()
