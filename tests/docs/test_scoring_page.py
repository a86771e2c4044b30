"""The page on scoring a folder says what the code does: its commands run, its files are read, its lists are whole."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from rses import load_run
from rses.bench.predictions import Predictions
from rses.cli.main import main
from rses.images.tensors import write_png
from rses.inputs.pairing import pair_folder
from rses.methods import MethodCard
from rses.runs.sample_result import STATUSES, SampleResult

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scoring.md").read_text("utf-8")


def block(first: str) -> str:
    """Return the indented block whose first line starts so."""
    lines = [line.removeprefix("    ") for line in PAGE.splitlines() if line.startswith("    ") or not line]
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    return "\n".join(lines[start : lines.index("", start)]) + "\n"


def commands(name: str) -> list[str]:
    return [line.strip() for line in PAGE.splitlines() if line.startswith(f"    rses {name} ")]


def first_cells() -> set[str]:
    """Names that begin a row of a table, several to a cell."""
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    mask = np.zeros((64, 64), bool)
    mask[16:48, 16:48] = True
    for name in ("cat", "dog"):
        for folder in ("edits", "images"):
            write_png(tmp_path / folder / f"{name}.png", rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        write_png(tmp_path / "masks" / f"{name}.png", mask)
    return tmp_path


def test_commands_of_score_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(commands("score")) == 3
    for command in commands("score"):
        assert main(shlex.split(command)[1:]) == 0, f"{command}\n{capsys.readouterr().err}"
    assert {path.name for path in (place / "run").iterdir() if path.name != ".lock"} <= first_cells()
    assert load_run("run").samples[0].style == "pixel art"


def test_bench_reads_the_card_of_the_page(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = commands("bench")
    (place / "edits" / "method.json").write_text(block('{"name"'), "utf-8")
    names = [json.loads(line)["id"] for line in _mini().read_text("utf-8").splitlines()[:1]]
    write_png(place / "edits" / f"{names[0]}.png", np.zeros((128, 128, 3), np.uint8))
    assert main([*shlex.split(command)[1:], "--limit", "1"]) == 0, capsys.readouterr().err
    card = load_run("runs/mine").info["method_card"]
    assert (card["name"], card["mask_used"], card["settings"]) == ("my-method", False, {"steps": 28})


def test_metadata_and_styles_of_the_page_are_read(place: Path) -> None:
    (place / "styles.csv").write_text(block("id,style"), "utf-8")
    pairs = pair_folder(Path("edits"), Path("masks"), Path("images"), styles=Path("styles.csv")).pairs
    assert [(pair.id, pair.style) for pair in pairs] == [("cat", "pixel art"), ("dog", "line art")]
    (place / "metadata.jsonl").write_text(block('{"id"'), "utf-8")
    for name in ("cat-1", "cat-2"):
        write_png(place / "new" / f"{name}.png", np.zeros((64, 64, 3), np.uint8))
    pairs = pair_folder(Path("new"), Path("masks")).pairs
    assert [(pair.id, pair.style, pair.tags) for pair in pairs] == [
        ("cat-1", "pixel art", ("small",)),
        ("cat-2", "line art", ()),
    ]
    assert {pair.image for pair in pairs} == {place / "images" / "cat.png"}


def test_lists_are_complete() -> None:
    columns = set(SampleResult.columns())
    keys = {item.name for item in dataclasses.fields(MethodCard)}
    assert columns | set(STATUSES) <= first_cells()
    assert keys - first_cells() == {"max_batch", "dtype", "memory_gb", "gated", "full_size"}
    assert all(f"`{key}`" in PAGE for key in keys)
    assert Predictions.defaults.title in PAGE


def _mini() -> Path:
    from rses.suites import load_suite

    return load_suite("mini").root / "metadata.jsonl"
