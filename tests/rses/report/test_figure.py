"""The figure of a paper: which samples, where the pictures lie, and the three files."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.images.tensors import write_png
from rses.report.figure import choose_samples, write_figure
from rses.report.figure_page import DENSITY, fitted
from rses.report.inputs import SampleFiles
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from tests.helpers.refusals import refused

SIZE = 16


@pytest.fixture
def runs(tmp_path: Path) -> tuple[list[Results], list[dict[str, SampleFiles]]]:
    """Two methods on three tiny samples; each edit has one colour of its own."""
    mask = np.zeros((SIZE, SIZE), bool)
    mask[4:12, 4:12] = True
    rng = np.random.default_rng(0)
    for number in range(3):
        write_png(tmp_path / "images" / f"s{number}.png", rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
        write_png(tmp_path / "masks" / f"s{number}.png", mask)
        for method, colour in (("first", (200, 0, 0)), ("second", (0, 0, 200))):
            edit = np.full((SIZE, SIZE, 3), colour, np.uint8)
            edit[0, 0] = number
            write_png(tmp_path / method / f"s{number}.png", edit)
    found, files = [], []
    for method, values in (("first", (0.1, 0.2, 0.3)), ("second", (0.3, 0.2, 0.1))):
        samples = [
            SampleResult(f"s{i}", style="pixel art", object="café", mse_bg=v, style_correct=i == 0)
            for i, v in enumerate(values)
        ]
        found.append(Results(samples, {"method": method}))
        files.append(
            {s.id: SampleFiles(*(tmp_path / f / f"{s.id}.png" for f in (method, "images", "masks"))) for s in samples}
        )
    return found, files


def test_samples_are_chosen_by_the_first_run(runs):
    both = runs[0]
    assert choose_samples(both, best=1) == ["s0"]
    assert choose_samples(both, worst=1) == ["s2"]
    assert choose_samples(both, best=1, ids=["s1"]) == ["s1", "s0"]
    assert choose_samples(both) == ["s0", "s1", "s2"]
    with pytest.raises(InputError, match='Did you mean "s1"'):
        choose_samples(both, ids=["s11"])


def test_png_shows_the_edits_in_order_with_hard_pixels(runs, tmp_path):
    write_figure(*runs, tmp_path / "f.png", ids=["s1"], metrics="mse_bg,style_correct")
    image = np.asarray(Image.open(tmp_path / "f.png"))
    third = image.shape[1] // 3
    for place, colour in ((1, (200, 0, 0)), (2, (0, 0, 200))):
        part = image[:, place * third + 20 : (place + 1) * third - 20].reshape(-1, 3)
        assert (part == colour).all(axis=1).mean() > 0.5
    # One source pixel stays one square: the corner pixel is as large as its neighbours, without shades between.
    corner = (image == 1).all(axis=2).sum()
    assert corner == pytest.approx(2 * (132 * DENSITY / SIZE) ** 2, rel=0.1)


def test_svg_holds_text_and_small_pictures_as_squares(runs, tmp_path):
    write_figure(*runs, tmp_path / "f.svg", ids=["s0"], metrics="style_correct,mse_bg", names={"first": "Ours <b>"})
    root = ElementTree.fromstring((tmp_path / "f.svg").read_bytes())
    texts = [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:3] == ["source", "Ours <b>", "second"]
    assert {"café, pixel art", "style acc. yes", "MSE_bg 0.100"} <= set(texts)
    images = list(root.iter("{http://www.w3.org/2000/svg}image"))
    assert len(images) == 3
    assert "pixelated" in images[1].get("style", "")


def test_pdf_is_well_formed_lossless_and_its_font_is_embedded(runs, tmp_path):
    write_figure(*runs, tmp_path / "f.pdf", ids=["s0"], metrics="mse_bg")
    data = (tmp_path / "f.pdf").read_bytes()
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF", data).group(1))
    places = [int(place) for place in re.findall(rb"^(\d{10}) 00000 n", data[start:], re.M)]
    for number, place in enumerate(places, start=1):
        assert data[place:].startswith(f"{number} 0 obj\n".encode())
    streams = [zlib.decompress(found) for found in re.findall(rb"stream\n(.*?)\nendstream", data, re.S)]
    assert b"(cafe, pixel art) Tj" in streams[0]
    assert b"FontFile2" in data
    edit = np.full((SIZE, SIZE, 3), (200, 0, 0), np.uint8)
    edit[0, 0] = 0
    assert edit.tobytes() in streams


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_runs_give_the_same_bytes(runs, tmp_path, suffix):
    for name in ("a", "b"):
        write_figure(*runs, tmp_path / f"{name}.{suffix}", best=1, worst=1)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_what_cannot_be_drawn_is_refused(runs, tmp_path):
    found, files = runs
    with refused(InputError, "wrong-ending"):
        write_figure(found, files, tmp_path / "f.jpg")
    with refused(InputError, "missing-file"):
        write_figure(found, None, tmp_path / "f.png")
    with pytest.raises(InputError, match="not found for second"):
        write_figure(found, [files[0], {"s1": files[1]["s1"]}], tmp_path / "f.png", ids=["s0"])
    assert not (tmp_path / "f.png").exists()


def test_long_names_become_smaller_then_shorter():
    assert fitted("method", 8, 60) == ("method", 8)
    text, size = fitted("a rather long method", 8, 60)
    assert text == "a rather long method"
    assert 5 <= size < 8
    assert fitted("m" * 60, 8, 60)[0].endswith("m...")
