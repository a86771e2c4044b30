"""Photographs built into a suite, benched with reference rows and scored in one go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rses.cli.main import main


@pytest.mark.slow
def test_three_photographs_from_data_set_to_scores(real_data: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    arguments = ["suite", "build", "voc", "--root", str(real_data / "voc_layout"), "--out", str(suite)]
    assert main([*arguments, "--styles", "pixel art", "--n", "3", "--selection", "hard"]) == 0
    scores = {}
    for method in ("identity", "oracle-paste", "global-style"):
        run = tmp_path / method
        command = ["bench", "--method", method, "--suite", str(suite), "--protocol", "rses-mini", "--device", "cpu"]
        assert main([*command, "--out", str(run)]) == 0
        scores[method] = json.loads((run / "summary.json").read_text())["metrics"]["mse_bg"]["mean"]
    assert scores["identity"] == scores["oracle-paste"] == 0
    assert scores["global-style"] > 1e-4
