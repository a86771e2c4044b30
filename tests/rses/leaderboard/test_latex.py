"""LaTeX of boards: parsed everywhere, and set by a real engine where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from rses.leaderboard.board import load_boards
from rses.leaderboard.pack import add_run
from rses.leaderboard.published import PublishedRow
from rses.leaderboard.tables import LATEX_LETTERS, board_latex, latex_text, published_latex

ENGINE = shutil.which("pdflatex")
NAMES = (
    r"\input{/etc/passwd}", "[1pt] bracket", "*star", r"50% & #1 $x_y^2$ ~{brace}", 'say "hi" <now> | back\\',
    "naïve Łódź \u4e2d\u6587",
    r"\end{tabular}\end{document}",
)  # fmt: skip
ALLOWED = {
    "begin", "end", "toprule", "midrule", "bottomrule", "multicolumn", "emph", "textbf", "underline", "scriptsize",
    "textsubscript", "uparrow", "downarrow", "circ", "pm", "textbackslash", "textasciitilde", "textasciicircum",
    "textless", "textgreater", "textbar",
}  # fmt: skip


@pytest.fixture
def hostile(tmp_path, make_run):
    root = tmp_path / "leaderboards"
    for number, name in enumerate(NAMES):
        add_run(make_run(name, noise=number, style=0.05 * number), root, date="2026-02-19", previews=0)
    for seed in (0, 1):
        add_run(make_run("seeds", noise=20, seed=seed, mask_used=True), root, date="2026-02-19", previews=0)
    return load_boards(root)[0]


def parsed(text: str) -> list[list[str]]:
    """Rows of cells, after checking that nothing but known commands is left and all braces are closed."""
    assert text.isascii() or re.fullmatch(r"[\x00-\u017f–↑↓°†±]*", "\n".join(uncommented(text)))
    body = "\n".join(uncommented(text))
    assert set(re.findall(r"\\([a-zA-Z]+)", body)) <= ALLOWED
    plain = re.sub(r"\\[\\%&#_{}$]", "", body)
    depth = 0
    for char in plain:
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    assert "%" not in plain
    assert "#" not in plain
    rows = [line for line in body.splitlines() if line.endswith(r" \\") and "multicolumn" not in line]
    for row in rows:
        # Nothing that \\ of the row above would take for its own.
        assert not row.lstrip().startswith(("[", "*"))
    return [re.split(r"(?<!\\)&", row) for row in rows]


def uncommented(text: str) -> list[str]:
    return [re.sub(r"(?<!\\)%.*", "", line) for line in text.splitlines()]


@pytest.mark.parametrize("intervals", [False, True])
def test_every_table_is_balanced_escaped_and_even(hostile, intervals):
    text = board_latex(hostile, intervals)
    rows = parsed(text)
    columns = len(re.search(r"\\begin\{tabular\}\{(l[r]+)\}", text).group(1))
    assert {len(row) for row in rows} == {columns}
    assert len(rows) == 1 + (2 if intervals else 1) * 8
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1
    for command in ("\\toprule", "\\bottomrule"):
        assert text.count(command) == 1
    assert ("\\scriptsize" in text) is intervals
    assert ("$\\pm$" in text) is intervals


def test_published_rows_are_escaped_too():
    numbers = dict.fromkeys(("rsm", "lpips_bg", "mse_bg", "vlm_q1", "vlm_q2", "vlm_q3", "vlm_q4"), "0.5")
    rows = [PublishedRow("[main", "50% of #1", name, numbers, "a % source\\") for name in NAMES]
    assert {len(row) for row in parsed(published_latex(rows))} == {10}


def run_engine(tmp_path, tables):
    body = "\n\n".join(f"\\resizebox{{\\linewidth}}{{!}}{{{table}}}" for table in tables)
    document = (
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage{graphicx}\n\\begin{document}\n"
        f"\\setlength{{\\parindent}}{{0pt}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "table.tex").write_text(document, "utf-8")
    quiet = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run([ENGINE, *quiet, "table.tex"], cwd=tmp_path, capture_output=True, timeout=120)
    if b"booktabs.sty' not found" in done.stdout:
        pytest.skip("LaTeX has no booktabs")
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:]
    return (tmp_path / "table.pdf").read_bytes(), done.stdout.decode("utf-8", "replace")


@pytest.mark.slow
@pytest.mark.skipif(not ENGINE, reason="no LaTeX engine on the PATH")
def test_a_real_engine_sets_the_tables(tmp_path, hostile):
    published = [PublishedRow("main", "COCO", name, {"rsm": "0.6"}, "source") for name in NAMES]
    tables = [board_latex(hostile), board_latex(hostile, intervals=True), published_latex(published)]
    pdf, log = run_engine(tmp_path, tables)
    assert pdf.startswith(b"%PDF")
    assert "Overfull" not in log
    assert "passwd" not in log


@pytest.mark.slow
@pytest.mark.skipif(not ENGINE, reason="no LaTeX engine on the PATH")
def test_a_real_engine_sets_every_letter_that_is_let_through(tmp_path):
    letters = sorted(char for char in LATEX_LETTERS if char.isprintable())
    rows = "\n".join(f"{latex_text(char)} & {latex_text(char * 2)} \\\\" for char in letters)
    run_engine(tmp_path, [f"\\begin{{tabular}}{{ll}}\n{rows}\n\\end{{tabular}}"])
