"""Contact sheets and statistics of suites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import load_suite, write_manifest
from rses.suites.own_folder import build_folder
from rses.suites.sheet import suite_statistics, write_sheet
from tests.helpers.refusals import refused


def _suite(root: Path):
    (root / "images").mkdir()
    (root / "masks").mkdir()
    for name, side in (("a", 10), ("b", 70)):
        Image.new("RGB", (128, 128), "white").save(root / "images" / f"{name}.png")
        mask = np.zeros((128, 128), np.uint8)
        mask[20 : 20 + side, 20 : 20 + side] = 255
        Image.fromarray(mask).save(root / "masks" / f"{name}.png")
    return build_folder(root / "images", root / "suite", ["x", "y"], masks=root / "masks", thing="<cat>", name="own")


def test_statistics(tmp_path: Path) -> None:
    found = suite_statistics(_suite(tmp_path))
    assert found["area"] == {"0% to 3%": 1, "25% to 50%": 1}
    assert found["style"] == {"x": 2, "y": 2}
    assert found["object"] == {"<cat>": 4}


def test_sheets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = _suite(tmp_path)
    arguments = ["suites", "show", str(suite.root), "--sheet", str(tmp_path / "s.png"), "--sheet"]
    assert main([*arguments, str(tmp_path / "s.html")]) == 0
    assert "samples  4\n  images   2" in capsys.readouterr().out
    picture = np.asarray(Image.open(tmp_path / "s.png"))
    assert picture.shape[1] == 512
    marked = (picture == (255, 0, 180)).all(axis=2)
    # Pictures are shown at twice their size; the outlines of squares of 20 and 140.
    assert marked[:, :256].sum() == 4 * 20 - 4
    assert marked[:, 256:].sum() == 4 * 140 - 4
    page = (tmp_path / "s.html").read_text()
    assert page.count("<figure>") == 2
    assert "make the &lt;cat&gt; in y style" in page
    assert "<cat>" not in page


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with refused(InputError, "wrong-ending"):
        write_sheet(load_suite("photos"), tmp_path / "sheet.pdf")


def test_no_escape_sequence_of_a_strangers_suite_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = _suite(tmp_path)
    text = (suite.root / "metadata.jsonl").read_text()
    (suite.root / "metadata.jsonl").write_text(text.replace("<cat>", "cat\\u001b]0;OWNED\\u0007"))
    write_manifest(suite.root, "nm\x1b[2J", "1", "none")
    for command in ("show", "verify"):
        assert main(["suites", command, str(suite.root)]) == 0
        shown = capsys.readouterr()
        assert "\x1b" not in shown.out + shown.err
        assert "nm" in shown.out
