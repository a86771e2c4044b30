"""The notebook: runs as it stands, and its words are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "quickstart.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_and_says_what_is_true():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    row = {name: [float(value) for value in re.findall(r"[+-]?\d+\.\d+", line)]
           for line in printed.splitlines() for name in [line.split(" ")[0]] if "LPIPS_bg" in line}  # fmt: skip
    assert row["inside"][1:] == [0, 0]
    assert row["inside"][0] == row["everywhere"][0] > 0
    assert row["everywhere"][1] > 0.1
    assert row["source"] == [0, 0, 0]
    gains = {style: float(gain) for style, gain in re.findall(r"^(.+?) +mean RSM gain (\S+)$", printed, re.M)}
    assert max(gains, key=gains.__getitem__) == "pixel art"
