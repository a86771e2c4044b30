"""``regionroute data`` and what all of the program's commands have in common: exit codes, streams, start-up."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rses
from regionroute.cli.main import main
from regionroute.data import builder, read_pairs


def test_light_commands_import_nothing_heavy():
    script = (
        "import sys\nfrom regionroute.cli.main import main\n"
        "for words in (['--help'], ['data', '--help'], ['--version']):\n    assert main(words) == 0\n"
        "heavy = {'torch', 'numpy', 'scipy', 'PIL', 'rich', 'diffusers', 'peft', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"regionroute {rses.__version__}\n"
    assert main(["-h"]) == 0
    assert "data " in capsys.readouterr().out


def test_data_prints_the_folder_and_nothing_else(tmp_path, capsys):
    out = tmp_path / "pairs"
    assert main(["data", "--suite", "mini", "--out", str(out), "--limit", "2", "--style", "line-art"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}\n"
    assert captured.err.startswith("2 pairs in ")
    assert [pair.style for pair in read_pairs(out)] == ["line art"] * 2


def test_seed_and_vary_reach_the_builder(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(builder, "build_pairs", lambda *a, **options: asked.append(options) or 1)
    for words in ([], ["--seed", "1"], ["--vary"], ["--vary", "--seed", "1"]):
        assert main(["data", "--out", str(tmp_path), *words]) == 0
    assert [(own["seed"], own["style_seed"]) for own in asked] == [(0, 0), (1, 1), (0, None), (1, None)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--style", "pixle art"), 'Did you mean "pixel art"'),
        (("--suite", "mni"), 'Did you mean "mini"'),
        (("--stylist", "no.such:Thing"), "Cannot import"),
        (("--feather", "wide"), "--feather"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_mistakes_exit_2_with_one_message(capsys, tmp_path, words, message):
    out = tmp_path / "out"
    assert main(["data", "--out", str(out), *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert not out.exists()


def test_the_folder_must_be_given(capsys):
    assert main(["data"]) == 2
    assert "--out" in capsys.readouterr().err


def test_ctrl_c_exits_130_and_the_work_goes_on(tmp_path, monkeypatch, capsys):
    out, made, make = tmp_path / "pairs", [], builder._make

    def stop_at_the_second(*arguments):
        if made:
            raise KeyboardInterrupt
        made.append(make(*arguments))

    monkeypatch.setattr(builder, "_make", stop_at_the_second)
    assert main(["data", "--out", str(out), "--limit", "3"]) == 130
    assert f"kept in {out}" in capsys.readouterr().err
    assert not (out / "metadata.jsonl").exists()
    assert len(list(out.glob("targets/*.png"))) == 1
    monkeypatch.undo()
    assert main(["data", "--out", str(out), "--limit", "3"]) == 0
    assert len(read_pairs(out)) == 3
