"""Two processes on one folder, and what a process that was killed leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rses import RSES, load_suite
from rses.errors import InputError
from rses.files.atomic import remove_leftovers, write_atomic
from rses.files.folders import new_folder
from rses.files.lock import hold, holding
from rses.leaderboard.build import build
from rses.leaderboard.pack import add_run, restore_replaced
from tests.helpers.refusals import refused

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be held there")
OTHER = """
import sys, time
from pathlib import Path
from rses.files.lock import {kind}
with {kind}(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """A folder that another process holds, in either way."""
    started = []

    def start(kind):
        words = [sys.executable, "-c", OTHER.format(kind=kind), str(tmp_path / "place")]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return tmp_path / "place"

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_folder_is_scored_into_by_one_process(held):
    suite = load_suite("mini")
    with refused(InputError, "in-use", "place") as caught:
        RSES("rses-mini", device="cpu", metrics=["mse_bg"]).score_folder(
            suite.root / "images", suite=suite.root, out=held("exclusive"), allow_missing=True
        )
    assert caught.value.codes == ["in-use"]


def test_boards_are_written_by_one_process(held, tmp_path):
    boards = held("holding")
    (boards / "results").mkdir()
    with pytest.raises(InputError) as caught:
        build(boards)
    assert caught.value.codes == ["in-use"]


def test_holding_ends_with_its_block(tmp_path):
    with holding(tmp_path), refused(InputError, "in-use"), holding(tmp_path):
        pass
    with holding(tmp_path):
        pass


def test_what_a_killed_process_left_of_a_new_folder_is_removed(tmp_path):
    dead, alive = (tmp_path / f".new.{digit * 32}.tmp" for digit in "ab")
    for path in (dead, alive):
        path.mkdir()
        (path / "half").write_text("")
    descriptor = hold(alive)
    assert descriptor is not None
    with new_folder(tmp_path / "new") as folder:
        (folder / "a").write_text("")
    os.close(descriptor)
    assert not dead.exists()
    assert (alive / "half").exists()
    assert (tmp_path / "new" / "a").exists()


def test_temporary_files_of_the_dead_are_removed_and_of_the_living_kept(tmp_path, monkeypatch):
    dead = tmp_path / f".a.png.{'0' * 32}.tmp"
    dead.write_text("half")
    seen = []

    def look(descriptor):
        remove_leftovers(tmp_path)
        seen.append(sorted(path.name for path in tmp_path.iterdir()))

    monkeypatch.setattr("rses.files.atomic.os.fsync", look)
    write_atomic(tmp_path / "a.png", b"whole")
    assert len(seen[0]) == 1
    assert seen[0] != [dead.name]
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("stopped_after", ["first", "second"])
def test_a_submission_is_not_lost_while_it_is_replaced(tmp_path, stopped_after):
    """Killed after the first, or the second, of the two renames."""
    board = tmp_path / "board"
    (board / ".replaced-m").mkdir(parents=True)
    (board / ".replaced-m" / "old").write_text("")
    (board / ".new-m").mkdir()
    if stopped_after == "second":
        (board / ".new-m").rename(board / "m")
    restore_replaced(board)
    assert [path.name for path in board.iterdir()] == ["m"]
    assert (board / "m" / "old").exists() == (stopped_after == "first")


def test_a_run_is_added_by_one_process(held, tmp_path):
    from rses import Results, SampleResult

    info = {"method": "m", "suite": {"name": "mini", "sha256": "0" * 64}, "protocol": {"id": "rses-mini"}}
    run = Results([SampleResult("a", mse_bg=0.5)], info).save(tmp_path / "run")
    with refused(InputError, "in-use", "place"):
        add_run(run, held("holding"))
