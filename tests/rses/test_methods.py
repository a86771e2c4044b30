"""Methods of other packages: what is no method, or gives no edits, is named as that."""

from __future__ import annotations

import subprocess
import sys

import pytest

from baselines.reference import Identity
from rses import RSES
from rses.bench import run_bench
from rses.errors import RsesError
from rses.methods import get_card, get_method
from tests.helpers.refusals import refused


class Nothing(Identity):
    def edit(self, batch):
        return None


class Blank(Identity):
    def edit(self, batch):
        return [None for _ in batch]


def build_none():
    return None


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (Nothing, r"identity returned None, expected a list of images\. \(2 of them\)\. Fix that"),
        (Blank, r"returned None in place of an edit\. Does it return its images\? \(2 of them\)\. Fix that"),
    ],
)
def test_a_method_that_returns_nothing_is_told_so(tmp_path, method, said):
    scorer = RSES("rses-mini", device="cpu", metrics=["mse_bg"])
    with pytest.raises(RsesError, match=said):
        run_bench(method(), "mini", tmp_path / "run", scorer=scorer, limit=2)


def test_what_builds_nothing_is_no_method():
    for load in (get_method, get_card):
        with refused(RsesError, "wrong-type"):
            load(f"{__name__}:build_none")


def test_a_card_is_read_without_torch():
    show = "from rses.cli.main import main\nmain(['methods', 'show', 'identity'])"
    code = f"import sys\n{show}\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
