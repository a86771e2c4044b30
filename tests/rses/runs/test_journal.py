from __future__ import annotations

import re

import pytest

from rses.errors import InputError
from rses.runs.journal import Journal
from tests.helpers.refusals import refused

SETTINGS = {"protocol": "rses-mini", "n": 3}


def record(key: str) -> dict:
    return {"key": key, "inputs": "x", "sample": {"id": key}}


def test_records_survive_reopening(tmp_path):
    path = tmp_path / "run" / "journal.jsonl"
    journal = Journal(path, SETTINGS)
    journal.append([record("a"), record("b")])
    journal.close()
    again = Journal(path, SETTINGS)
    assert sorted(again.records) == ["a", "b"]
    again.append([record("c")])
    again.close()
    assert sorted(Journal(path, SETTINGS).records) == ["a", "b", "c"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_line_cut_short_loses_only_that_line(tmp_path, cut):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, SETTINGS)
    journal.append([record("a"), record("b")])
    journal.close()
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(path, SETTINGS)
    assert "a" in again.records
    again.append([record("b")])
    again.close()
    assert sorted(Journal(path, SETTINGS).records) == ["a", "b"]


def test_another_run_is_refused_by_name_of_the_difference(tmp_path):
    path = tmp_path / "journal.jsonl"
    settings = {**SETTINGS, "card": {"name": "m", "settings": {"steps": 8, "prompt": "a" * 80}}}
    journal = Journal(path, settings)
    journal.append([record("a")])
    journal.close()
    message = r'already holds another run \(different: protocol was "rses-mini", now "rses-v1"\).*--fresh'
    with pytest.raises(InputError, match=message):
        Journal(path, {**settings, "protocol": "rses-v1"})
    inner = {"steps": 4, "prompt": "b" * 80, "guidance": 2.5}
    names = "card.settings.guidance was null, now 2.5, card.settings.prompt, card.settings.steps was 8, now 4"
    with pytest.raises(InputError, match=re.escape(f"(different: {names})")):
        Journal(path, {**settings, "card": {"name": "m", "settings": inner}})
    assert Journal(path, {**SETTINGS, "protocol": "rses-v1"}, fresh=True).records == {}


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text("hello\n")
    with refused(InputError, "other-version", "journal.jsonl"):
        Journal(path, SETTINGS)


@pytest.mark.parametrize("start", [b"", b'{"journal": 1, "sett'])
def test_a_run_killed_before_its_first_line_starts_over(tmp_path, start):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(start)
    journal = Journal(path, SETTINGS)
    assert journal.records == {}
    journal.append([record("a")])
    journal.close()
    assert sorted(Journal(path, SETTINGS).records) == ["a"]
