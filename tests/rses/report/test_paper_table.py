"""The main table of a paper: columns, names, marks, caption, and every format."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from rses.cli.main import main
from rses.errors import InputError
from rses.report.paper_table import PAPER_FORMATS, render_paper_table
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult

RNG = np.random.default_rng(0)
BASE = RNG.uniform(0.1, 0.2, 30)
NOISE = RNG.normal(0.02, 0.005, 30)


def run(name: str, mse, method: str | None = None) -> Results:
    samples = [SampleResult(f"s{i:02d}", mse_bg=float(v), lpips_bg=0.5) for i, v in enumerate(mse)]
    info = {"method": name, "suite": {"name": "a&b"}, "protocol": {"id": "p", "hash": "h"}}
    return Results(samples, {**info, "metrics": ["lpips_bg", "mse_bg"]})


RUNS = [run("good_1", BASE - NOISE), run("base", BASE), run("bad", BASE + NOISE)]


@pytest.mark.parametrize("format", PAPER_FORMATS)
def test_every_format_has_all_rows_and_marks(format):
    text = render_paper_table(RUNS, format, metrics="mse_bg", against="base", digits=2)
    better, worse = {
        "latex": ("0.13}$^{+}$", "0.17$^{-}$"), "markdown": ("0.13**<sup>+</sup>", "0.17<sup>−</sup>"),
        "html": ("0.13</strong><sup>+</sup>", "0.17<sup>−</sup>"), "csv": (",better", ",worse"),
    }[format]  # fmt: skip
    assert text.count(better) == 1
    assert text.count(worse) == 1
    assert ("good\\_1" if format in ("latex", "markdown") else "good_1") in text


def test_csv_holds_full_precision_and_intervals():
    rows = list(csv.DictReader(io.StringIO(render_paper_table(RUNS, "csv"))))
    assert float(rows[1]["mse_bg"]) == pytest.approx(BASE.mean(), rel=1e-12)
    assert float(rows[1]["mse_bg_low"]) < BASE.mean() < float(rows[1]["mse_bg_high"])
    assert "mse_bg_low" not in render_paper_table(RUNS, "csv", intervals=False)


def test_caption_names_suite_protocol_and_n():
    text = render_paper_table(RUNS, "latex", against="base")
    (caption,) = [line for line in text.splitlines() if line.startswith("\\caption")]
    assert all(part in caption for part in ("n = 30 samples", "suite a\\&b", "protocol p (h)", "worse than base"))
    assert "[" in text
    assert "scriptsize" not in render_paper_table(RUNS, "latex", intervals=False)


def test_names_are_replaced_also_in_against():
    text = render_paper_table(RUNS, "markdown", names={"base": "Theirs"}, against="base")
    assert "| Theirs |" in text
    assert "worse than Theirs" in text
    assert "base" not in text


@pytest.mark.parametrize(
    "options",
    [{"names": {"nobody": "x"}}, {"against": "bass"}, {"metrics": "ms_bg"}, {"digits": 99}, {"format": "word"}],
)
def test_wrong_names_are_refused(options):
    with pytest.raises(InputError):
        render_paper_table(RUNS, **options)


def test_runs_of_one_name_are_told_apart():
    twins = [RUNS[1], run("base", BASE + NOISE)]
    assert "| base (2) | 0.17<sup>−</sup> |" in render_paper_table(
        twins, metrics="mse_bg", digits=2, intervals=False, against="base (1)"
    )


def test_command_writes_a_file_by_its_ending(tmp_path, capsys):
    for name, one in (("a", RUNS[0]), ("b", RUNS[1])):
        one.save(tmp_path / name)
    command = ["table", str(tmp_path / "a"), str(tmp_path / "b"), "--name", "good_1=Ours"]
    assert main([*command, "--out", str(tmp_path / "t.md")]) == 0
    assert "| Ours |" in (tmp_path / "t.md").read_text("utf-8")
    assert main([*command, "--out", str(tmp_path / "t.pdf")]) == 2
    assert main([*command, "--name", "Ours"]) == 2
    capsys.readouterr()
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("\\begin{table}")
