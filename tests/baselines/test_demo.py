"""The demo: methods side by side in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from baselines.demo import run_demo
from rses.bench import run_bench
from rses.suites import load_suite

METHODS = {"mini": ("identity", "oracle-paste")}


@pytest.mark.slow
def test_processes_side_by_side_give_what_one_would_and_a_repeat_redoes_nothing(tmp_path):
    runs = run_demo(tmp_path / "demo", METHODS, limit=2, workers=2)["mini"]
    alone = run_bench("oracle-paste", load_suite("mini"), tmp_path / "alone", protocol="rses-mini", limit=2)
    assert [run.info["method"] for run in runs] == list(METHODS["mini"])
    for name, value in alone.summary["metrics"].items():
        assert runs[1].summary["metrics"][name]["mean"] == pytest.approx(value["mean"], abs=1e-6), name
    assert (tmp_path / "demo" / "mini" / "report.html").stat().st_size > 10_000
    page = tmp_path / "demo" / "mini" / "report.html"
    kept = [page, *sorted((tmp_path / "demo").glob("mini/*/images/*.png"))]
    before = [path.stat().st_mtime_ns for path in kept]
    assert len(before) == 5
    run_demo(tmp_path / "demo", METHODS, limit=2, workers=2)
    assert [path.stat().st_mtime_ns for path in kept] == before
    run_demo(tmp_path / "demo", METHODS, limit=3, workers=1)
    assert page.stat().st_mtime_ns > before[0]


@pytest.mark.slow
def test_stopping_it_ends_all_processes_with_one_message(tmp_path):
    command = [sys.executable, "-m", "baselines.demo", "--out", str(tmp_path), "--workers", "2", "--full"]
    command += ["--methods", "identity,global-style,jpeg-identity"]
    demo = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A parent that runs in the background (nohup, `&`) ignores SIGINT, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list(tmp_path.glob("full/mini/*/images/*.png")) and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(demo.pid, signal.SIGINT)
    errors = demo.communicate(timeout=60)[1]
    assert demo.returncode == 130, errors
    assert "repeat the command" in errors
    assert "Traceback" not in errors
    assert _ends(demo.pid)


def _ends(group: int) -> bool:
    """Wait a little for the last process of a group to be gone."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
