"""A full disk or a folder that cannot be written: a clear error, the journal intact, and the run goes on later."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rses.cli.main import main
from rses.runs.results import load_run

ARGUMENTS = ["bench", "--method", "identity", "--suite", "mini", "--protocol", "rses-mini", "--device", "cpu"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, 300 kB large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder, option):
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def test_a_full_disk_stops_the_run_and_more_room_lets_it_go_on(small_disk, tmp_path, capsys):
    run = small_disk / "run"
    arguments = [*ARGUMENTS, "--limit", "24", "--out", str(run)]
    assert main(arguments) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not (run / "summary.json").exists()
    remount(small_disk, "size=20m")
    assert main(arguments) == 0
    assert main([*ARGUMENTS, "--limit", "24", "--out", str(tmp_path / "whole")]) == 0
    assert (run / "samples.parquet").read_bytes() == (tmp_path / "whole" / "samples.parquet").read_bytes()
    assert len(load_run(run).samples) == 24


def test_a_read_only_folder_is_an_error_before_any_work(small_disk, capsys):
    remount(small_disk, "ro")
    assert main([*ARGUMENTS, "--limit", "2", "--out", str(small_disk / "run")]) == 2
    error = capsys.readouterr().err
    assert "Cannot write results" in error
    assert "--out" in error
