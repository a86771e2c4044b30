"""All jobs of the reproduction, by one or several workers, and the table of those that are finished."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from benchmark_data.recipes.reproduce.pairs import ASIDE_SEED, build_scene_pairs
from benchmark_data.recipes.reproduce.plan import ROUTED, TRIALS, choose
from benchmark_data.recipes.reproduce.rows import StudyRows, read_rows, save_rows
from benchmark_data.recipes.reproduce.run import Job, run_job, training_config
from benchmark_data.recipes.reproduce.table import render_hypotheses, render_table, render_trials
from regionroute.styles import EXPERT_STYLES
from rses.bench.side_by_side import side_by_side
from rses.errors import InputError
from rses.files.atomic import require_writable, write_atomic
from rses.scoring.scorer import RSES
from rses.suites import load_suite

__all__ = ["render_study", "run_study"]

ASIDE = 30
"""Scenes kept aside; each is a pair of every style."""


def run_study(
    out: Path, suite: str, only: list[str] | None, *, seeds: int, scenes: int, changes: tuple[str, ...], threads: int,
    say: Callable[[str], None], workers: int = 1,
) -> str:  # fmt: skip
    """Run every job that is not finished; return the tables and the verdicts of all that ``out`` holds.

    Seeds are the outer loop, so that a study that is stopped early has compared all configurations with fewer seeds.

    Raises:
        InputError: Unknown names, or ``out`` holds a study with other settings.
    """
    configurations, loaded = choose(only), load_suite(suite)
    for own in configurations:
        # Before a folder is bound to changes that nothing can be trained with.
        training_config(Job(own, 0, out / "data", out / "aside", loaded, out, changes), next(iter(EXPERT_STYLES)))
    require_writable(out)
    _check_settings(out, {"suite": loaded.sha256, "scenes": scenes, "changes": list(changes)})
    say("making training pairs")
    pairs = build_scene_pairs(out / "data", scenes)
    aside = build_scene_pairs(out / "aside", min(scenes, ASIDE), first=ASIDE_SEED)
    jobs = [
        Job(own, seed, pairs, aside, loaded, out, changes)
        for seed in range(seeds)
        for own in configurations
        if own.repeated or seed == 0
    ]
    # What borrows another configuration's experts comes once they are there.
    for wave in (False, True):
        chosen = [job for job in jobs if bool(job.configuration.experts) is wave]
        for _ in _finish(chosen, workers, max(1, threads // workers), say):
            save_rows(read_rows(out), out / "rows.parquet")
    return render_study(read_rows(out))


def render_study(rows: StudyRows) -> str:
    """Return tables and verdicts as Markdown."""
    parts = (render_table(rows), render_hypotheses(rows), render_trials(rows, ROUTED), render_trials(rows, TRIALS))
    return "\n\n".join(part for part in parts if part)


def _finish(jobs: Sequence[Job], workers: int, threads: int, say: Callable[[str], None]) -> Iterator[Job]:
    """Yield every job as it ends.

    Workers side by side finish small models sooner than one worker on all threads does.
    """
    if workers == 1:
        torch.set_num_threads(threads)
        for job in jobs:
            run_job(job, _scorer(), say)
            yield job
        return
    for job, _ in side_by_side(_work, jobs, workers, threads):
        yield job


def _work(job: Job) -> None:
    run_job(job, _scorer(), functools.partial(print, file=sys.stderr, flush=True))


@functools.cache
def _scorer() -> RSES:
    return RSES(protocol="rses-mini", device="cpu")


def _check_settings(out: Path, settings: dict[str, object]) -> None:
    path = out / "study.json"
    text = json.dumps(settings, indent=2) + "\n"
    if path.exists() and path.read_text("utf-8") != text:
        raise InputError(f"{out} holds a study with other settings ({path.name}). Choose another --out.")
    write_atomic(path, text.encode())
