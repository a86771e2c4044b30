"""The regionroute command: exit codes, streams, start-up, and bad input to ``regionroute data``."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import rses
from regionroute.cli.main import main
from regionroute.data import read_pairs
from rses.cli import run
from rses.errors import InputError
from rses.suites import load_suite


@pytest.mark.parametrize("words", [["--help"], ["data", "--help"], ["--version"]])
def test_light_commands_import_nothing_heavy(words):
    script = (
        "import sys\nfrom regionroute.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
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


def test_seed_and_vary(tmp_path):
    def target(name, *words):
        assert main(["data", "--out", str(tmp_path / name), "--limit", "1", "--style", "cyberpunk", *words]) == 0
        return (tmp_path / name / "targets/mini-000-cat.png").read_bytes()

    plain = target("a")
    assert target("b", "--seed", "1") != plain
    assert target("c", "--vary") != target("d", "--vary", "--seed", "1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--style", "pixle art"), 'Did you mean "pixel art"'),
        (("--suite", "mni"), 'Did you mean "mini"'),
        (("--stylist", "global-stile"), 'Did you mean "global-style"'),
        (("--stylist", "no.such:Thing"), "Cannot import"),
        (("--feather", "-1"), "--feather"),
        (("--feather", "wide"), "--feather"),
        (("--limit", "0"), "--limit"),
        (("--seed", "-1"), "--seed"),
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


def test_ctrl_c_exits_130_and_the_work_goes_on(tmp_path):
    out = tmp_path / "pairs"
    words = [sys.executable, "-m", "regionroute.cli.main", "data", "--out", str(out), "--style", "expressionism"]
    # A parent that runs in the background (nohup, `&`) ignores SIGINT, and children inherit that.
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(out.glob("targets/*.png")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"kept in {out}" in err
    assert "Traceback" not in err
    assert not (out / "metadata.jsonl").exists()
    kept = len(list(out.glob("targets/*.png")))
    assert 1 <= kept < len(load_suite("mini"))


def raising(error):
    def stand_in(*arguments):
        raise error

    return stand_in


def test_messages_are_safe_and_bugs_are_not_hidden(monkeypatch, capsys):
    monkeypatch.setattr(run, "_run", raising(InputError("\x1b[2Jevil.png is missing")))
    assert main([]) == 2
    assert "\x1b" not in capsys.readouterr().err
    monkeypatch.setattr(run, "_run", raising(OSError(28, "No space left on device", "pairs/x.png")))
    assert main([]) == 2
    assert capsys.readouterr().err == "error: No space left on device: pairs/x.png\n"
    monkeypatch.setattr(run, "_run", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main([])
