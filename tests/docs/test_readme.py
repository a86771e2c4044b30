"""Every command of the README runs, in the order of the page; what needs a network or a GPU fails well."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import regionroute.cli.main
import rses.cli.main
from rses import load_run
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.suites import load_suite

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
LINES = re.sub(r" \\\n +", " ", README).splitlines()
COMMANDS = [line.split("  #")[0].strip() for line in LINES if line.startswith("    ")]
PROGRAMS = {"rses": rses.cli.main.main, "regionroute": regionroute.cli.main.main}
# Shortened, since the whole is what the boards and other tests run; of protocols, only rses-mini's weights are there.
MORE = {
    "rses bench": ["--limit", "1"],
    "rses score --pred ours": ["--protocol", "rses-mini"],
    "regionroute train": ["--set", "optimiser.steps=1", "--set", "run.overlay_every=0"],
}
OFFLINE = ("rses weights pull", "regionroute edit --variant flux-kontext")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Exit status of each command; its folder becomes the current one."""
    place, patch = tmp_path_factory.mktemp("readme"), pytest.MonkeyPatch()
    patch.chdir(place)
    patch.setenv("HF_HUB_OFFLINE", "1")
    _files(place)
    status = {}
    for command in COMMANDS:
        program, *arguments = shlex.split(command.replace('"..."', '"make the cat in pixel art style"'))
        if program in PROGRAMS:
            more = [word for start, words in MORE.items() if command.startswith(start) for word in words]
            with contextlib.redirect_stdout(io.StringIO()):
                status[command] = PROGRAMS[program]([*arguments, *more])
    yield status
    patch.undo()


def _files(place: Path) -> None:
    for number, sample in enumerate(load_suite("photos").samples[::9]):
        source = read_image(sample.image)
        for folder in ("images", "edits", "edits/ours", "edits/kontext"):
            write_png(place / folder / f"{number}.png", source if folder == "images" else 255 - source)
        (place / "masks").mkdir(exist_ok=True)
        (place / "masks" / f"{number}.png").write_bytes(Path(sample.mask).read_bytes())
    for name, folder in (("photo", "images"), ("edit", "edits"), ("mask", "masks")):
        (place / f"{name}.png").write_bytes((place / folder / "0.png").read_bytes())


def test_all_lines_are_commands_that_are_known():
    others = [command for command in COMMANDS if command.split()[0] not in PROGRAMS]
    assert others == ["git clone REPOSITORY rses", "cd rses", "make install", "source .venv/bin/activate"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.split()[0] in PROGRAMS])
def test_command_runs(day, command):
    assert day[command] == (2 if command.startswith(OFFLINE) else 0)


def test_what_the_commands_promise_is_there(day):
    assert Path("runs/first/report.html").is_file()
    assert Path("figure.pdf").read_bytes().startswith(b"%PDF-")
    assert all(Path(name).is_file() for name in ("where.png", "found.png", "found-overlay.png"))
    assert len(load_run("run").samples) == 4
    assert list(Path("runs/pixel-art").glob("*.safetensors"))


def test_the_python_of_the_page_runs(day):
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.S | re.M)
    assert '# or "rses-mini"' in code
    names: dict[str, object] = {}
    exec(compile(code.replace('"rses-v1"', '"rses-mini"'), "README.md", "exec"), names)
    assert np.isfinite(names["r"].rsm)  # type: ignore[attr-defined]
    assert (Path("run") / "summary.json").is_file()
