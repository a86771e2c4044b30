"""What a user of the package sees: the public names, and results as texts."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rses
from rses import Results, SampleResult

RUN = Results(
    [SampleResult("a", mse_bg=0.25, rsm=0.6), SampleResult("b", mse_bg=0.75, rsm=0.7), SampleResult("c", "missing")],
    {"method": "<mine>", "suite": {"name": "own"}, "protocol": {"id": "rses-mini"}},
)


def test_the_public_names():
    """Which they are, `tests/rses/golden/expected/names.json` says."""
    assert sorted(rses.__all__) == dir(rses)
    for name in rses.__all__:
        assert getattr(rses, name) is not None
        assert name == "__version__" or getattr(rses, name).__doc__
    with pytest.raises(AttributeError):
        rses.nothing  # noqa: B018


def test_each_kind_is_listed_and_found():
    assert rses.get_suite(rses.list_suites()[0]).name == "mini"
    assert rses.get_protocol(rses.list_protocols()[0]).id == "rses-v1"
    assert rses.get_metric(rses.list_metrics()[0]).name == "rsm"
    assert rses.get_method("identity").card.name in rses.list_methods()


def test_lists_import_no_torch():
    code = "import rses, sys; rses.list_suites(); rses.list_protocols(); rses.list_metrics(); rses.list_methods()"
    subprocess.run([sys.executable, "-c", f"{code}; assert not {{'torch', 'pandas'}} & set(sys.modules)"], check=True)


def test_results_as_text():
    assert repr(RUN) == "<Results of <mine>, own, rses-mini: 2/3 samples scored>"
    heading, _, columns, rsm, mse = str(RUN).splitlines()
    assert heading == "<mine>, own, rses-mini: 2/3 samples scored"
    assert columns.split()[:2] == ["metric", "mean"]
    assert rsm.split()[:2] == ["rsm", "0.65"]
    assert mse.split()[:2] == ["mse_bg", "0.5"]
    page = RUN._repr_html_()
    assert page.count("<tr>") == 3
    assert "&lt;mine&gt;" in page
    assert "<mine>" not in page


def test_a_summary_is_made_once():
    assert RUN.summary is RUN.summary
    assert isinstance(RUN.samples, tuple)
    with pytest.raises(AttributeError):
        RUN.samples = []
