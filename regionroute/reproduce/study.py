"""All jobs of the reproduction, one after the other, and the table of those that are finished."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch

from regionroute.reproduce.pairs import build_scene_pairs
from regionroute.reproduce.plan import choose
from regionroute.reproduce.run import Job, run_job
from regionroute.reproduce.table import render_hypotheses, render_table
from rses.errors import InputError
from rses.files import require_writable, write_atomic
from rses.scorer import RSES
from rses.suites import load_suite

__all__ = ["run_study"]


def run_study(
    out: Path, suite: str, only: list[str] | None, *, seeds: int, scenes: int, changes: tuple[str, ...], threads: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Run every job that is not finished; return the table and the verdicts.

    Seeds are the outer loop, so that a study that is stopped early has compared all configurations with fewer seeds.

    Raises:
        InputError: Unknown names, or ``out`` holds a study with other settings.
    """
    configurations, loaded = choose(only), load_suite(suite)
    require_writable(out)
    _check_settings(out, {"suite": loaded.sha256, "scenes": scenes, "changes": list(changes)})
    torch.set_num_threads(threads)
    say("making training pairs")
    pairs = build_scene_pairs(out / "data", scenes)
    scorer = RSES(protocol="rses-mini", device="cpu")
    rows = {}
    for seed in range(seeds):
        for configuration in configurations:
            job = Job(configuration, seed, pairs, loaded, out, changes)
            rows[configuration.name, seed] = run_job(job, scorer, say)
            _write_rows(out, rows)
    return f"{render_table(rows)}\n\n{render_hypotheses(rows)}"


def _write_rows(out: Path, rows: dict[tuple[str, int], list[dict]]) -> None:  # type: ignore[type-arg]
    lines = [
        json.dumps({"configuration": name, "seed": seed, **row}) for (name, seed), own in rows.items() for row in own
    ]
    write_atomic(out / "rows.jsonl", ("\n".join(lines) + "\n").encode())


def _check_settings(out: Path, settings: dict[str, object]) -> None:
    path = out / "study.json"
    text = json.dumps(settings, indent=2) + "\n"
    if path.exists() and path.read_text("utf-8") != text:
        raise InputError(f"{out} holds a study with other settings ({path.name}). Choose another --out.")
    write_atomic(path, text.encode())
