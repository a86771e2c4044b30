"""Wrong names and paths are refused before torch is imported, and nothing is written where it does not belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regionroute.cli.main import main as regionroute
from regionroute.training.config import find_config, load_config
from rses.bench.predictions import Predictions
from rses.cli.main import main
from tests.helpers.small import write_suite

ROOT = str(Path(__file__).parents[2])
QUICK = """
import sys
from {program}.cli.main import main
for command in {commands!r}:
    assert main(command) == 2, command
    assert "torch" not in sys.modules, command
"""
PIXELS = "--source images --style pixel-art --protocol rses-mini"


@pytest.fixture
def here(case, monkeypatch) -> Path:
    """The folder of the case, without metadata, as the current one."""
    (case.root / "metadata.jsonl").unlink()
    monkeypatch.chdir(case.root)
    return case.root


def score(out: object, more: str = PIXELS, metrics: str = "mse_bg") -> int:
    return main(["score", "--pred", "pred", "--masks", "masks", "--metrics", metrics, "--out", str(out), *more.split()])


def test_wrong_names_and_paths_need_no_torch(here):
    given = "score --pred pred --masks masks --style art"
    commands = [command.split() for command in (
        "score --pred none --masks masks", given, f"{given} --protocol nope", f"{given} --metrics nope",
        f"{given} --device gpu", f"{given} --batch-size 0", f"{given} --threshold 2", f"{given} --backbone nope",
        "bench --method identity --shard 9/2", "bench --method identity --dtype int8", "bench --method a --engine x",
        "bench --method identity --set x", "bench --method identity --device gpu",
        "score --pred pred --suite nope", "score --pred pred --suite mini", "bench --method nope",
        "bench --method identity --suite nope", "bench --method identity --protocol nope", "bench --predictions none",
        "compare none none", "compare none --page page.pdf", "report none", "report none --out fig.png",
        "merge none --out merged", "vlm none", "leaderboard build --boards none", "leaderboard add none",
        "leaderboard verify none", "suites build folder --images none --out s --styles art",
        "suites build coco --root none --out s --styles art", "suites mask --images none --out m --boxes none",
        "suites verify none", "suites show nope", "suites export nope s",
        "table none", "figure none --out f.pdf", "verify none", "doctor --protocol nope",
        "leaderboard serve --boards none", "validate --protocol nope", "validate --suite nope",
        "validate --device gpu", "bench", "bench --method nope.py:X", "bench --method nope.nope:X",
        "bench --predictions pred --set a=1",
        # No weights: the protocol is rses-v1.
        "bench --method identity", "validate", f"{given} --source images",
    )]  # fmt: skip
    _refused_quickly("rses", commands, here)


def test_wrong_names_and_paths_of_regionroute_need_no_torch(here):
    edit = ["edit", "--image", "images/a.png", "--prompt", "make it in pixel art style"]
    others = ("edit --image none --prompt art", "train --config nope", "train --config mini --style art --pairs pred",
              "train --config mini --style pixel-art --pairs none", "data --suite nope --out p",
              "data --suite mini --style nope --out p", "gate --experts none --pairs pred",
              "gate --experts pred --pairs none")  # fmt: skip
    wrong = ("--device gpu", "--dtype int8", "--experts none", "--mask m.png", "--out x.jpg")
    commands = [[*edit, *more.split()] for more in wrong] + [command.split() for command in others]
    _refused_quickly("regionroute", commands, here)


def _refused_quickly(program, commands, here):
    code = QUICK.format(program=program, commands=commands)
    nowhere = {"HF_HOME": str(here / "none"), "TORCH_HOME": str(here / "none"), "RSES_WEIGHTS": ""}
    environment = {**os.environ, **nowhere, "PYTHONPATH": ROOT}
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["images", "masks", "pred"]


@pytest.mark.parametrize("place", ["pred", "masks", "images", "pred/run", "masks/a/b", ".", "pred/../masks", "link"])
def test_a_run_is_not_written_among_what_it_reads(place, here, capsys):
    (here / "link").symlink_to(here / "images")
    before = sorted(here.rglob("*"))
    assert score(here / place) == 2
    assert "Choose another --out" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_a_neighbour_with_a_similar_name_is_another_place(here):
    assert score(here / "pred-run") == 0


@pytest.mark.parametrize("place", ["suite", "suite/images", "suite/run", "."])
@pytest.mark.parametrize(("program", "command"), [
    (main, "bench --method identity --suite suite --protocol rses-mini"),
    (main, "score --pred suite/images --suite suite --protocol rses-mini"),
    (regionroute, "data --suite suite --limit 1"),
], ids=["bench", "score", "data"])  # fmt: skip
def test_nothing_is_written_into_a_suite(program, command, place, here, capsys):
    write_suite(here / "suite")
    before = sorted(here.rglob("*"))
    assert program([*command.split(), "--out", place]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("command", [
    "build folder --masks masks --styles art --object cat --out masks/suite",
    "build folder --masks masks --styles art --object cat --out images/suite",
    "mask --boxes boxes.csv --segmenter classical --out images/m",
    "mask --boxes boxes.csv --segmenter classical --out .",
])  # fmt: skip
def test_a_suite_and_masks_are_not_made_among_the_photographs(command, here, capsys):
    (here / "boxes.csv").write_text("file_name,x,y,width,height\na.png,5,5,20,20\n")
    assert main(["suites", *command.split(), "--images", "images"]) == 2
    assert "Choose another --out" in capsys.readouterr().err


def test_a_report_has_the_name_of_a_page(here, capsys):
    assert score(here / "run") == 0
    for name in ("fig.png", "fig.jpg", "page.pdf", "page"):
        assert main(["report", "run", "--out", name]) == 2
        assert ".html" in capsys.readouterr().err
        assert not (here / name).exists()
    assert main(["report", "run", "--out", "page.HTML", "--samples", "0"]) == 0


@pytest.mark.parametrize("option", ["--out", "--attention-map"])
@pytest.mark.parametrize("name", ["x.jpg", "x.webp", "x"])
def test_an_edit_is_written_as_its_name_says(option, name, here, capsys):
    command = ["edit", "--image", "images/a.png", "--prompt", "make it in pixel art style"]
    assert regionroute([*command, option, name]) == 2
    assert ".png" in capsys.readouterr().err
    assert not (here / name).exists()


@pytest.mark.parametrize("role", ["pred", "masks", "images"])
def test_names_that_are_not_utf8_are_refused_at_once(role, here, capsys):
    try:
        Path(os.fsdecode(os.fsencode(here / role) + b"/caf\xe9.png")).write_bytes((here / role / "a.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    assert score(here / "run", f"{PIXELS} --allow-missing") == 2
    error = capsys.readouterr().err
    assert "caf\\xe9.png" in error
    assert "UTF-8" in error
    assert not (here / "run" / "summary.json").exists()


@pytest.mark.parametrize("line", [
    "[" * 100_000, '{"id": ' + "9" * 5000 + "}", '{"id": "a", "id": "b"}', '{"id": NaN}', '{"id": "\\ud800"}',
    '{"id": "a", "tags": ' + "[" * 5000 + "]" * 5000 + "}",
], ids=range(6))  # fmt: skip
def test_odd_json_is_named_by_line(line, here, capsys):
    (here / "metadata.jsonl").write_text(line + "\n", "utf-8")
    assert score(here / "run", "--protocol rses-mini") == 2
    assert "line 1" in capsys.readouterr().err
    # Where the flags say everything, it is ignored, and named.
    assert score(here / "run") == 0
    assert "metadata.jsonl" in capsys.readouterr().err


READERS = {
    "run/summary.json": "compare run run",
    "suite/suite.json": "suites verify suite",
    "styles.json": "score --pred pred --masks masks --styles styles.json",
    "pred/method.json": "bench --predictions pred --protocol rses-mini --out b",
    "rule.json": "suites build coco --root . --out c --styles x --selection ./rule.json",
    "boxes.json": "suites mask --images images --boxes boxes.json --out m",
    "run/journal.jsonl": f"score --pred pred --masks masks --metrics mse_bg --out run {PIXELS}",
}


def test_odd_json_is_no_traceback_in_any_file(here, capsys):
    assert score(here / "run") == 0
    write_suite(here / "suite")
    for content in ("[" * 100_000, '{"name": NaN}', '{"a": 1, "a": 2}', "1" * 5000, '"\\udfff"', "\ufeff", "nul"):
        for name, command in READERS.items():
            (here / name).write_text(content + "\n", "utf-8")
            assert main(command.split()) == 2, (name, content[:20])
            assert "Traceback" not in capsys.readouterr().err


def test_a_byte_order_mark_changes_nothing(here):
    mark = "\ufeff"
    root = write_suite(here / "suite")
    (root / "suite.json").write_text(mark + (root / "suite.json").read_text("utf-8"), "utf-8")
    assert main(["suites", "verify", str(root)]) == 0
    rows = [{"id": name, "style": "line art"} for name in "abc"]
    for name, text in (
        ("s.csv", "id,style\n" + "".join(f"{row['id']},line art\n" for row in rows)),
        ("s.json", json.dumps({row["id"]: "line art" for row in rows})),
        ("s.jsonl", "\n".join(map(json.dumps, rows))),
    ):
        (here / name).write_text(mark + text, "utf-8")
        options = f"--source images --protocol rses-mini --styles {name}"
        assert score(here / f"run-{name}", options, "rsm") == 0
    (here / "pred" / "method.json").write_text(mark + json.dumps({"name": "mine"}), "utf-8")
    assert Predictions(here / "pred").card.name == "mine"
    (here / "c.toml").write_text(mark + find_config("mini").read_text("utf-8"), "utf-8")
    assert load_config(here / "c.toml").data.resolution == 128
