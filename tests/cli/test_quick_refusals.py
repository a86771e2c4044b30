"""Wrong names and paths are refused before torch is imported, and nothing is written where it does not belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rses.cli.main import main
from rses.images.tensors import write_png
from rses.suites import export_suite

ROOT = str(Path(__file__).parents[2])
QUICK = """
import sys
from rses.cli.main import main
for command in {commands!r}:
    assert main(command) == 2, command
    assert "torch" not in sys.modules, command
"""


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)


@pytest.fixture
def case(tmp_path):
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    for role, array in (("pred", picture(1)), ("masks", mask), ("source", picture())):
        write_png(tmp_path / role / "a.png", array)
    return tmp_path


def score(root, out, *more):
    paths = [str(root / role) for role in ("pred", "masks", "source")]
    return main(
        [
            "score",
            "--pred",
            paths[0],
            "--masks",
            paths[1],
            "--source",
            paths[2],
            "--style",
            "pixel art",
            "--protocol",
            "rses-mini",
            "--metrics",
            "mse_bg",
            "--out",
            str(out),
            *more,
        ]
    )


def test_wrong_names_and_paths_need_no_torch(case):
    pred, masks, none = str(case / "pred"), str(case / "masks"), str(case / "none")
    given = ["score", "--pred", pred, "--masks", masks, "--style", "pixel art"]
    commands = [
        ["score", "--pred", none, "--masks", masks],
        given,  # no source
        [*given, "--protocol", "nope"],
        [*given, "--metrics", "nope"],
        ["score", "--pred", pred, "--suite", "nope"],
        ["score", "--pred", pred, "--suite", "mini"],
        ["bench", "--method", "nope"],
        ["bench", "--method", "identity", "--suite", "nope"],
        ["bench", "--method", "identity", "--protocol", "nope"],
        ["bench", "--predictions", none],
        ["compare", none, none],
        ["compare", none, "--page", "page.pdf"],
        ["report", none],
        ["report", none, "--out", str(case / "fig.png")],
        ["merge", none, "--out", str(case / "merged")],
        ["vlm", none],
        ["leaderboard", "build", "--boards", none],
        ["leaderboard", "add", none],
        ["leaderboard", "verify", none],
        ["suite", "build", "folder", "--images", none, "--out", str(case / "s"), "--styles", "pixel art"],
        ["suite", "build", "coco", "--root", none, "--out", str(case / "s"), "--styles", "pixel art"],
        ["suite", "mask", "--images", none, "--out", str(case / "m"), "--boxes", none],
        ["suite", "verify", none],
        ["suite", "show", "nope"],
        ["suite", "export", "nope", str(case / "s")],
    ]
    done = subprocess.run(
        [sys.executable, "-c", QUICK.format(commands=commands)],
        cwd=case,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in case.iterdir()) == ["masks", "pred", "source"]


@pytest.mark.parametrize("place", ["pred", "masks", "source", "pred/run", "masks/a/b", ".", "pred/../masks", "link"])
def test_a_run_is_not_written_among_what_it_reads(place, case, capsys):
    (case / "link").symlink_to(case / "source")
    before = sorted(case.rglob("*"))
    assert score(case, case / place) == 2
    assert "Choose another --out" in capsys.readouterr().err
    assert sorted(case.rglob("*")) == before


def test_a_neighbour_with_a_similar_name_is_another_place(case):
    assert score(case, case / "pred-run") == 0


@pytest.mark.parametrize("place", ["suite", "suite/images", "suite/run", "."])
@pytest.mark.parametrize("command", ["bench", "score", "data"])
def test_nothing_is_written_into_a_suite(command, place, tmp_path, capsys):
    from regionroute.cli.main import main as regionroute

    suite = export_suite("mini", tmp_path / "suite")
    before = sorted(tmp_path.rglob("*"))
    out = str(tmp_path / place)
    if command == "data":
        assert regionroute(["data", "--suite", str(suite), "--out", out, "--limit", "1"]) == 2
    elif command == "bench":
        assert (
            main(["bench", "--method", "identity", "--suite", str(suite), "--out", out, "--protocol", "rses-mini"]) == 2
        )
    else:
        given = ["score", "--pred", str(suite / "images"), "--suite", str(suite), "--protocol", "rses-mini"]
        assert main([*given, "--out", out]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_suite_and_masks_are_not_built_among_the_photographs(case, capsys):
    given = ["suite", "build", "folder", "--images", str(case / "source"), "--masks", str(case / "masks")]
    given += ["--styles", "pixel art"]
    assert main([*given, "--object", "cat", "--out", str(case / "masks" / "suite")]) == 2
    assert main([*given, "--object", "cat", "--out", str(case / "source" / "suite")]) == 2
    boxes = case / "boxes.csv"
    boxes.write_text("file_name,x,y,width,height\na.png,5,5,20,20\n")
    mask = ["suite", "mask", "--images", str(case / "source"), "--boxes", str(boxes), "--segmenter", "classical"]
    assert main([*mask, "--out", str(case / "source" / "m")]) == 2
    assert main([*mask, "--out", str(case)]) == 2
    assert capsys.readouterr().err.count("Choose another --out") == 4


@pytest.mark.parametrize("name", ["fig.png", "fig.jpg", "page.pdf", "page"])
def test_a_report_has_the_name_of_a_page(name, case, capsys):
    assert score(case, case / "run") == 0
    assert main(["report", str(case / "run"), "--out", str(case / name)]) == 2
    assert ".html" in capsys.readouterr().err
    assert not (case / name).exists()
    assert main(["report", str(case / "run"), "--out", str(case / "page.HTML"), "--samples", "0"]) == 0


@pytest.mark.parametrize("option", ["--out", "--attention-map"])
@pytest.mark.parametrize("name", ["x.jpg", "x.webp", "x"])
def test_an_edit_is_written_as_its_name_says(option, name, case, capsys):
    from regionroute.cli.main import main as regionroute

    command = ["edit", "--image", str(case / "source" / "a.png"), "--prompt", "make it in pixel art style"]
    assert regionroute([*command, option, str(case / name)]) == 2
    assert ".png" in capsys.readouterr().err
    assert not (case / name).exists()


@pytest.mark.parametrize("role", ["pred", "masks", "source"])
def test_names_that_are_not_utf8_are_refused_at_once(role, case, capsys):
    name = os.fsencode(str(case / role)) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(name)).write_bytes((case / role / "a.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    assert score(case, case / "run", "--allow-missing") == 2
    error = capsys.readouterr().err
    assert "caf\\xe9.png" in error
    assert "UTF-8" in error
    assert not (case / "run" / "summary.json").exists()


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"id": ' + "9" * 5000 + "}",
        '{"id": "a", "id": "b"}',
        '{"id": NaN}',
        '{"id": "\\ud800"}',
        '{"id": "a", "tags": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)
def test_odd_json_is_named_by_line(line, case, capsys):
    (case / "metadata.jsonl").write_text(line + "\n", "utf-8")
    folders = ["--pred", str(case / "pred"), "--masks", str(case / "masks")]
    assert main(["score", *folders, "--protocol", "rses-mini", "--metrics", "mse_bg"]) == 2
    assert "line 1" in capsys.readouterr().err
    # Where the flags say everything, it is ignored, and named.
    assert score(case, case / "run") == 0
    assert "metadata.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"name": NaN}', '{"a": 1, "a": 2}', "1" * 5000, '"\\udfff"', "\ufeff", "nul"]
)
def test_odd_json_is_no_traceback_in_any_file(content, case, capsys):
    assert score(case, case / "run") == 0
    root = export_suite("mini", case / "suite")
    capsys.readouterr()
    for path, command in [
        (case / "run" / "summary.json", ["compare", str(case / "run"), str(case / "run")]),
        (root / "suite.json", ["suite", "verify", str(root)]),
        (
            case / "styles.json",
            [
                "score",
                "--pred",
                str(case / "pred"),
                "--masks",
                str(case / "masks"),
                "--styles",
                str(case / "styles.json"),
            ],
        ),
        (
            case / "pred" / "method.json",
            ["bench", "--predictions", str(case / "pred"), "--protocol", "rses-mini", "--out", str(case / "b")],
        ),
        (
            case / "rule.json",
            [
                "suite",
                "build",
                "coco",
                "--root",
                str(case),
                "--out",
                str(case / "c"),
                "--styles",
                "x",
                "--selection",
                str(case / "rule.json"),
            ],
        ),
        (
            case / "boxes.json",
            [
                "suite",
                "mask",
                "--images",
                str(case / "source"),
                "--boxes",
                str(case / "boxes.json"),
                "--out",
                str(case / "m"),
            ],
        ),
        (
            case / "run" / "journal.jsonl",
            [
                "score",
                "--pred",
                str(case / "pred"),
                "--masks",
                str(case / "masks"),
                "--source",
                str(case / "source"),
                "--style",
                "pixel art",
                "--protocol",
                "rses-mini",
                "--metrics",
                "mse_bg",
                "--out",
                str(case / "run"),
            ],
        ),
    ]:
        path.write_text(content + "\n", "utf-8")
        assert main(command) == 2, path
        assert "Traceback" not in capsys.readouterr().err


def test_a_byte_order_mark_changes_nothing(case, capsys):
    mark = "\ufeff"
    assert score(case, case / "plain") == 0
    root = export_suite("mini", case / "suite")
    (root / "suite.json").write_text(mark + (root / "suite.json").read_text("utf-8"), "utf-8")
    assert main(["suite", "verify", str(root)]) == 0
    for name, text in (
        ("s.csv", "id,style\na,line art\n"),
        ("s.json", '{"a": "line art"}'),
        ("s.jsonl", '{"id": "a", "style": "line art"}'),
    ):
        (case / name).write_text(mark + text, "utf-8")
        assert (
            main(
                [
                    "score",
                    "--pred",
                    str(case / "pred"),
                    "--masks",
                    str(case / "masks"),
                    "--source",
                    str(case / "source"),
                    "--styles",
                    str(case / name),
                    "--protocol",
                    "rses-mini",
                    "--metrics",
                    "rsm",
                ]
            )
            == 0
        )
    (case / "pred" / "method.json").write_text(mark + json.dumps({"name": "mine"}), "utf-8")
    from rses.bench.predictions import Predictions

    assert Predictions(case / "pred").card.name == "mine"
    from regionroute.training.config import find_config, load_config

    toml = case / "c.toml"
    toml.write_text(mark + find_config("mini").read_text("utf-8"), "utf-8")
    assert load_config(toml).data.resolution == 128
