"""The comparison page: the same numbers as the terminal, the largest differences first."""

from __future__ import annotations

import re

import numpy as np

from rses.cli.main import main
from rses.report.compare_page import comparison_html, most_different
from rses.report.comparison import compare_runs, comparison_grid
from rses.report.inputs import remember_inputs
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from tests.helpers.pages import Page


def run(name: str, shifts) -> Results:
    return Results(
        [SampleResult(f"s{i}", mse_bg=0.1 + s, lpips_bg=0.2 + s) for i, s in enumerate(shifts)], {"method": name}
    )


def test_the_largest_difference_comes_first_whatever_its_sign():
    info, samples = most_different([run("a", [0, 0, 0, 0]), run("b", [0.01, -0.09, 0.03, 0])])
    assert info.name == "lpips_bg"
    assert [name for name, _ in samples] == ["s1", "s2", "s0", "s3"]


def test_the_page_says_what_the_terminal_says():
    runs = [run("base", np.linspace(0, 0.05, 20)), run("other", np.linspace(0.01, 0.08, 20))]
    comparison = compare_runs(runs)
    text = Page(comparison_html(runs, comparison)).text
    for line in comparison_grid(comparison).texts:
        assert "".join(line) in text.replace("\n", "")
    assert "images were not at hand" in text


def test_command_with_pictures(images, capsys):
    for name, shade in (("a", 10), ("b", 200)):
        run(name, [shade / 1000 * (i + 1) for i in range(4)]).save(images / name)
        remember_inputs(images / name, pred=images / "pred", masks=images / "mask", source=images / "source")
    page = images / "page.html"
    assert main(["compare", str(images / "a"), str(images / "b"), "--page", str(page), "--samples", "2"]) == 0
    assert "Page:" in capsys.readouterr().err
    text = page.read_text("utf-8")
    assert re.findall(r"<article><h3>(s\d)</h3>", text) == ["s3", "s2"]
    assert "largest difference in LPIPS_bg first" in text
