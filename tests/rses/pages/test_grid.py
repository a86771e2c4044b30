"""Tables in every format, cell by cell, and the ticks of charts."""

from __future__ import annotations

import csv
import io

import pytest

from rses.files.escape import clean, escape_csv, escape_latex, escape_markdown
from rses.pages.charts import nice_ticks
from rses.pages.grid import Grid, Raw, Value, printed

EVIL = '=cmd|"/c calc"!A1 <script>alert(1)</script> $\\input{x}$ a|b\n\x1b[31mred\u202e'
GRID = Grid(["m", "x_bg ↓", "y"], [["a_b", Value("0.5", "[0, 1]", 1), Value("-")], [EVIL, Value("2", place=2), "z"]])


def test_markdown():
    header, line, first, second = GRID.markdown().splitlines()
    assert (header, line) == ("| m | x\\_bg ↓ | y |", "|:---|---:|---:|")
    assert first == "| a\\_b | **0.5** \\[0, 1\\] | - |"
    assert second.endswith(" | <ins>2</ins> | z |")
    assert len(second.replace("\\|", "").split("|")) == 5
    assert "\\<script\\>" in second


@pytest.mark.parametrize(
    ("small", "cell"),
    [("beside", "\\textbf{0.5} {\\scriptsize [0, 1]}"), ("none", "\\textbf{0.5}"), ("below", "\\textbf{0.5}")],
)
def test_latex(small, cell):
    text = GRID.latex("title\n", ["50 %"], small=small, comments=["one", "two"])
    assert text.startswith("% title \n% needs \\usepackage{booktabs}\n\\begin{tabular}{lrr}\n\\toprule\n")
    assert "m & x\\textsubscript{bg} $\\downarrow$ & y \\\\\n\\midrule\n" in text
    assert f"a\\_b & {cell} & -- \\\\ % one\n" in text
    assert (" & {\\scriptsize {[}0, 1]} &  \\\\" in text) is (small == "below")
    assert "\\underline{2} & z \\\\ % two\n\\bottomrule\n\\end{tabular}\n% 50 %\n" in text
    assert "\\input" not in text
    sections = Grid([Raw("$n$"), "b"], ["one_", ["c", "d"]]).latex("t")
    assert "$n$ & b \\\\\n\\midrule\n\\multicolumn{2}{l}{\\emph{one\\_}} \\\\\nc & d \\\\\n\\bottomrule" in sections


def test_csv_keeps_numbers_and_guards_text():
    text = Grid(["a", "=b"], [[EVIL, 0.1 + 0.2], [None, -1]]).csv()
    header, first, second = csv.reader(io.StringIO(text))
    assert header == ["a", "'=b"]
    assert first[0].startswith("'=cmd")
    assert float(first[1]) == 0.1 + 0.2
    assert second == ["", "-1"]


@pytest.mark.parametrize("color", [False, True])
def test_terminal(color):
    text = printed([GRID.terminal(color, grouped=True)], 100, color)
    assert ("0.5*" in text) is not color
    assert "[0, 1]" in text
    assert "\u202e" not in text
    assert "\x1b[31mred" not in text


@pytest.mark.parametrize("prefix", ["=", "+", "-", "@", "\t", "\r", " ="])
def test_no_cell_of_text_is_a_formula(prefix):
    assert escape_csv(prefix + "1").startswith("'")


def test_escapes():
    assert escape_latex("#1 ~ {x}^2 \\y") == r"\#1 \textasciitilde{} \{x\}\textasciicircum{}2 \textbackslash{}y"
    assert escape_markdown("[a](b) `c`") == r"\[a\](b) \`c\`"
    assert clean("a\r\nb\udcff") == "a  b\ufffd"


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.01, 0.04), (1e-7, 3e-6), (6.0, 67.0), (0.9999, 1.0)])
def test_ticks_are_inside_ordered_and_few(low, high):
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(ticks)
    assert low - 1e-9 <= ticks[0]
    assert ticks[-1] <= high + 1e-9
