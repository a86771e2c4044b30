"""A handful of kills and of disks that fail, on the quick commands; ``make kill`` tries many on all."""

from __future__ import annotations

import sys

import pytest

from tests.kill.disk import fill_scenario
from tests.kill.killing import fail_scenario, kill_scenario
from tests.kill.scenarios import scenarios

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, SIGKILL and audit hooks that count alike")
QUICK = [one for one in scenarios() if one.name in ("score", "bench", "suite build", "suite mask")]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)
def test_what_is_left_after_a_kill_is_valid_and_the_repeat_ends_the_same(scenario, tmp_path):
    report = kill_scenario(scenario, 3, seed=0, root=tmp_path)
    assert report.faults == ()
    assert report.kills == 3


@pytest.mark.parametrize("scenario", QUICK, ids=lambda one: one.name)
def test_a_disk_that_fails_is_an_error_and_the_repeat_ends_the_same(scenario, tmp_path):
    assert fail_scenario(scenario, 2, seed=0, root=tmp_path).faults == ()


@pytest.mark.parametrize("scenario", QUICK[2:3], ids=lambda one: one.name)
def test_a_full_disk(scenario, tmp_path):
    report = fill_scenario(scenario, tmp_path)
    if report is None:
        pytest.skip("needs the right to mount a tmpfs")
    assert report.faults == ()
