"""The comparison page: the same numbers as the terminal, the largest differences first, names disarmed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.report.compare_page import comparison_html, most_different, write_comparison
from rses.report.comparison import compare_runs, comparison_lines
from rses.report.inputs import remember_inputs
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult

EVIL = "</script><img src=x onerror=alert(1)>"


def run(name: str, shifts) -> Results:
    return Results(
        [SampleResult(f"s{i}", mse_bg=0.1 + s, lpips_bg=0.2 + s) for i, s in enumerate(shifts)], {"method": name}
    )


def test_the_largest_difference_comes_first_whatever_its_sign():
    info, samples = most_different([run("a", [0, 0, 0, 0]), run("b", [0.01, -0.09, 0.03, 0])])
    assert info.name == "lpips_bg"
    assert [name for name, _ in samples] == ["s1", "s2", "s0", "s3"]


def test_the_page_says_what_the_terminal_says(tmp_path):
    runs = [run("base", np.linspace(0, 0.05, 20)), run(EVIL, np.linspace(0.01, 0.08, 20))]
    comparison = compare_runs(runs)
    page = comparison_html(runs, comparison)
    assert "<img src=x" not in page
    for line in comparison_lines(comparison):
        assert f">{line[3]}<" in page
    assert "images were not at hand" in page
    other = tmp_path / "mine.html"
    other.write_text("keep")
    with pytest.raises(InputError, match="not a report of rses"):
        write_comparison(runs, comparison, other)


def test_command_with_pictures(tmp_path, capsys):
    for folder in ("masks", "source"):
        (tmp_path / folder).mkdir()
    for name, shade in (("a", 10), ("b", 200)):
        run(name, [shade / 1000 * (i + 1) for i in range(4)]).save(tmp_path / name)
        (tmp_path / f"pred-{name}").mkdir()
    for i in range(4):
        picture, mask = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)
        mask[4:8, 4:8] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"s{i}.png")
        Image.fromarray(picture).save(tmp_path / "source" / f"s{i}.png")
        for name in "ab":
            Image.fromarray(picture).save(tmp_path / f"pred-{name}" / f"s{i}.png")
    for name in "ab":
        places = {"pred": tmp_path / f"pred-{name}", "masks": tmp_path / "masks", "source": tmp_path / "source"}
        remember_inputs(tmp_path / name, **places)
    page = tmp_path / "page.html"
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--page", str(page), "--samples", "2"]) == 0
    assert "Page:" in capsys.readouterr().err
    text = page.read_text("utf-8")
    assert re.findall(r"<article><h3>(s\d)</h3>", text) == ["s3", "s2"]
    assert "largest difference in LPIPS_bg first" in text
