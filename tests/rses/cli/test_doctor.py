"""``rses doctor``: one finding per line, and an exit status that scripts can use."""

from __future__ import annotations

import pytest

from rses.backbones import known_answers
from rses.cli.main import main


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_embedded_weights_are_well(capsys):
    assert main(["doctor"]) == 0
    found = lines(capsys)
    assert all(line[:8].strip() in ("ok", "--") for line in found)
    assert any(line.startswith("ok") and "weights rses-mini/2: embedded, sha256:" in line for line in found)
    assert any(line.startswith("ok") and "answer of rses-mini" in line for line in found)


def test_missing_weights_of_a_protocol_fail(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("RSES_WEIGHTS", "")
    for variable in ("HF_HUB_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["doctor", "--protocol", "rses-v1"]) == 1
    failed = [line for line in lines(capsys) if line.startswith("FAILED")]
    assert any("rses weights pull lpips:alex" in line for line in failed)


def test_wrong_answer_fails(capsys, monkeypatch):
    monkeypatch.setattr(known_answers, "present", lambda spec: True)
    monkeypatch.setattr(known_answers, "lpips_on_noise", lambda: 0.2)
    assert main(["doctor"]) == 1
    assert any(line.startswith("FAILED") and "0.2000, documented 0.1024" in line for line in lines(capsys))


def test_unknown_protocol_is_refused(capsys):
    assert main(["doctor", "--protocol", "rses-v2"]) == 2
