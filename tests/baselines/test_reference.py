"""Any sane metric must rank the reference rows; here on both embedded suites."""

from __future__ import annotations

import pytest

from rses.bench import run_bench
from rses.methods import get_method, list_methods
from rses.protocol import get_protocol
from rses.scoring.scorer import RSES
from rses.suites import load_suite

ROWS = ("identity", "global-style", "oracle-paste", "background-only", "jpeg-identity", "resize-identity")
LIMIT = {"mini": 8, "photos": 4}


def test_all_rows_are_entry_points():
    assert set(ROWS) <= set(list_methods())
    for name in ROWS:
        assert get_method(name).card.reference


@pytest.fixture(scope="module", params=["mini", "photos"])
def board(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    scorer = RSES("rses-mini", device="cpu")
    suite = load_suite(request.param)
    return {name: run_bench(name, suite, folder / name, scorer=scorer, limit=LIMIT[request.param]) for name in ROWS}


def column(board, name, metric):
    return [getattr(sample, metric) for sample in board[name].samples]


def mean(board, name, metric):
    values = column(board, name, metric)
    return sum(values) / len(values)


def test_identity_and_oracle_have_perfect_backgrounds(board):
    for name in ("identity", "oracle-paste"):
        for metric, value in [("lpips_bg", 0.0), ("mse_bg", 0.0), ("ssim_bg", 1.0), ("leakage", 0.0)]:
            assert set(column(board, name, metric)) == {value}, (name, metric)


def test_identity_gains_nothing(board):
    assert set(column(board, "identity", "rsm_gain")) == {0.0}
    assert set(column(board, "identity", "rses_p")) == {0.0}


def test_oracle_has_exactly_the_style_of_global(board):
    for metric in ("rsm", "clip_cosine", "rsm_gain", "style_correct"):
        assert column(board, "oracle-paste", metric) == column(board, "global-style", metric), metric


def test_in_the_papers_crop_the_background_is_seen_too(tmp_path):
    """The crop of a pasted edit still shows the old background, that of a global one does not."""
    scorer = RSES(get_protocol("rses-mini").replace(region="crop"), device="cpu", metrics=["rsm"])
    oracle, everywhere = (
        run_bench(name, "mini", tmp_path / name, scorer=scorer, limit=8).summary["metrics"]["rsm"]["mean"]
        for name in ("oracle-paste", "global-style")
    )
    assert everywhere - 0.2 < oracle < everywhere


def test_background_only_is_worst_where_it_matters(board):
    for metric in ("lpips_bg", "mse_bg"):
        assert mean(board, "background-only", metric) >= max(mean(board, name, metric) for name in ROWS) - 1e-12
    styled = ("global-style", "oracle-paste", "background-only")
    assert min(styled, key=lambda name: mean(board, name, "rsm")) == "background-only"


def test_order_of_the_rest(board):
    assert mean(board, "oracle-paste", "rses_p") == max(mean(board, name, "rses_p") for name in ROWS)
    for worse in ("jpeg-identity", "resize-identity"):
        assert 0 < mean(board, worse, "lpips_bg") < mean(board, "global-style", "lpips_bg")
        assert abs(mean(board, worse, "rsm_gain")) < 0.25 * mean(board, "oracle-paste", "rsm_gain")
    assert mean(board, "global-style", "leakage") > 0.02
