"""The sound inputs and a few changed ones on every target; ``make fuzz`` tries many."""

from __future__ import annotations

import sys

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.sandbox import Sandbox, Target
from tests.fuzz.targets import targets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs alarms")
SLOW = ("board", "suite as parquet", "run journals")


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_inputs_are_read_or_refused(target):
    # Inputs depend on the seed alone, so that what passes here passes everywhere.
    tally = fuzz(target, seed=0, inputs=2 if target.name in SLOW else 5, every=4)
    assert {fault.kind: fault.detail for fault in tally.faults.values()} == {}
    assert tally.read >= 1


ACTIONS = {
    "read": lambda folder: (folder / "a.txt").read_text(),
    "ZeroDivisionError": lambda folder: 1 / 0,
    "outside": lambda folder: (folder.parent / "cwd" / "b.txt").write_text(""),
    "half-written": lambda folder: (folder / f".a.{'0' * 32}.tmp").write_text(""),
    "input changed": lambda folder: (folder / "a.txt").write_text("other"),
}


@pytest.mark.parametrize("kind", ACTIONS)
def test_the_sandbox_sees_faults(tmp_path, kind):
    box = Sandbox(Target("t", list, ACTIONS[kind], (".txt",)), tmp_path)
    outcome, fault = box({"a.txt": b"x"}, command=False)
    assert (fault.kind if fault else outcome).startswith(kind)
