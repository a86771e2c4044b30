"""Runs by the commands of ``rses``, and what their folders hold."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from rses.cli.main import main
from tests.rses.golden import STORED, networks, pictures
from tests.rses.golden.values import encoded, one_thread

PROTOCOLS = ("rses-mini", *networks.CLIP)


def command(*arguments: object) -> None:
    """Run ``rses`` in this process, on one thread; what it prints is kept for the error."""
    output = io.StringIO()
    with one_thread(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = main([str(argument) for argument in arguments])
    if code != 0:
        raise RuntimeError(f"rses {arguments}: exit {code}\n{output.getvalue()}")


def score(protocol: str, work: Path) -> Path:
    """Score all cases under one protocol and return the run folder."""
    few = protocol != "rses-mini"
    cases, run = work / ("few" if few else "all"), work / f"run-{protocol}"
    if not cases.exists():
        pictures.write_cases(cases, few)
    extra = ["--backbone", networks.backbone(protocol, weights_folder(work))] if few else []
    with networks.fixed_weights(weights_folder(work)) if few else contextlib.nullcontext():
        command("score", "--pred", cases / "pred", "--masks", cases / "masks", "--out", run, "--protocol", protocol,
                "--device", "cpu", "--allow-resize", "--method-name", "golden", *extra)  # fmt: skip
    return run


def weights_folder(work: Path) -> Path:
    folder = work / "weights"
    folder.mkdir(exist_ok=True)
    return folder


def table(path: Path) -> dict[str, Any]:
    """Return a parquet file as schema and rows; values that are missing are left out."""
    content = pq.read_table(path)
    rows = {}
    for row in content.to_pylist():
        rows[row["id"]] = {key: encoded(value) for key, value in row.items() if value is not None and key != "id"}
    return {"schema": {field.name: str(field.type) for field in content.schema}, "rows": rows}


def summary(run: Path) -> Any:
    """Return ``summary.json`` without times, versions and device."""
    return encoded(json.loads((run / "summary.json").read_text("utf-8")))


def bench(suite: str, work: Path) -> Path:
    """Run a reference row that copies whole pictures on the first samples of a suite."""
    run = work / f"bench-{suite}"
    command("bench", "--method", "identity", "--suite", suite, "--limit", 4, "--protocol", "rses-mini", "--device",
            "cpu", "--out", run)  # fmt: skip
    return run


def board(work: Path) -> dict[str, str]:
    """Return the text tables of the stored submissions by file name; page and parquet file hold the same cells."""
    boards = work / "leaderboards"
    shutil.copytree(STORED / "leaderboards", boards)
    command("leaderboard", "build", "--boards", boards)
    tables = [path for path in (boards / "tables").iterdir() if path.suffix in (".md", ".tex", ".csv")]
    return {path.name: path.read_text("utf-8") for path in sorted([boards / "README.md", *tables])}
