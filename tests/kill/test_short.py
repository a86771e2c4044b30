"""A handful of kills and of disks that fail, on the quick commands; ``make kill`` tries many on all."""

from __future__ import annotations

import sys

import pytest

from tests.kill.disk import fill
from tests.kill.killing import Trial, fail, kill
from tests.kill.scenarios import scenarios

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, SIGKILL and audit hooks that count alike")
QUICK = [one for one in scenarios() if one.name in ("score", "bench", "suite build", "suite mask")]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)
def test_what_is_left_is_valid_and_the_repeat_ends_the_same(scenario, tmp_path):
    trial = Trial(scenario, tmp_path)
    assert kill(trial, 3) == 3
    fail(trial, 2)
    assert list(trial.faults) == []


def test_a_full_disk(tmp_path):
    trial = Trial(next(one for one in QUICK if one.name == "suite build"), tmp_path)
    if not fill(trial):
        pytest.skip("needs the right to mount a tmpfs")
    assert list(trial.faults) == []
