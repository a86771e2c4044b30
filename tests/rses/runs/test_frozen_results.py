"""Run folders and submissions of this schema stay readable, and still verify; others are refused with what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rses.errors import InputError
from rses.leaderboard import claims
from rses.leaderboard.fields import SCHEMA as MANIFEST_SCHEMA
from rses.leaderboard.submission import Submission, read_submission, summary_problems
from rses.runs.results import load_run
from rses.runs.summary import SCHEMA

FROZEN = Path(__file__).parent / "frozen"
RUN = FROZEN / f"schema-{SCHEMA}"


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


@pytest.mark.parametrize("schema", [1, 0, None, "2", True, SCHEMA + 1])
def test_another_schema_is_refused_with_what_to_do(schema, tmp_path):
    """A submission that called itself schema 1 had its intervals checked to a quarter of their width."""
    shutil.copytree(RUN, tmp_path / "run")
    summary = json.loads((RUN / "summary.json").read_text("utf-8")) | {"schema": schema}
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(InputError, match="upgrade rses" if schema == SCHEMA + 1 else "score the run again"):
        load_run(tmp_path / "run")
    assert [problem.code for problem in summary_problems(summary)] == ["other-schema"]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "[" * 100_000,
        '{"schema": 2, "info": []}',
        "{",
        '{"schema": 2, "info": 1}',
        '{"schema": 2, "info": {"suite": "x"}}',
        '{"schema": 2, "info": {"generation": "x", "metrics": {}}}',
    ],
)
def test_summaries_that_are_none_are_refused(content, tmp_path):
    shutil.copytree(RUN, tmp_path / "run")
    (tmp_path / "run" / "summary.json").write_text(content)
    with pytest.raises(InputError, match="cannot be read as a run"):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("version", range(1, MANIFEST_SCHEMA + 1))
def test_every_submission_is_read_and_verifies(version):
    folder = FROZEN / f"submission-{version}"
    assert json.loads((folder / "submission.json").read_text("utf-8"))["schema"] == version
    submission = read_submission(folder)
    assert (submission.card["name"], len(submission.images)) == ("jpeg-identity", 96)
    assert list(claims.summary_problems(submission)) == []
