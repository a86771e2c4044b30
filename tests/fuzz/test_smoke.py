"""A few inputs on every target, so that the harness cannot rot; ``make fuzz`` tries many."""

from __future__ import annotations

import sys

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.sandbox import Sandbox, Target
from tests.fuzz.targets import targets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs alarms")
SLOW = ("board", "submission", "zip of a submission", "suite as parquet")


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_inputs_are_read_or_refused(target):
    # Inputs depend on the seed alone, so that what passes here passes everywhere.
    tally = fuzz(target, seed=0, inputs=6 if target.name in SLOW else 12, every=6)
    assert {fault.kind: fault.detail for fault in tally.faults.values()} == {}
    assert tally.read >= 1


def _reads(folder):
    return (folder / "a.txt").read_text()


def _divides(folder):
    return 1 / 0


def _writes_elsewhere(folder):
    (folder.parent / "cwd" / "b.txt").write_text("")


def _leaves_half(folder):
    (folder / "out").mkdir()
    (folder / "out" / f".a.{'0' * 32}.tmp").write_text("")


def _changes_its_input(folder):
    (folder / "a.txt").write_text("other")


@pytest.mark.parametrize(
    ("run", "kind"),
    [(_divides, "ZeroDivisionError"), (_writes_elsewhere, "outside"), (_leaves_half, "half-written"),
     (_changes_its_input, "input changed")],
)  # fmt: skip
def test_the_sandbox_sees_faults(tmp_path, run, kind):
    box = Sandbox(Target("t", list, run, (".txt",)), tmp_path)
    outcome, fault = box({"a.txt": b"x"}, command=False)
    assert outcome == "fault"
    assert fault.kind.startswith(kind)


def test_the_sandbox_lets_readers_pass(tmp_path):
    assert Sandbox(Target("t", list, _reads, (".txt",)), tmp_path)({"a.txt": b"x"}, command=False) == ("read", None)
