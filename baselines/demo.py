"""The demo: every method with embedded weights on the embedded suites, scored, compared, and shown on a page.

Run ``python -m baselines.demo --out demo``, or ``make demo``; with ``--full``, or ``make demo-full``, on all samples.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from rses.bench import Shard, run_bench
from rses.bench.side_by_side import side_by_side
from rses.errors import RsesError
from rses.report.html import write_report
from rses.report.inputs import run_files
from rses.report.tables import render
from rses.runs.results import Results, load_run
from rses.scoring.scorer import RSES
from rses.suites import export_suite, verify_suite

__all__ = ["METHODS", "run_demo"]

REFERENCES = ("identity", "global-style", "oracle-paste", "background-only", "jpeg-identity", "resize-identity")
EMBEDDED = ("instruct-pix2pix", "prompt-to-prompt", "sd2-inpainting", "flux-kontext", "regionroute")
METHODS = {"mini": (*REFERENCES, *EMBEDDED), "photos": REFERENCES}
"""Methods by suite. Embedded models know procedural scenes only, so they are not shown photographs."""
PROTOCOL = "rses-mini"
PART = Shard(1, 7)
"""Every seventh sample: of both suites all styles, for these alternate by fours, and sources enough for intervals."""


def run_demo(
    out: Path,
    methods: Mapping[str, Sequence[str]] = METHODS,
    limit: int | None = None,
    workers: int | None = None,
    part: Shard | None = None,
) -> dict[str, list[Results]]:
    """Bench methods on embedded suites and write runs and reports below ``out``.

    Args:
        out: Folder; repeated calls reuse finished edits and scores.
        methods: Names of methods, by name of an embedded suite.
        limit: Use only the first samples of each suite.
        workers: Processes that bench methods side by side; by default one for every two CPU cores but
            at least two, and one where there is a GPU or a single core.
        part: Of the samples, use only this part, such as :data:`PART`.

    Returns:
        The runs of each suite, in the order of its methods.
    """
    folders = {name: _exported(name, out / "suites" / name) for name in methods}
    workers = workers or _default_workers()
    threads = max(1, (os.cpu_count() or 1) // workers)
    # Embedded models first: what is quick fills the gap at the end.
    jobs = sorted(
        ((name, method) for name in methods for method in methods[name]), key=lambda job: job[1] in REFERENCES
    )
    bench = functools.partial(_bench, folders=folders, out=out, limit=limit, part=part)
    # What is finished needs no process of its own, which would import everything again.
    before = {job: load_run(out.joinpath(*job)) for job in jobs if (out.joinpath(*job) / "summary.json").exists()}
    done = {job: bench(job) for job in before}
    done |= dict(side_by_side(bench, [job for job in jobs if job not in before], workers, threads))
    boards = {name: [done[name, method] for method in methods[name]] for name in methods}
    for name, runs in boards.items():
        page = out / name / "report.html"
        former = [before.get((name, method)) for method in methods[name]]
        if page.exists() and [run.samples for run in runs] == [run and run.samples for run in former]:
            continue
        pairs = zip(methods[name], runs, strict=True)
        files = [run_files(out / name / method, run, folders[name]) for method, run in pairs]
        write_report(runs, page, files=files, heatmap=_scorer().heatmap)
    return boards


def _exported(name: str, folder: Path) -> Path:
    if not folder.exists():
        export_suite(name, folder)
    verify_suite(folder)
    return folder


def _default_workers() -> int:
    cores = os.cpu_count() or 1
    return 1 if torch.cuda.is_available() or cores == 1 else max(2, cores // 2)


def _bench(
    job: tuple[str, str], folders: Mapping[str, Path], out: Path, limit: int | None, part: Shard | None
) -> Results:
    """Bench one method on one suite in a process of its own."""
    name, method = job
    print(f"{name}: {method}", file=sys.stderr, flush=True)
    return run_bench(method, folders[name], out / name / method, scorer=_scorer(), limit=limit, shard=part)


@functools.cache
def _scorer() -> RSES:
    return RSES(protocol=PROTOCOL)


def main() -> int:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--workers", type=int, default=None, help="methods that are benched side by side")
    parser.add_argument("--methods", default=None, help="only these, with commas between")
    parser.add_argument("--full", action="store_true", help="all samples, not every seventh")
    arguments = parser.parse_args()
    chosen = None if arguments.methods is None else {name.strip() for name in arguments.methods.split(",")}
    methods = {
        suite: own for suite, names in METHODS.items() if (own := [n for n in names if chosen is None or n in chosen])
    }
    if not methods:
        parser.error(f"--methods: choose among {', '.join(METHODS['mini'])}")
    out = arguments.out / "full" if arguments.full else arguments.out
    start = time.monotonic()
    try:
        part = None if arguments.full else PART
        boards = run_demo(out, methods, arguments.limit, arguments.workers, part)
    except RsesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; repeat the command to go on.", file=sys.stderr)
        return 130
    for name, runs in boards.items():
        print(f"\nSuite {name}, {len(runs[0].samples)} samples, protocol rses-mini")
        print(render(runs, "table"))
    pages = ", ".join(str(out / name / "report.html") for name in boards)
    print(f"Done in {time.monotonic() - start:.0f} s. Open {pages}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
