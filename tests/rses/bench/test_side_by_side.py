"""Jobs in processes: results, and the end of all of them when one fails or nobody asks any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch

from rses.bench.side_by_side import side_by_side
from rses.files.atomic import write_atomic


def _threads(job: int) -> tuple[int, int]:
    return job * 2, torch.get_num_threads()


def _work(job: tuple[Path, str]) -> str:
    place, what = job
    write_atomic(place / what, str(os.getpid()).encode())
    if what == "waits":
        time.sleep(300)
    if what == "fails":
        _until_it_waits(place)
        raise ValueError("this job fails")
    return what


def _until_it_waits(place: Path) -> None:
    for _ in range(1200):
        if (place / "waits").exists():
            return
        time.sleep(0.1)
    raise TimeoutError("the other job has not begun in two minutes")


def _is_gone(place: Path) -> bool:
    try:
        os.kill(int((place / "waits").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_every_job_comes_with_its_result():
    assert dict(side_by_side(_threads, range(5), workers=2, threads=1)) == {job: (job * 2, 1) for job in range(5)}


def test_one_that_fails_ends_the_others(tmp_path):
    with pytest.raises(ValueError, match="this job fails"):
        list(side_by_side(_work, [(tmp_path, "waits"), (tmp_path, "fails")], 2, 1))
    assert _is_gone(tmp_path)


def test_who_stops_asking_ends_the_others(tmp_path):
    answers = side_by_side(_work, [(tmp_path, "quick"), (tmp_path, "waits")], 2, 1)
    assert next(answers) == ((tmp_path, "quick"), "quick")
    _until_it_waits(tmp_path)
    answers.close()
    assert _is_gone(tmp_path)
