"""Run folders: results, journals that a stopped run goes on from, and where its pictures lie."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from baselines.reference import BackgroundOnly
from rses.bench import merge_runs, run_bench
from rses.leaderboard.again import verify_run
from rses.report.comparison import compare_runs, render_comparison
from rses.report.figure import write_figure
from rses.report.inputs import remember_inputs
from rses.report.inputs import run_files as find_files
from rses.report.paper_table import PAPER_FORMATS, render_paper_table
from rses.report.tables import render
from rses.runs.journal import Journal, recorded_keys
from rses.runs.results import load_run
from rses.runs.shard import SHARDS, Shard
from rses.scoring.scorer import RSES
from rses.suites.segment.base import Facts, Segmented
from rses.suites.segment.prompts import read_jobs
from rses.suites.segment.run import make_masks
from rses.vlm.questions import QUESTIONS
from tests.fuzz.sandbox import Files, Target
from tests.helpers.small import encoded, lines, photo, read_files, write_files, write_suite

KEPT = tempfile.TemporaryDirectory(prefix="rses-fuzz-")
SUITE = Path(KEPT.name) / "suite"
"""A suite, and beside it a run, that outlive the inputs; their folder is removed with the process."""


@functools.cache
def scorer() -> RSES:
    return RSES("rses-mini", device="cpu", metrics=("mse_bg", "psnr_bg"), workers=0)


def bench(out: Path) -> None:
    if not SUITE.is_dir():
        write_suite(SUITE)
    run_bench(BackgroundOnly(), SUITE, out, scorer=scorer())


@functools.cache
def run_files() -> Files:
    place = Path(KEPT.name) / "run"  # Beside its suite, as in `whole`.
    bench(place)
    remember_inputs(place, pred=place / "images", suite=SUITE)
    return read_files(place)


def part(*names: str) -> list[Files]:
    """Return files of a finished run, beside its images."""
    return [{f"run/{n}": data for n, data in run_files().items() if n in names or n.startswith("images/")}]


def whole() -> list[Files]:
    """Return a finished run beside its suite."""
    runs = part(*RESULTS, "inputs.json")
    suite = {f"suite/{name}": data for name, data in read_files(SUITE).items()}
    return [{**files, **suite} for files in runs]


def load(folder: Path) -> None:
    run = load_run(folder / "run")
    for kind in ("table", "json", "csv", "markdown", "latex"):
        render([run], kind)
    render_comparison(compare_runs([run, run]), "table")


def tabulate(folder: Path) -> None:
    run = load_run(folder / "run")
    for kind in PAPER_FORMATS:
        render_paper_table([run], kind)


def draw(folder: Path) -> None:
    write_figure([load_run(folder / "run")], None, folder / "out" / "figure.svg")


def score(out: Path, shard: Shard | None = None) -> None:
    if not SUITE.is_dir():
        write_suite(SUITE)
    scorer().score_folder(SUITE / "images", suite=SUITE, out=out, shard=shard)


def scored_shards() -> list[Files]:
    with tempfile.TemporaryDirectory() as place:
        for number in (1, 2):
            score(Path(place), Shard(number, 2))
        found = read_files(Path(place))
    return [{f"run/{name}": data for name, data in found.items() if name.startswith(f"{SHARDS}/")}]


def answers() -> list[Files]:
    said = {"question": "q", "image": "i", "p_yes": 0.5, "mass": 1.0, "answer": "Yes"}
    rows = [{"key": f"s{number}:{name}", **said} for number in range(2) for name in QUESTIONS]
    return [{"run/journal.jsonl": lines([{"journal": 1, "settings": {"model": "x"}}, *rows])}]


def append(folder: Path) -> None:
    path = folder / "out" / "journal.jsonl"
    recorded_keys(path)
    journal = Journal(path, {"model": "x"})
    journal.append([{"key": "new"}])
    journal.close()
    assert "new" in Journal(path, {"model": "x"}).records, "what was appended is not read again"


class Bright:
    """Finds what is bright."""

    facts = Facts("bright", "classical")

    def segment(self, images: Any, prompts: Any) -> list[Segmented]:
        return [Segmented(image[..., 0] > 100, 1.0) for image in images]


def segment(folder: Path, out: Path) -> None:
    make_masks(read_jobs(folder / "images", points=folder / "points.csv"), out, Bright())


def masks() -> list[Files]:
    pictures = {f"images/{name}.png": encoded(photo()) for name in ("a", "b")}
    with tempfile.TemporaryDirectory() as place:
        root = write_files(Path(place), {**pictures, "points.csv": b"file_name,x,y\na.png,4,4\nb.png,5,5\n"})
        segment(root, root / "run")
        return [{name: data for name, data in read_files(root).items() if not name.endswith(".lock")}]


def copy_run(folder: Path) -> None:
    """Copy the run to where it may be written."""
    write_files(folder / "out", read_files(folder / "run"))


RESULTS = ("summary.json", "samples.parquet")
TARGETS = [
    Target("results", lambda: part(*RESULTS), load, (".json", ".parquet"),
           "rses compare @/run @/run --page @/out/page.html"),
    Target("merge", lambda: part(*RESULTS),
           lambda folder: merge_runs([folder / "run"], folder / "out", allow_missing=True), (".json", ".parquet"),
           "rses merge @/run --out @/out --allow-missing"),
    Target("paper table", lambda: part(*RESULTS), tabulate, (".json", ".parquet"),
           "rses table @/run --out @/out/table.tex"),
    Target("figure", whole, draw, (*RESULTS, "inputs.json"), "rses figure @/run --out @/out/figure.png"),
    Target("verify a run", whole, lambda folder: verify_run(folder / "run", device="cpu"), (*RESULTS, "inputs.json"),
           "rses verify @/run --device cpu"),
    Target("shards of a score", scored_shards, lambda folder: score(folder / "out"), (".jsonl",), prepare=copy_run),
    Target("inputs.json", lambda: part(*RESULTS, "inputs.json"),
           lambda folder: find_files(folder / "run", load_run(folder / "run")), ("inputs.json",),
           "rses report @/run --out @/out/report.html --samples 1 --device cpu"),
    Target("run journals", lambda: part("journal.jsonl", "generation.jsonl"), lambda folder: bench(folder / "out"),
           (".jsonl",),
           f"rses bench --method background-only --suite {SUITE} --protocol rses-mini --device cpu --out @/out",
           copy_run),
    Target("journal", answers, append, (".jsonl",), prepare=copy_run),
    Target("journal of masks", masks, lambda folder: segment(folder, folder / "out"), (".jsonl",), prepare=copy_run),
]  # fmt: skip
