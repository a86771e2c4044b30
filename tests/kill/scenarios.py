"""Commands that write folders, what must hold of a folder after any kill, and what the end must be equal to."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from baselines.reference import BackgroundOnly, Identity
from regionroute.data import read_pairs
from regionroute.data.builder import build_pairs
from regionroute.training.checkpoint import latest_checkpoint
from regionroute.training.config import parse_config
from regionroute.training.trainer import train
from rses.bench import Shard, merge_runs, run_bench
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.leaderboard.build import build, render_all
from rses.leaderboard.pack import add_run
from rses.leaderboard.submission import read_submission
from rses.methods import MethodCard
from rses.report.inputs import remember_inputs
from rses.runs.results import load_run
from rses.runs.summary import summarise
from rses.scoring.scorer import RSES
from rses.suites import verify_suite
from rses.suites.own_folder import build_folder
from rses.suites.segment import make_masks, read_jobs
from rses.suites.segment.base import Facts, Segmented
from rses.suites.segment.contact import write_mask_sheets
from tests.conftest import write_tiny_kontext
from tests.helpers.small import write_suite

SAMPLES = 8
IGNORED = (".lock", "inputs.json", "tensorboard", "report.html")
"""Beside these, times alone may differ between a killed and an uninterrupted run."""


@dataclass(frozen=True)
class Scenario:
    """A command that may be killed.

    Attributes:
        name: What the table calls it.
        run: Runs it, writing below a folder; inputs lie elsewhere.
        check: Raises where what is in the folder, half done or whole, is not valid.
        before: Brings a folder to the state in which the command finds it, if it is not empty.
    """

    name: str
    run: Callable[[Path], object]
    check: Callable[[Path], object]
    before: Callable[[Path], object] = lambda folder: None


KEPT = tempfile.TemporaryDirectory(prefix="rses-kill-")
INPUTS = Path(KEPT.name)
"""Inputs for all scenarios, removed with the process."""


@functools.cache
def scorer() -> RSES:
    return RSES("rses-mini", device="cpu", metrics=("mse_bg", "psnr_bg"), workers=0)


@functools.cache
def suite() -> Path:
    return write_suite(INPUTS / "suite", SAMPLES)


@functools.cache
def edits() -> Path:
    """Edits of the small suite: its own pictures, brightened."""
    for path in sorted((suite() / "images").iterdir()):
        write_png(INPUTS / "edits" / path.name, read_image(path) // 2 + 90)
    return INPUTS / "edits"


class Batched:
    """A method whose edits depend on their company, as batched products do."""

    card = MethodCard("batched", "test", mask_used=False, max_batch=3)

    def load(self, device: str, dtype: str) -> None:
        """Nothing to load."""

    def edit(self, batch: Any) -> list[Any]:
        """Darken, by what all names of the batch add up to."""
        shift = sum(map(ord, "".join(sample.id for sample in batch))) % 7
        return [(sample.image // 2 + shift).astype(np.uint8) for sample in batch]


def score(folder: Path, fresh: bool = False) -> None:
    scorer().score_folder(edits(), suite=suite(), out=folder / "run", fresh=fresh)


def score_other(folder: Path) -> None:
    scorer().score_folder(suite() / "images", suite=suite(), out=folder / "run")


def score_shards(folder: Path) -> None:
    for number in (1, 2):
        scorer().score_folder(edits(), suite=suite(), out=folder / "run", shard=Shard(number, 2))
    score(folder)


def score_methods(folder: Path) -> None:
    scorer().score_folders({"one": edits(), "two": suite() / "images"}, suite=suite(), out=folder)


def bench(folder: Path) -> None:
    run_bench(Batched(), suite(), folder / "run", scorer=scorer())


def shards(folder: Path) -> None:
    parts = [folder / f"part-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        run_bench(Batched(), suite(), part, scorer=scorer(), shard=Shard(number, 2))
    merge_runs(parts, folder / "run")


def check_runs(folder: Path) -> None:
    """Every run that says it is finished loads, with summary and samples that belong together."""
    for summary in folder.glob("*/summary.json"):
        run = load_run(summary.parent)
        said = json.loads(summary.read_bytes())
        assert summarise(run.samples, run.info)["metrics"] == said["metrics"], f"{summary} is of other samples"
    check_pictures(folder)


def check_pictures(folder: Path) -> None:
    for path in folder.rglob("[!.]*.png"):
        read_image(path)


@functools.cache
def boxes() -> Path:
    rows = "".join(f"s{number}.png,3,3,9,9,cat\n" for number in range(SAMPLES))
    (INPUTS / "boxes.csv").write_text("file_name,x,y,width,height,object\n" + rows)
    return INPUTS / "boxes.csv"


def build_suite(folder: Path) -> None:
    build_folder(suite() / "images", folder / "suite", ("pixel art", "line art"), regions=boxes())


def check_suite(folder: Path) -> None:
    if (folder / "suite").exists():
        verify_suite(folder / "suite")


class Bright:
    """Finds what is bright."""

    facts = Facts("bright", "classical")

    def segment(self, images: Any, prompts: Any) -> list[Segmented]:
        return [Segmented(image[..., 0] > 120, 0.5) for image in images]


def make_sheets(folder: Path) -> None:
    write_mask_sheets(make_masks(read_jobs(suite() / "images", boxes=boxes()), folder / "masks", Bright()))


def check_masks(folder: Path) -> None:
    for path in (folder / "masks").glob("s*.png"):
        assert read_mask(path).any(), path


@functools.cache
def finished(method: type) -> Path:
    """A finished run with its images, on every 24th sample of the embedded suite."""
    folder = INPUTS / method.__name__
    run_bench(method(), "mini", folder, scorer=RSES("rses-mini", device="cpu", workers=0), shard=Shard(1, 24))
    remember_inputs(folder, pred=folder / "images", suite="mini")
    return folder


def add(folder: Path, method: type = BackgroundOnly, **options: Any) -> None:
    given = {"date": "2026-02-19", "previews": 4, **options}
    add_run(finished(method), folder / "boards", allow_missing=True, **given)


def replace(folder: Path) -> None:
    add(folder, date="2026-02-20", previews=2, replace=True)


def add_two(folder: Path) -> None:
    for method in (BackgroundOnly, Identity):
        add(folder, method, previews=2)


def check_boards(folder: Path) -> None:
    """Every submission that is there is sound, and the boards can be built."""
    for path in (folder / "boards").glob("results/*/[!.]*"):
        read_submission(path)
    if (folder / "boards").is_dir():
        render_all(folder / "boards")


def check_replaced(folder: Path) -> None:
    check_boards(folder)
    # For a moment the old one bears another name; the next command gives it its own again.
    found = [*folder.glob("boards/results/*/[!.]*"), *folder.glob("boards/results/*/.replaced-*")]
    assert found, "the submission that was to be replaced is gone"
    for path in found:
        read_submission(path)


@functools.cache
def training_suite() -> Path:
    return write_suite(INPUTS / "training", 4, side=64)


@functools.cache
def pairs() -> Path:
    build_pairs(training_suite(), INPUTS / "pairs", style=None)
    return INPUTS / "pairs"


def make_pairs(folder: Path) -> None:
    build_pairs(training_suite(), folder / "pairs", style="all")


def check_pairs(folder: Path) -> None:
    if (folder / "pairs" / "metadata.jsonl").exists():
        read_pairs(folder / "pairs")
    check_pictures(folder)


@functools.cache
def base() -> Path:
    return write_tiny_kontext(INPUTS / "tiny")


def config(folder: Path) -> Any:
    return parse_config({
        "model": {"base": str(base()), "text_length": 24},
        "data": {"pairs": str(pairs()), "style": "pixel art", "resolution": 64, "cache": str(folder / "cache")},
        "optimiser": {"learning_rate": 1e-2, "steps": 6, "batch_size": 2, "accumulation": 1},
        "run": {"out": str(folder / "run"), "checkpoint_every": 1, "overlay_every": 3, "overlays": 1,
                "tensorboard": False},
    })  # fmt: skip


def check_training(folder: Path) -> None:
    latest_checkpoint(folder / "run" / "checkpoints", config(folder))
    for path in (folder / "run").glob("[!.]*.safetensors"):
        load_file(path)
    check_pictures(folder)


def outcome(folder: Path) -> dict[str, bytes]:
    """Return what the end of a command is judged by: every file, without what may differ."""
    return {
        path.relative_to(folder).as_posix(): without_times(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(IGNORED) & set(path.relative_to(folder).parts)
    }


def without_times(path: Path, folder: Path) -> bytes:
    data = path.read_bytes().replace(str(folder).encode(), b"")
    if path.name in ("summary.json", "generation.jsonl", "submission.json"):
        lines = [json.loads(line) for line in ([data] if path.suffix == ".json" else data.split(b"\n")) if line]
        return json.dumps([timeless(line) for line in lines], sort_keys=True).encode()
    return data


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("wall_time_s", "seconds", "summary.json")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def scenarios() -> list[Scenario]:
    """All commands; Ray is in ``test_ray.py``, for its workers are processes of their own."""
    return [
        Scenario("score", score, check_runs),
        Scenario("score --fresh", lambda folder: score(folder, fresh=True), check_runs, score_other),
        Scenario("score --shard", score_shards, check_runs),
        Scenario("score, two methods", score_methods, check_runs),
        Scenario("bench", bench, check_runs),
        Scenario("bench --shard, merge", shards, check_runs),
        Scenario("suite build", build_suite, check_suite),
        Scenario("suite mask", make_sheets, check_masks),
        Scenario("leaderboard add", add, check_boards),
        Scenario("leaderboard add --replace", replace, check_replaced, add),
        Scenario("leaderboard build", lambda folder: build(folder / "boards"), check_boards, add_two),
        Scenario("regionroute data", make_pairs, check_pairs),
        Scenario("regionroute train", lambda folder: train(config(folder)), check_training),
    ]
