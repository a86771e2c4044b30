"""kill -9 and Ctrl-C while scoring: nothing is lost, and the end result is the same."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from rses import load_suite
from rses.cli.main import main


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edits")
    for sample in load_suite("mini").samples:
        shutil.copy(sample.image, folder / f"{sample.id}.png")
    return ["score", "--pred", str(folder), "--suite", "mini", "--protocol", "rses-mini", "--metrics", "rsm,mse_bg"]


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def stop_at(words, out, count, how):
    """Start scoring and send a signal once ``count`` samples are in the journal."""
    # A parent that runs in the background (nohup, `&`) ignores SIGINT, and children inherit that.
    process = subprocess.Popen(
        [sys.executable, "-m", "rses.cli.main", *words, "--out", out],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while lines(out / "journal.jsonl") < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_killed_runs_go_on_and_end_the_same(words, tmp_path):
    assert main([*words, "--out", str(tmp_path / "whole")]) == 0
    rng = random.Random(0)
    run = tmp_path / "run"
    for _ in range(2):
        before = lines(run / "journal.jsonl")
        stop_at(words, run, min(95, before + rng.randint(2, 25)), signal.SIGKILL)
        assert lines(run / "journal.jsonl") >= before
    assert main([*words, "--out", str(run)]) == 0
    assert (run / "samples.parquet").read_bytes() == (tmp_path / "whole" / "samples.parquet").read_bytes()


def test_ctrl_c_exits_130_and_keeps_the_work(words, tmp_path):
    code, err = stop_at(words, tmp_path / "run", 5, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err
    assert "kept" in err
    assert lines(tmp_path / "run" / "journal.jsonl") >= 5
    assert not (tmp_path / "run" / "samples.parquet").exists()
