"""The demo: every method with embedded weights on the embedded suites, scored, compared, and shown on a page.

Run ``python -m baselines.demo --out demo``, or ``make demo``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rses.bench import run_bench
from rses.errors import RsesError
from rses.report.html import write_report
from rses.report.inputs import run_files
from rses.report.tables import render
from rses.results import Results
from rses.scorer import RSES
from rses.suites import export_suite, load_suite, verify_suite

__all__ = ["METHODS", "run_demo"]

REFERENCES = ("identity", "global-style", "oracle-paste", "background-only", "jpeg-identity", "resize-identity")
EMBEDDED = ("instruct-pix2pix", "prompt-to-prompt", "sd2-inpainting", "flux-kontext", "regionroute")
METHODS = {"mini": (*REFERENCES, *EMBEDDED), "photos": REFERENCES}
"""Methods by suite. Embedded models know procedural scenes only, so they are not shown photographs."""


def run_demo(
    out: Path, methods: Mapping[str, Sequence[str]] = METHODS, limit: int | None = None
) -> dict[str, list[Results]]:
    """Bench methods on embedded suites and write runs and reports below ``out``.

    Args:
        out: Folder; repeated calls reuse finished edits and scores.
        methods: Names of methods, by name of an embedded suite.
        limit: Use only the first samples of each suite.

    Returns:
        The runs of each suite, in the order of its methods.
    """
    scorer = RSES(protocol="rses-mini")
    boards: dict[str, list[Results]] = {}
    for name, names in methods.items():
        folder = out / "suites" / name
        if not folder.exists():
            export_suite(name, folder)
        verify_suite(folder)
        suite = load_suite(folder)
        runs = []
        for method in names:
            print(f"{name}: {method} on {len(suite.samples[:limit])} samples", file=sys.stderr, flush=True)
            runs.append(run_bench(method, suite, out / name / method, scorer=scorer, limit=limit))
        boards[name] = runs
        files = [run_files(out / name / method, run, folder) for method, run in zip(names, runs, strict=True)]
        write_report(runs, out / name / "report.html", files=files, heatmap=scorer.heatmap)
    return boards


def main() -> int:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--limit", type=int, default=None)
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        boards = run_demo(arguments.out, limit=arguments.limit)
    except RsesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, runs in boards.items():
        print(f"\nSuite {name}, {len(runs[0].samples)} samples, protocol rses-mini")
        print(render(runs, "table"))
    pages = ", ".join(str(arguments.out / name / "report.html") for name in boards)
    print(f"Done in {time.monotonic() - start:.0f} s. Open {pages}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
