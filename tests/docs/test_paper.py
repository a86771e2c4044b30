"""The author's day: the commands of docs/paper.md run as they stand, and give table, figure, check and submission."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rses import load_run
from rses.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "paper.md").read_text("utf-8")
COMMANDS = [line.strip() for line in TEXT.splitlines() if line.startswith("    rses ")]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Output of each command by its name; all run in a folder of their own, which becomes the current one."""
    place, patch = tmp_path_factory.mktemp("paper"), pytest.MonkeyPatch()
    patch.chdir(place)
    patch.setenv("COLUMNS", "80")
    (make,) = [line.split()[1:] for line in TEXT.splitlines() if line.startswith("    python ")]
    subprocess.run([sys.executable, str(ROOT / make[0]), *make[1:]], check=True)
    output = {}
    for command in COMMANDS:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = main(shlex.split(command)[1:])
        assert code == 0, command
        output[command.split()[1]] = said.getvalue()
    yield output
    patch.undo()


def test_six_commands_without_renaming():
    assert [command.split()[1] for command in COMMANDS] == [
        "score",
        "table",
        "figure",
        "compare",
        "verify",
        "leaderboard",
    ]


def test_table_marks_what_is_significant(day):
    text = Path("table.tex").read_text("utf-8")
    assert "n = 36 samples, suite photos, protocol rses-mini" in text
    row = next(line for line in text.splitlines() if line.startswith("mosaic"))
    header = next(line for line in text.splitlines() if line.startswith("method"))
    columns = dict(zip(header.split(" & "), row.split(" & "), strict=True))
    assert "$^{+}$" in next(cell for title, cell in columns.items() if title.startswith("LPIPS"))
    assert "\\textbf" not in next(line for line in text.splitlines() if line.startswith("blur"))


def test_figure_check_and_submission(day):
    assert Path("figure.pdf").read_bytes().startswith(b"%PDF-")
    assert "mosaic: same, 6 samples scored again" in day["verify"]
    assert (Path("boards/results/photos--rses-mini/mosaic") / "submission.json").is_file()


def test_comparison_cuts_no_digit_at_80_columns(day):
    assert "…" not in day["compare"]
    assert max(len(line) for line in day["compare"].splitlines() if re.match(r" +[A-Z]", line)) <= 80


def test_several_methods_have_the_numbers_of_one(day, tmp_path):
    command = ["score", "--suite", "photos", "--protocol", "rses-mini", "--pred", "edits/mosaic", "--out"]
    assert main([*command, str(tmp_path / "alone")]) == 0
    assert load_run(tmp_path / "alone").samples == load_run("runs/mosaic").samples


def test_python_of_the_page_runs(day):
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.S | re.M)
    exec(compile(code, "paper.md", "exec"), {})
    assert Path("figure.png").read_bytes().startswith(b"\x89PNG")
