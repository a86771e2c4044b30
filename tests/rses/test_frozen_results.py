"""Run folders written by every version of the schema stay readable, and still verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rses.leaderboard.submission import MANIFEST_SCHEMA, Submission, read_submission, summary_problems
from rses.leaderboard.verify import _summary_problems
from rses.results import load_run
from rses.summary import SCHEMA

FROZEN = Path(__file__).parent / "frozen"
VERSIONS = range(1, SCHEMA + 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_is_read(version):
    run = load_run(FROZEN / f"schema-{version}")
    assert (len(run.samples), run.samples[1].rsm) == (10, pytest.approx(0.613))
    assert run.samples[9].status == "failed"
    assert run.samples[0].source == (None if version == 1 else "photo-0.png")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_summary_follows_from_its_samples(version):
    folder = FROZEN / f"schema-{version}"
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["schema"] == version
    assert summary_problems(summary) == []
    submission = Submission(folder, {}, summary, load_run(folder))
    assert _summary_problems(submission) == []
    for key in ("mean", "low"):
        summary["metrics"]["rsm"][key] += 0.004
        assert len(_summary_problems(submission)) == ("mean", "low").index(key) + 1


def test_photographs_are_resampled_since_schema_2():
    widths = {}
    for version in VERSIONS:
        entry = json.loads((FROZEN / f"schema-{version}" / "summary.json").read_text("utf-8"))["metrics"]["rses_h"]
        widths[version] = entry["high"] - entry["low"]
    # The three samples of a photograph are alike here, so that nine samples say little more than three.
    assert widths[2] > widths[1]


@pytest.mark.parametrize("version", range(1, MANIFEST_SCHEMA + 1))
def test_every_submission_is_read_and_verifies(version):
    folder = FROZEN / f"submission-{version}"
    assert json.loads((folder / "submission.json").read_text("utf-8"))["schema"] == version
    submission = read_submission(folder)
    assert (submission.card["name"], len(submission.manifest["images"])) == ("jpeg-identity", 96)
    assert _summary_problems(submission) == []
