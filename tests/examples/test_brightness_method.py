"""The example of a third party's method, installed as its own package and run from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "brightness-method"


def rses(*arguments, path):
    return subprocess.run(
        [sys.executable, "-m", "rses.cli.main", *arguments], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(path)},
    )  # fmt: skip


def test_the_method_is_short():
    assert len((EXAMPLE / "brightness_method.py").read_text().splitlines()) < 40


@pytest.mark.slow
def test_an_installed_package_brings_its_method(tmp_path):
    site, out = tmp_path / "site", tmp_path / "run"
    install = ["install", "--quiet", "--no-deps", "--target", str(site), str(EXAMPLE)]
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", *install] if uv.exists() else [sys.executable, "-m", "pip", *install]
    subprocess.run(command, check=True, capture_output=True)
    assert "brighten" in rses("methods", path=site).stdout
    bench = ["bench", "--method", "brighten", "--suite", "mini", "--protocol", "rses-mini", "--limit", "3"]
    done = rses(*bench, "--set", "factor=1.5", "--out", str(out), "--format", "json", path=site)
    assert done.returncode == 0, done.stderr
    card = json.loads((out / "summary.json").read_text())["info"]["method_card"]
    assert card["settings"] == {"factor": 1.5}
