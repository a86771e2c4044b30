"""Commands that write folders, what must hold of a folder after any kill, and what the end must be equal to."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Scenario", "scenarios"]

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
        recovers: Whether the repeat is to be run by the check's rules alone, as results hold times.
    """

    name: str
    run: Callable[[Path], object]
    check: Callable[[Path], object]
    before: Callable[[Path], object] = field(default=lambda folder: None)


@functools.cache
def inputs() -> Path:
    """A folder of inputs for all scenarios, removed with the process."""
    place = tempfile.TemporaryDirectory(prefix="rses-kill-")
    _KEPT.append(place)
    return Path(place.name)


_KEPT: list[Any] = []


@functools.cache
def _scorer(metrics: tuple[str, ...] = ("mse_bg", "psnr_bg")) -> Any:
    from rses.scoring.scorer import RSES

    return RSES("rses-mini", device="cpu", metrics=metrics, workers=0)


@functools.cache
def _suite() -> Path:
    from tests.fuzz.targets.suites import write_suite

    return write_suite(inputs() / "suite", SAMPLES)


def _edits() -> Path:
    """Edits of the small suite: its own pictures, brightened."""
    from rses.images.decode import read_image
    from rses.images.tensors import write_png

    folder = inputs() / "edits"
    if not folder.is_dir():
        for path in sorted((_suite() / "images").iterdir()):
            write_png(folder / path.name, read_image(path) // 2 + 90)
    return folder


class Slow:
    """A method whose edits depend on their company, as batched products do."""

    def __init__(self) -> None:
        from rses.methods import MethodCard

        self.card = MethodCard("slow", "test", mask_used=False, max_batch=3)

    def load(self, device: str, dtype: str) -> None:
        """Nothing to load."""

    def edit(self, batch: Any) -> list[Any]:
        """Darken, by what all names of the batch add up to."""
        shift = sum(map(ord, "".join(sample.id for sample in batch))) % 7
        return [(sample.image // 2 + shift).astype(np.uint8) for sample in batch]


def _score(folder: Path) -> None:
    _scorer().score_folder(_edits(), suite=_suite(), out=folder / "run")


def _score_fresh(folder: Path) -> None:
    """Replace the results of other edits."""
    _scorer().score_folder(_edits(), suite=_suite(), out=folder / "run", fresh=True)


def _score_other(folder: Path) -> None:
    _scorer().score_folder(_suite() / "images", suite=_suite(), out=folder / "run")


def _bench(folder: Path) -> None:
    from rses.bench import run_bench

    run_bench(Slow(), _suite(), folder / "run", scorer=_scorer())


def _shards(folder: Path) -> None:
    from rses.bench import Shard, merge_runs, run_bench

    parts = [folder / f"part-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        run_bench(Slow(), _suite(), part, scorer=_scorer(), shard=Shard(number, 2))
    merge_runs(parts, folder / "run")


def check_runs(folder: Path) -> None:
    """Every run that says it is finished loads, with summary and samples that belong together."""
    from rses.runs.results import load_run
    from rses.runs.summary import summarise

    for summary in folder.glob("*/summary.json"):
        run = load_run(summary.parent)
        said = json.loads(summary.read_bytes())
        assert summarise(run.samples, run.info)["metrics"] == said["metrics"], f"{summary} is of other samples"
    _check_pictures(folder)


def _check_pictures(folder: Path) -> None:
    from rses.images.decode import read_image

    for path in folder.rglob("[!.]*.png"):
        read_image(path)


@functools.cache
def _photographs() -> Path:
    """Photographs with a box each."""
    from rses.images.tensors import write_png

    folder = inputs() / "photographs"
    rng, rows = np.random.default_rng(0), []
    for number in range(SAMPLES):
        image = rng.integers(0, 60, (48, 48, 3)).astype(np.uint8)
        image[12:36, 14:34] += np.array([180, 20, 20], np.uint8)
        write_png(folder / f"p{number}.png", image)
        rows.append(f"p{number}.png,10,8,28,32,cat\n")
    (inputs() / "boxes.csv").write_text("file_name,x,y,width,height,object\n" + "".join(rows))
    return folder


def _build_suite(folder: Path) -> None:
    from rses.suites.own_folder import build_folder

    build_folder(_photographs(), folder / "suite", ("pixel art", "line art"), regions=inputs() / "boxes.csv")


def _check_suite(folder: Path) -> None:
    from rses.suites import verify_suite

    if (folder / "suite").exists():
        verify_suite(folder / "suite")


def _mask(folder: Path) -> None:
    from rses.suites.segment import make_masks, read_jobs
    from rses.suites.segment.base import Facts, Segmented
    from rses.suites.segment.contact import write_mask_sheets

    class Bright:
        facts = Facts("bright", "classical")

        def segment(self, images: Any, prompts: Any) -> list[Segmented]:
            return [Segmented(image[..., 0] > 120, 0.5) for image in images]

    run = make_masks(read_jobs(_photographs(), boxes=inputs() / "boxes.csv"), folder / "masks", Bright())
    write_mask_sheets(run)


def _check_masks(folder: Path) -> None:
    from rses.images.masks import read_mask

    for path in (folder / "masks").glob("p*.png"):
        assert read_mask(path).any(), path


@functools.cache
def _run(name: str) -> Path:
    """A finished run with its images, on every 24th sample of the embedded suite."""
    from baselines.reference import BackgroundOnly, Identity
    from rses.bench import Shard, run_bench
    from rses.report.inputs import remember_inputs
    from rses.scoring.scorer import RSES

    folder = inputs() / name
    method = {"first": BackgroundOnly, "second": Identity}[name]()
    scorer = RSES("rses-mini", device="cpu", workers=0)
    run_bench(method, "mini", folder, scorer=scorer, shard=Shard(1, 24))
    remember_inputs(folder, pred=folder / "images", suite="mini")
    return folder


def _add(folder: Path) -> None:
    from rses.leaderboard.pack import add_run

    add_run(_run("first"), folder / "boards", date="2026-02-19", allow_missing=True, previews=4)


def _replace(folder: Path) -> None:
    from rses.leaderboard.pack import add_run

    add_run(_run("first"), folder / "boards", date="2026-02-20", allow_missing=True, previews=2, replace=True)


def _boards(folder: Path) -> None:
    from rses.leaderboard.pack import add_run

    for name in ("first", "second"):
        add_run(_run(name), folder / "boards", date="2026-02-19", allow_missing=True, previews=2)


def _build_boards(folder: Path) -> None:
    from rses.leaderboard.build import build

    build(folder / "boards")


def check_boards(folder: Path) -> None:
    """Every submission that is there is sound, and the boards can be built."""
    from rses.leaderboard.build import render_all
    from rses.leaderboard.submission import read_submission

    for path in (folder / "boards").glob("results/*/[!.]*"):
        read_submission(path)
    if (folder / "boards").is_dir():
        render_all(folder / "boards")


def _check_replaced(folder: Path) -> None:
    from rses.leaderboard.submission import read_submission

    check_boards(folder)
    # For a moment the old one bears another name; the next command gives it its own again.
    found = [*folder.glob("boards/results/*/[!.]*"), *folder.glob("boards/results/*/.replaced-*")]
    assert found, "the submission that was to be replaced is gone"
    for path in found:
        read_submission(path)


@functools.cache
def _pairs() -> Path:
    from regionroute.data.builder import build_pairs

    folder = inputs() / "pairs"
    build_pairs(_training_suite(), folder, style=None)
    return folder


@functools.cache
def _training_suite() -> Path:
    from rses.images.tensors import write_png
    from rses.suites import write_manifest

    root, rng, rows = inputs() / "training", np.random.default_rng(0), []
    for number in range(4):
        mask = np.zeros((64, 64, 3), np.uint8)
        mask[8 + 2 * number : 40, 16:48] = 255
        write_png(root / "images" / f"s{number}.png", rng.integers(0, 255, (64, 64, 3), np.uint8))
        write_png(root / "masks" / f"s{number}.png", mask)
        rows.append({"id": f"s{number}", "file_name": f"images/s{number}.png",
                     "mask_file_name": f"masks/s{number}.png", "object": "cat", "style": "pixel art",
                     "prompt": "make the cat in pixel art style, keep other area unchanged", "dataset": "test",
                     "tags": []})  # fmt: skip
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "README.md").write_text("Noise.")
    write_manifest(root, "tiny", "1", "CC0-1.0")
    return root


def _make_pairs(folder: Path) -> None:
    from regionroute.data.builder import build_pairs

    build_pairs(_training_suite(), folder / "pairs", style="all")


def _check_pairs(folder: Path) -> None:
    from regionroute.data import read_pairs

    if (folder / "pairs" / "metadata.jsonl").exists():
        read_pairs(folder / "pairs")
    _check_pictures(folder)


@functools.cache
def _base() -> Path:
    """A tiny base model."""
    from tests.conftest import build_tiny_kontext

    folder = inputs() / "tiny"
    build_tiny_kontext().save_pretrained(folder)
    (folder / "regionroute.json").write_text('{"buckets": [[64, 64]], "text_length": 24, "guidance": 1.0, "steps": 2}')
    return folder


def _config(folder: Path) -> Any:
    from regionroute.training.config import parse_config

    return parse_config({
        "model": {"base": str(_base()), "text_length": 24},
        "data": {"pairs": str(_pairs()), "style": "pixel art", "resolution": 64, "cache": str(folder / "cache")},
        "optimiser": {"learning_rate": 1e-2, "steps": 6, "batch_size": 2, "accumulation": 1},
        "run": {"out": str(folder / "run"), "checkpoint_every": 1, "overlay_every": 3, "overlays": 1,
                "tensorboard": False},
    })  # fmt: skip


def _train(folder: Path) -> None:
    from regionroute.training.trainer import train

    train(_config(folder))


def _check_training(folder: Path) -> None:
    import safetensors.torch

    from regionroute.training.checkpoint import latest_checkpoint

    latest_checkpoint(folder / "run" / "checkpoints", _config(folder))
    for path in (folder / "run").glob("[!.]*.safetensors"):
        safetensors.torch.load_file(path)
    _check_pictures(folder)


def outcome(folder: Path) -> dict[str, bytes]:
    """Return what the end of a command is judged by: every file, without what may differ."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part in IGNORED for part in Path(name).parts):
            found[name] = _without_times(path, folder)
    return found


def _without_times(path: Path, folder: Path) -> bytes:
    data = path.read_bytes().replace(str(folder).encode(), b"")
    if path.name in ("summary.json", "generation.jsonl", "submission.json"):
        lines = [json.loads(line) for line in ([data] if path.suffix == ".json" else data.split(b"\n")) if line]
        return json.dumps([_timeless(line) for line in lines], sort_keys=True).encode()
    return data


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in ("wall_time_s", "seconds", "summary.json")}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def scenarios() -> list[Scenario]:
    """All commands; Ray is in ``test_ray.py``, for its workers are processes of their own."""
    return [
        Scenario("score", _score, check_runs),
        Scenario("score --fresh", _score_fresh, check_runs, _score_other),
        Scenario("bench", _bench, check_runs),
        Scenario("bench --shard, merge", _shards, check_runs),
        Scenario("suite build", _build_suite, _check_suite),
        Scenario("suite mask", _mask, _check_masks),
        Scenario("leaderboard add", _add, check_boards),
        Scenario("leaderboard add --replace", _replace, _check_replaced, _add),
        Scenario("leaderboard build", _build_boards, check_boards, _boards),
        Scenario("regionroute data", _make_pairs, _check_pairs),
        Scenario("regionroute train", _train, _check_training),
    ]
