"""A method that changes the state of the process changes nothing in what is written, and finds its own state again."""

from __future__ import annotations

import contextlib
import json
import locale
import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageFile

from rses import RSES
from rses.bench import run_bench
from rses.errors import RsesError
from rses.methods import MethodCard, get_method
from rses.suites import load_suite

METRICS = ["mse_bg", "lpips_bg", "ssim_bg", "rsm", "style_correct"]


class Plain:
    card = MethodCard("plain", "inverts", mask_used=False)

    def load(self, device, dtype):
        pass

    def edit(self, batch):
        return [255 - sample.image for sample in batch]


def away():
    os.chdir("/")


def handlers():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def other_locale():
    for name in ("de_DE.UTF-8", "C"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            return


def streams():
    sys.stdout = open(os.devnull, "w", encoding="ascii")  # noqa: SIM115, PTH123
    sys.stdout.close()


def environment():
    os.environ["TZ"] = "Asia/Tokyo"
    os.environ["COLUMNS"] = "3"
    os.environ.pop("HOME", None)


CHANGES = {
    "cwd": away,
    "float16": lambda: torch.set_default_dtype(torch.float16),
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "tf32": lambda: torch.set_float32_matmul_precision("medium"),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "threads": lambda: torch.set_num_threads(3),
    "grad": lambda: torch.set_grad_enabled(False),
    "autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "mkldnn": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "seeds": lambda: (random.seed(0), np.random.seed(0), torch.manual_seed(0)),  # noqa: NPY002
    "locale": other_locale,
    "signals": handlers,
    "stdout": streams,
    "warnings": lambda: warnings.simplefilter("error"),
    "environment": environment,
    "umask": lambda: os.umask(0o777),
    "logging": lambda: logging.disable(logging.CRITICAL),
    "recursion": lambda: sys.setrecursionlimit(2000),
    "numpy": lambda: np.seterr(all="raise"),
    "pillow": lambda: setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True),
}


def read():
    return {
        "cwd": str(Path.cwd()), "dtype": torch.get_default_dtype(), "device": torch.get_default_device(),
        "deterministic": torch.get_deterministic_debug_mode(), "threads": torch.get_num_threads(),
        "grad": torch.is_grad_enabled(), "autocast": torch.is_autocast_enabled("cpu"),
        "mkldnn": torch.backends.mkldnn.enabled, "random": random.random(),
        "numpy-random": np.random.rand(),  # noqa: NPY002
        "torch-random": torch.rand(1, device="cpu", dtype=torch.float32).item(),
        "locale": locale.setlocale(locale.LC_ALL),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)), "stdout": sys.stdout,
        "warnings": warnings.filters[0][0] == "error",
        "environment": dict(os.environ), "logging": logging.root.manager.disable,
        "recursion": sys.getrecursionlimit(), "numpy": np.geterr(), "pillow": ImageFile.LOAD_TRUNCATED_IMAGES,
    }  # fmt: skip


def seed():
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)


def numbers(results):
    skipped = ("method",)
    return [
        {
            key: value.hex() if isinstance(value, float) else value
            for key, value in sample.to_dict().items()
            if key not in skipped
        }
        for sample in results.samples
    ]


def run(method, out):
    return run_bench(
        method, "mini", out, scorer=RSES("rses-mini", device="cpu", metrics=METRICS), device="cpu", limit=2
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return numbers(run(Plain(), tmp_path_factory.mktemp("plain") / "run"))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("where", ["load", "edit"])
def test_what_a_method_changes_shows_nowhere(change, where, plain, tmp_path, monkeypatch):
    class Changing(Plain):
        def load(self, device, dtype):
            if where == "load":
                CHANGES[change]()

        def edit(self, batch):
            if where == "edit":
                CHANGES[change]()
            return super().edit(batch)

    monkeypatch.chdir(tmp_path)
    seed()
    before = read()
    seed()
    results = run(Changing(), "run")
    after = read()
    assert after == before
    assert numbers(results) == plain
    assert (tmp_path / "run" / "summary.json").is_file()
    assert (tmp_path / "run" / "images").stat().st_mode & 0o700 == 0o700
    edits = [path for path in (tmp_path / "run" / "images").iterdir() if path.suffix == ".png"]
    assert len(edits) == 2
    assert all(path.stat().st_mode & 0o400 for path in edits)


def test_a_method_finds_its_own_state_again(tmp_path, monkeypatch):
    seen = []

    class Reading(Plain):
        def load(self, device, dtype):
            os.chdir("/")
            torch.set_default_dtype(torch.float64)
            os.environ["OF_THE_METHOD"] = "1"

        def edit(self, batch):
            seen.append((str(Path.cwd()), torch.get_default_dtype(), os.environ.get("OF_THE_METHOD")))
            return super().edit(batch)

    monkeypatch.chdir(tmp_path)
    run(Reading(), "run")
    assert set(seen) == {("/", torch.float64, "1")}
    assert "OF_THE_METHOD" not in os.environ


def test_a_failing_method_leaves_nothing_either(tmp_path, monkeypatch):
    class Failing(Plain):
        def edit(self, batch):
            os.chdir("/")
            torch.set_default_dtype(torch.float16)
            raise RuntimeError("no")

    monkeypatch.chdir(tmp_path)
    with pytest.raises(RsesError):
        run(Failing(), "run")
    assert str(Path.cwd()) == str(tmp_path)
    assert torch.get_default_dtype() == torch.float32


MODULE = """
    import os, subprocess, sys
    os.chdir("/")
    from rses.methods import MethodCard
    print("imported"); os.write(1, b"imported\\n"); subprocess.run(["echo", "imported by a child"])
    class Loud:
        card = MethodCard("loud", "prints", mask_used=False)
        def __init__(self): print("built", file=sys.__stdout__)
        def load(self, device, dtype): os.chdir("/tmp"); os.system("echo loading")
        def edit(self, batch):
            print("editing"); sys.__stdout__.write("unflushed"); os.write(1, b"raw")
            subprocess.run(["echo", "child"])
            return [255 - s.image for s in batch]
"""


def test_what_a_method_prints_stays_out_of_json(tmp_path):
    (tmp_path / "loud_method.py").write_text(textwrap.dedent(MODULE), "utf-8")
    command = [
        sys.executable, "-m", "rses.cli.main", "bench", "--method", "loud_method:Loud", "--suite", "mini",
        "--limit", "2",
        "--protocol", "rses-mini", "--device", "cpu", "--format", "json", "--out", "here",
    ]  # fmt: skip
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    for text in ("imported by a child", "loading", "unflushed", "raw", "child"):
        assert text in done.stderr
    assert (tmp_path / "here" / "summary.json").is_file()


def test_two_packages_with_one_name_are_both_named(monkeypatch):
    from importlib.metadata import EntryPoint

    entries = [EntryPoint("twin", f"{package}.method:Twin", "rses.methods") for package in ("first", "second")]
    monkeypatch.setattr("rses.plugins.entry_points", lambda group: entries)
    with pytest.raises(RsesError, match=r"first\.method:Twin.*second\.method:Twin"):
        get_method("twin")


def test_the_suite_is_still_found_when_it_was_given_relative(tmp_path, monkeypatch, plain):
    from rses.suites import export_suite

    export_suite("mini", tmp_path / "suite")
    monkeypatch.chdir(tmp_path)

    class Moving(Plain):
        def load(self, device, dtype):
            os.chdir("/")

    results = run_bench(
        Moving(),
        load_suite("suite"),
        "run",
        scorer=RSES("rses-mini", device="cpu", metrics=METRICS),
        device="cpu",
        limit=2,
    )
    assert numbers(results) == plain
