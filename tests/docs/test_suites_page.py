"""Every command and line of code on the page on suites runs, on layouts like the real ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from tests.helpers import layouts, scale
from tests.helpers.folder_hub import FolderHub

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "suites.md"


def commands() -> list[str]:
    return [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    rses ")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data sets of the page, small, in the current folder; a hub made of folders."""
    import datasets
    import huggingface_hub

    hub = FolderHub(tmp_path / "the-hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setenv("RSES_SUITE_CACHE", str(tmp_path / "cache"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    stock = scale.Stock(tmp_path / "stock", 40)
    scale.make("coco", here / "coco", 110, stock)
    scale.make("voc", here / "VOCdevkit" / "VOC2012", 24, stock)
    sets = here / "VOCdevkit" / "VOC2012" / "ImageSets" / "Segmentation"
    sets.mkdir(parents=True)
    (sets / "val.txt").write_text("".join(f"2007_{k:06d}\n" for k in range(24)))
    scale.make("big", here / "BIG", 4, stock)
    layouts.pie(here / "PIE-Bench", 4)
    layouts.brushbench(here / "BrushBench", 3)
    mask = np.zeros((30, 40), np.uint8)
    mask[4:20, 6:30] = 255
    for k in range(2):
        # With a thing in each box of boxes.csv, so that a segmenter finds something.
        picture = Image.new("RGB", (40, 30), (200, 200, 190))
        picture.paste((180, 20, 30), ((6, 6, 20, 12), (3, 3, 8, 8))[k])
        (here / "photos" / "images").mkdir(parents=True, exist_ok=True)
        picture.save(here / "photos" / "images" / f"{k}.jpg", quality=95)
        (here / "photos" / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(here / "photos" / "masks" / f"{k}.png")
    (here / "cutouts").mkdir()
    Image.merge("RGBA", [Image.fromarray(mask)] * 4).save(here / "cutouts" / "dog.png")
    (here / "boxes.csv").write_text(
        "file_name,x,y,width,height,object\n0.jpg,3,4,20,10,cat\n1.jpg,1,1,9,9,dog\n", encoding="utf-8"
    )
    return here


@pytest.mark.slow
def test_every_command_of_the_page_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(commands()) > 15
    for command in commands():
        assert main(shlex.split(command)[1:]) == 0, f"{command}\n{capsys.readouterr().err}"
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(block, names)
    assert len(names["rows"]) == len(names["suite"]) == 200
    original = (place / "suites/coco/suite.json").read_bytes()
    for copy in ("coco-copy", "from-hub", "again"):
        assert (place / "suites" / copy / "suite.json").read_bytes() == original
    assert (place / "coco.html").is_file()
    assert (place / "coco.png").is_file()


def test_the_page_names_what_the_paper_leaves_open_and_all_settings() -> None:
    text = PAGE.read_text()
    for file in sorted((ROOT / "benchmark_data" / "selections").glob("*.json")):
        assert f"`{file.stem}`" in text
    from rses.suites.selection import ALLOWED, RULE

    for name in (RULE, *ALLOWED):
        assert f"`{name}`" in text
