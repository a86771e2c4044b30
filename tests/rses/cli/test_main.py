"""Exit codes, streams and start-up of the command line, without weights."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rses.cli import run
from rses.cli.common import Interrupted, emit, keeping, note, quiet_stdout
from rses.cli.main import main
from rses.errors import InputError
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )


@pytest.mark.parametrize(
    "words",
    [["--help"], ["score", "--help"], ["compare", "--help"], ["leaderboard", "--help"], ["protocols"], ["metrics"]],
)
def test_light_commands_import_nothing_heavy(words):
    script = (
        "import sys\nfrom rses.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
        "heavy = {'torch', 'pandas', 'datasets', 'numpy', 'scipy', 'PIL', 'pyarrow', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = python("-c", script)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def runs(tmp_path):
    for name, shift in (("first", 0.0), ("second", 0.1)):
        samples = [SampleResult(f"s{i}", mse_bg=i / 10 + shift) for i in range(8)]
        Results(samples, {"method": name}).save(tmp_path / name)
    return tmp_path


def test_compare_and_report_on_saved_runs(runs, capsys):
    assert main(["compare", str(runs / "first"), str(runs / "second"), "--format", "csv"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert row.startswith("first,second,mse_bg,")
    assert float(row.split(",")[header.split(",").index("difference")]) == pytest.approx(0.1)
    page = runs / "both.html"
    assert main(["report", str(runs / "first"), str(runs / "second"), "--out", str(page)]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(page)
    assert "images were not found" in captured.err
    assert "2 methods compared" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "--pred", "p"], "--masks DIR"),
        (["score", "--pred", "p", "--masks", "m", "--suite", "mini"], "not both"),
        (["score", "--pred", "p", "--masks", "m", "--style", "a", "--styles", "b"], "not both"),
        (["score", "--pred", "p", "--masks", "m", "--region", "croop"], 'Did you mean "crop"'),
        (["score", "--pred", "p", "--masks", "m", "--metrics", "rms"], 'Did you mean "rsm"'),
        (["score", "--pred", "p", "--masks", "m", "--ignore-band", "-1"], "--ignore-band"),
        (["compare"], "RUN"),
        (["bench", "--method", "identity", "--limit", "0"], "--limit"),
        (["metrics", "show", "psnr"], "psnr_bg"),
    ],
)
def test_mistakes_exit_2_with_nothing_on_stdout(words, message, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def raising(error):
    def stand_in(*arguments):
        raise error

    return stand_in


def test_interruption_says_what_was_kept(tmp_path, monkeypatch, capsys):
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(Interrupted) as stopped, keeping(tmp_path):
        raise KeyboardInterrupt
    monkeypatch.setattr(run, "_run", raising(stopped.value))
    assert main([]) == 130
    assert f"kept in {tmp_path}" in capsys.readouterr().err
    with pytest.raises(Interrupted) as stopped, keeping(None):
        raise KeyboardInterrupt
    monkeypatch.setattr(run, "_run", raising(stopped.value))
    assert main([]) == 130
    assert "nothing was kept" in capsys.readouterr().err


def test_file_names_cannot_send_escape_sequences(monkeypatch, capsys):
    monkeypatch.setattr(run, "_run", raising(InputError(["\x1b[2Jevil.png is missing", "b is empty"])))
    assert main([]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert err.count("\n") == 3


def test_a_full_disk_is_a_message(monkeypatch, capsys):
    monkeypatch.setattr(run, "_run", raising(OSError(28, "No space left on device", "run/samples.parquet")))
    assert main([]) == 2
    assert capsys.readouterr().err == "error: No space left on device: run/samples.parquet\n"


def test_programming_errors_are_not_hidden(monkeypatch):
    monkeypatch.setattr(run, "_run", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main([])


def test_output_survives_a_terminal_without_unicode():
    done = python("-m", "rses.cli.main", "metrics", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "lpips_bg" in done.stdout
    assert "\\xb0" in done.stdout


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m rses.cli.main suites show mini | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_method_that_closes_its_output_leaves_ours_open(capsys):
    before = sys.stderr
    with quiet_stdout():
        print("noise")
        sys.stdout.close()
    note("ours")
    emit("result")
    assert sys.stderr is before
    assert (capsys.readouterr().out, before.closed) == ("result\n", False)
