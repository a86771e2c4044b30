"""Suite folders, suites as parquet, the card of a folder of edits, and submissions, also changed on purpose."""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
from pathlib import Path

from baselines.reference import BackgroundOnly
from rses.bench import Shard, run_bench
from rses.bench.checks import check_card
from rses.bench.predictions import Predictions
from rses.files.atomic import sha256_file
from rses.leaderboard.build import build
from rses.leaderboard.pack import pack_run
from rses.leaderboard.submission import read_submission
from rses.report.inputs import remember_inputs
from rses.scoring.scorer import RSES
from rses.suites import load_suite, verify_suite, write_manifest
from rses.suites.parquet import read_dataset, write_dataset
from rses.suites.sheet import suite_statistics
from tests.fuzz.sandbox import Files, Target
from tests.helpers.small import encoded, photo, read_files, write_files, write_suite


@functools.cache
def suite_files() -> Files:
    with tempfile.TemporaryDirectory() as place:
        return read_files(write_suite(Path(place)))


def rows_alone() -> list[Files]:
    return [{name: data for name, data in suite_files().items() if name != "suite.json"}]


def read_rows(folder: Path) -> None:
    """Rows that the manifest vouches for, whatever they say."""
    copy = write_files(folder / "out", read_files(folder))
    write_manifest(copy, "tiny", "1", "CC0-1.0")
    load_suite(copy)
    verify_suite(copy)


def dataset() -> list[Files]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_dataset(load_suite(write_suite(root / "suite")), root / "data set")
        return [read_files(root / "data set")]


def card() -> list[Files]:
    card = {"name": "mine", "title": "My method", "mask_used": False, "paper": "x", "year": 2026, "weights": "w",
            "revision": "1", "licence": "MIT", "settings": {"steps": 20}, "max_batch": 2, "dtype": "float32",
            "memory_gb": 1.5, "reference": False, "gated": False}  # fmt: skip
    suite = {f"suite/{name}": data for name, data in suite_files().items()}
    edits = {f"edits/s{number}.png": encoded(photo()) for number in range(2)}
    return [{**suite, **edits, "edits/method.json": json.dumps(card).encode()}]


@functools.cache
def submission() -> Files:
    with tempfile.TemporaryDirectory() as place:
        run, packed = Path(place) / "run", Path(place) / "packed"
        run_bench(BackgroundOnly(), "mini", run, scorer=RSES("rses-mini", device="cpu"), shard=Shard(1, 32))
        remember_inputs(run, pred=run / "images", suite="mini")
        pack_run(run, packed, images=True, previews=2, date="2026-02-19")
        return {name: data for name, data in read_files(packed).items() if not name.startswith("images/")}


def seal(folder: Path, place: str) -> None:
    """Copy a submission and renew the digests in its ``submission.json``, as a forger would."""
    copy = write_files(folder / "out" / place, read_files(folder))
    path = copy / "submission.json"
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError, OSError):
        manifest = json.loads(path.read_bytes())
        manifest["files"] = {name: sha256_file(copy / name) for name in ("summary.json", "samples.parquet")}
        path.write_text(json.dumps(manifest))


BENCH = "rses bench --predictions @/edits --suite @/suite --protocol rses-mini --device cpu --out @/out"
TARGETS = [
    Target("suite.json", lambda: [suite_files()], lambda folder: suite_statistics(verify_suite(folder)),
           ("suite.json", "metadata.jsonl", ".png"), "rses suites verify @"),
    Target("suite rows", rows_alone, read_rows, ("metadata.jsonl",)),
    Target("suite as parquet", dataset, lambda folder: read_dataset(folder, folder / "out"),
           (".parquet", ".json", ".jsonl", ".md"), "rses suites pull @ --out @/out"),
    Target("method.json", card, lambda folder: check_card(Predictions(folder / "edits")), ("method.json",), BENCH),
    Target("submission", lambda: [submission()], lambda folder: read_submission(folder / "out/submission"),
           (".json", ".parquet"), "rses leaderboard verify @/out/submission --rescore 0",
           lambda folder: seal(folder, "submission")),
    Target("board", lambda: [submission()], lambda folder: build(folder / "out/boards"),
           (".json", ".parquet", ".jpg"), "rses leaderboard build --boards @/out/boards",
           lambda folder: seal(folder, "boards/results/mini--rses-mini/background-only")),
]  # fmt: skip
