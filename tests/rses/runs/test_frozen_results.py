"""Run folders and submissions of this schema stay readable, and still verify; others are refused with what to do."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from rses.backbones import load_style
from rses.errors import InputError
from rses.leaderboard import claims
from rses.leaderboard.fields import SCHEMA as MANIFEST_SCHEMA
from rses.leaderboard.submission import Submission, read_submission, summary_problems
from rses.runs.migrate import MINI_SCALES, logit_scale_of
from rses.runs.results import load_run
from rses.runs.summary import SCHEMA
from tests.helpers.refusals import refused

FROZEN = Path(__file__).parent / "frozen"
RUN = FROZEN / f"schema-{SCHEMA}"
OLD = FROZEN / "schema-2"
SCALE = 8.867


def test_the_schema_is_read():
    run = load_run(RUN)
    assert (len(run.samples), run.samples[1].rsm) == (10, pytest.approx(0.613))
    assert run.samples[9].status == "failed"
    assert run.samples[0].source == "photo-0.png"


def test_the_summary_follows_from_its_samples():
    summary = json.loads((RUN / "summary.json").read_text("utf-8"))
    assert summary["schema"] == SCHEMA
    assert summary_problems(summary) == []
    submission = Submission(RUN, summary, load_run(RUN))
    assert list(claims.summary_problems(submission)) == []
    for key in ("mean", "low"):
        summary["metrics"]["rsm"][key] += 0.004
        assert len(list(claims.summary_problems(submission))) == ("mean", "low").index(key) + 1


def test_schema_2_is_read_as_this_one_and_its_summary_still_follows():
    """What took the place of ``rses_h`` is a function of ``rsm_gain`` and ``lpips_bg``, so nothing is scored again."""
    run, summary = load_run(OLD), json.loads((OLD / "summary.json").read_text("utf-8"))
    assert summary["schema"] == 2
    assert "rses_h" in summary["info"]["metrics"]
    assert run.info["metrics"][-3:] == ["style_success", "preservation", "rses_p"]
    assert "rses_h" not in run.info["metrics"]
    scored = [sample for sample in run.samples if sample.rsm_gain is not None]
    assert len(scored) == 9
    for sample in scored:
        expected = math.tanh(SCALE * sample.rsm_gain), max(0.0, 1 - sample.lpips_bg)
        assert (sample.style_success, sample.preservation) == expected
        assert sample.rses_p == expected[0] * expected[1]
    assert run.samples[9].rses_p is None
    assert list(claims.summary_problems(Submission(OLD, summary, run))) == []
    summary["by_style"]["pixel art"]["metrics"]["rsm"]["mean"] += 0.004
    assert len(list(claims.summary_problems(Submission(OLD, summary, run)))) == 1


def test_the_scale_of_the_embedded_encoder_is_known():
    weights = load_style("rses-mini", "cpu")
    assert MINI_SCALES[weights.sha256] == weights.logit_scale
    assert logit_scale_of({"weights": {"style": {"id": "rses-mini", "sha256": weights.sha256}}}) == weights.logit_scale
    assert logit_scale_of({"weights": {"style": {"id": "open_clip:my/own.pt", "sha256": "0"}}}) is None
    assert logit_scale_of({"protocol": {"id": "rses-v1"}}) == 100


@pytest.mark.parametrize("schema", [1, 0, None, "3", True, SCHEMA + 1])
def test_another_schema_is_refused_with_what_to_do(schema, tmp_path):
    """A submission that called itself schema 1 had its intervals checked to a quarter of their width."""
    shutil.copytree(RUN, tmp_path / "run")
    summary = json.loads((RUN / "summary.json").read_text("utf-8")) | {"schema": schema}
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(InputError, match="upgrade rses" if schema == SCHEMA + 1 else "score the run again"):
        load_run(tmp_path / "run")
    assert [problem.code for problem in summary_problems(summary)] == ["other-version"]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "[" * 100_000,
        '{"schema": 3, "info": []}',
        "{",
        '{"schema": 3, "info": 1}',
        '{"schema": 3, "info": {"suite": "x"}}',
        '{"schema": 3, "info": {"generation": "x", "metrics": {}}}',
    ],
)
def test_summaries_that_are_none_are_refused(content, tmp_path):
    shutil.copytree(RUN, tmp_path / "run")
    (tmp_path / "run" / "summary.json").write_text(content)
    with refused(InputError, "unreadable", "run"):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("version", range(1, MANIFEST_SCHEMA + 1))
def test_every_submission_is_read_and_verifies(version):
    folder = FROZEN / f"submission-{version}"
    assert json.loads((folder / "submission.json").read_text("utf-8"))["schema"] == version
    submission = read_submission(folder)
    assert (submission.card["name"], len(submission.images)) == ("jpeg-identity", 96)
    assert list(claims.summary_problems(submission)) == []
