"""Run folders: results, journals that a stopped run goes on from, and where its pictures lie."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.sandbox import Files, Target
from tests.fuzz.targets.suites import read_files, write_suite

PIXELS = ("mse_bg", "psnr_bg")


@functools.cache
def _suite() -> Path:
    """A suite that outlives the inputs; the folder is removed with the process."""
    place = tempfile.TemporaryDirectory(prefix="rses-fuzz-")
    _KEPT.append(place)
    return write_suite(Path(place.name) / "suite")


_KEPT: list[Any] = []


@functools.cache
def scorer() -> Any:
    """Return a scorer of pixels alone."""
    from rses.scoring.scorer import RSES

    return RSES("rses-mini", device="cpu", metrics=PIXELS, workers=0)


def _bench(out: Path) -> Any:
    from baselines.reference import BackgroundOnly
    from rses.bench import run_bench

    return run_bench(BackgroundOnly(), _suite(), out, scorer=scorer())


@functools.cache
def run_files() -> Files:
    """Return the files of a finished run."""
    from rses.report.inputs import remember_inputs

    with tempfile.TemporaryDirectory() as place:
        _bench(Path(place))
        remember_inputs(place, pred=Path(place) / "images", suite=_suite())
        return {name: data for name, data in read_files(Path(place)).items() if name != ".lock"}


def _part(*names: str) -> Files:
    return {f"run/{name}": data for name, data in run_files().items() if name in names or name.startswith("images/")}


def _load(folder: Path) -> None:
    from rses.report.comparison import compare_runs, render_comparison
    from rses.report.tables import render
    from rses.runs.results import load_run

    run = load_run(folder / "run")
    for kind in ("table", "json", "csv", "markdown", "latex"):
        render([run], kind)
    render_comparison(compare_runs([run, run]), "table")


def _compare_words(folder: Path) -> Sequence[str]:
    return ("compare", str(folder / "run"), str(folder / "run"), "--page", str(folder / "out" / "page.html"))


def _merge(folder: Path) -> None:
    from rses.bench import merge_runs

    merge_runs([folder / "run"], folder / "out", allow_missing=True)


def _merge_words(folder: Path) -> Sequence[str]:
    return ("merge", str(folder / "run"), "--out", str(folder / "out"), "--allow-missing")


def _copied(folder: Path) -> Path:
    """Copy the input to where a command may write."""
    for name, data in read_files(folder / "run").items():
        path = folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "out"


def _resume(folder: Path) -> None:
    _bench(_copied(folder))


def _resume_words(folder: Path) -> Sequence[str]:
    return ("bench", "--method", "background-only", "--suite", str(_suite()), "--protocol", "rses-mini", "--device",
            "cpu", "--out", str(_copied(folder)))  # fmt: skip


def _find(folder: Path) -> None:
    from rses.report.inputs import run_files as found
    from rses.runs.results import load_run

    found(folder / "run", load_run(folder / "run"))


def _report_words(folder: Path) -> Sequence[str]:
    return ("report", str(folder / "run"), "--out", str(folder / "out" / "report.html"), "--samples", "1",
            "--device", "cpu")  # fmt: skip


def _answers() -> Files:
    from rses.vlm.questions import QUESTIONS

    lines: list[dict[str, Any]] = [{"journal": 1, "settings": {"model": "x"}}]
    lines += [
        {"key": f"s{n}:{name}", "question": "q", "image": "i", "p_yes": 0.5, "mass": 1.0, "answer": "Yes"}
        for n in range(2)
        for name in QUESTIONS
    ]
    return {"journal.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}


def _journal(folder: Path) -> None:
    from rses.runs.journal import Journal, recorded_keys

    path = folder / "out" / "journal.jsonl"
    path.parent.mkdir()
    path.write_bytes((folder / "journal.jsonl").read_bytes())
    recorded_keys(path)
    journal = Journal(path, {"model": "x"})
    journal.append([{"key": "new"}])
    journal.close()
    assert "new" in Journal(path, {"model": "x"}).records, "what was appended is not read again"


def _masks() -> Files:
    from tests.fuzz.targets.images import encoded, photo

    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "images").mkdir()
        for name in ("a", "b"):
            (root / "images" / f"{name}.png").write_bytes(encoded(photo()))
        (root / "points.csv").write_text("file_name,x,y\na.png,4,4\nb.png,5,5\n")
        _segment(root, root / "run")
        return {name: data for name, data in read_files(root).items() if not name.endswith(".lock")}


def _segment(folder: Path, out: Path) -> None:
    from rses.suites.segment.base import Facts, Segmented
    from rses.suites.segment.prompts import read_jobs
    from rses.suites.segment.run import make_masks

    class Everything:
        facts = Facts("nobody", "classical")

        def segment(self, images: Any, prompts: Any) -> list[Segmented]:
            return [Segmented(image[..., 0] > 100, 1.0) for image in images]

    make_masks(read_jobs(folder / "images", points=folder / "points.csv"), out, Everything())


def _segment_again(folder: Path) -> None:
    _segment(folder, _copied(folder))


def targets() -> list[Target]:
    """All that is read from a run folder."""
    results = ("summary.json", "samples.parquet")
    return [
        Target("results", lambda: [_part(*results)], _load, (".json", ".parquet"), _compare_words),
        Target("merge", lambda: [_part(*results)], _merge, (".json", ".parquet"), _merge_words),
        Target("inputs.json", lambda: [_part(*results, "inputs.json")], _find, ("inputs.json",), _report_words),
        Target(
            "run journals", lambda: [_part("journal.jsonl", "generation.jsonl")], _resume, (".jsonl",), _resume_words
        ),
        Target("journal", lambda: [_answers()], _journal, (".jsonl",)),
        Target("journal of masks", lambda: [_masks()], _segment_again, (".jsonl",)),
    ]
