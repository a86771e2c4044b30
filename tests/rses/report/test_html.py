"""The report: small, the worst first, every method, and what determines the numbers; where its pictures are found."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from rses.report.html import report_html
from rses.report.inputs import SampleFiles, remember_inputs, run_files
from rses.report.thumbs import difference, embedded, heat_colors, outline
from rses.report.worst import worst_first, worst_samples
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from tests.helpers.pages import Page


def heat(pred, source, mask):
    return np.abs(pred.astype(float) - source).mean(axis=2) / 255 * ~mask


def test_pictures_are_small_named_and_bounded(make_run, places):
    page = report_html([make_run("mine")], files=[places], heatmap=heat, limit=4)
    pictures = [picture for picture in Page(page).all("img") if "src" in picture]
    assert len(pictures) == 4 * 5
    assert all(picture["alt"] and picture["loading"] == "lazy" for picture in pictures)
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture["src"].split(",")[1]))) as decoded:
            assert max(decoded.size) <= 256
            assert [str(side) for side in decoded.size] == [picture["width"], picture["height"]]
    assert "4 of 10 scored samples, worst LPIPS_bg first" in page
    assert re.findall(r"<h3>(s\d)</h3>", page) == ["s9", "s8", "s7", "s6"]


def test_the_page_stays_below_ten_megabytes(make_run, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    mask[60:200, 60:200] = 255
    for name, array in (("n", noise), ("p", noise[::-1]), ("m", mask)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    files = {f"s{i}": SampleFiles(tmp_path / "p.png", tmp_path / "n.png", tmp_path / "m.png") for i in range(60)}
    page = report_html([make_run("m", 60)], files=[files], heatmap=heat, limit=60)
    assert 5_000_000 < len(page) < 10_000_000
    assert int(re.search(r"(\d+) of 60 scored samples", page)[1]) < 60


def test_worst_come_first_and_several_runs_are_averaged(make_run):
    assert worst_first([make_run("a", 4)]) == ["s3", "s2", "s1", "s0"]
    good = Results([SampleResult("x", lpips_bg=0.0), SampleResult("y", lpips_bg=0.2)])
    bad = Results([SampleResult("x", lpips_bg=0.9), SampleResult("y", lpips_bg=0.3)])
    assert worst_first([good, bad]) == ["x", "y"]
    assert worst_first([Results([SampleResult("x", status="missing")])]) == []
    assert [sample.id for sample in worst_samples(make_run("a", 9).samples, 2)] == ["s8", "s7"]


def test_a_comparison_shows_every_method_once_per_sample(make_run, places):
    runs = [make_run("first", 3), make_run("second", 3, mse_bg=0.9)]
    text = report_html(runs, files=[places, places])
    page = Page(text)
    assert text.count("<b>first</b>") == text.count("<b>second</b>") == 3
    assert "2 methods compared" in page.text
    assert text.count('class="dots"') == 2 * len(page.all("svg"))
    # Three numbers under each edit, the best of a sample in bold: mse_bg is worse in the second run, the others tie.
    shots = [re.findall(r"<dt>(.*?)</dt><dd>(<strong>)?", part.split("</dl>")[0])
             for part in text.split('<dl class="three">')[1:]]  # fmt: skip
    assert [[name for name, _ in shot] for shot in shots] == [["LPIPS_bg", "MSE_bg", "RSM"]] * 6
    assert [[bool(mark) for _, mark in shot] for shot in shots] == [[False, True, False], [False] * 3] * 3


def test_the_headline_is_the_best_mean_of_those_that_cannot_be_told_apart():
    def run(name, rsm, mse):
        samples = [SampleResult(f"s{i}", rsm=rsm[i % 2], mse_bg=mse[i % 2]) for i in range(8)]
        return Results(samples, {"method": name})

    runs = [run("worst", (0.0, 0.0), (1.0, 1.0)), run("steady", (0.25, 0.25), (0.5, 0.5))]
    page = report_html([*runs, run("varied", (0.125, 0.875), (0.125, 0.75))])
    tiles = re.search(r'<dl class="tiles">.*?</dl>', page, re.DOTALL)[0]
    numbers = re.findall(r'<dd>([^<]*)</dd><dd class="note">([^<]*)</dd>', tiles)
    assert numbers == [("0.5000", "varied, steady"), ("0.43750", "varied, steady")]


def test_references_are_last_and_columns_are_neither_empty_nor_twins(make_run):
    ref = make_run("ref", clip_cosine=0.1)
    runs = [Results(ref.samples, {**ref.info, "method_card": {"reference": True}}), make_run("own", mse_bg_pm1=0.1)]
    page = Page(report_html(runs)).text
    assert page.index("own") < page.index("ref")
    heads = re.findall(r'data-sort="(\w+)"', report_html(runs))
    assert heads == ["name", "rsm", "style_correct", "lpips_bg", "mse_bg", "psnr_bg", "scored"]


def test_a_report_without_images_says_what_determines_the_numbers(make_run):
    weights = {"style": {"id": "w", "sha256": "ab" * 32}, "perceptual": None}
    gone = SampleResult("gone", status="missing", note="no prediction", warnings=("unedited",))
    run = make_run("mine", 3)
    run = Results([*run.samples, gone], {**run.info, "weights": weights})
    page = Page(report_html([run]))
    assert page.all("img") == []
    for text in ("rses-mini · " + "cafe" * 4, "ab" * 32, "mine 3/4", "Not scored", "no prediction", "not at hand"):
        assert text in page.text
    assert "1 sample: gone" in page.text.split("Warnings")[1].split("Results")[0]


def test_a_run_remembers_where_its_images_are_when_moved_along(make_run, images, tmp_path_factory):
    remember_inputs(images / "run", pred=images / "pred", masks=images / "mask", source=images / "source")
    run = make_run("mine")
    assert run_files(images / "run", run)["s3"].mask.samefile(images / "mask" / "s3.png")
    moved = tmp_path_factory.mktemp("moved") / "all"
    images.rename(moved)
    found = run_files(moved / "run", run)
    assert found["s3"].pred.is_file()
    assert run_files(tmp_path_factory.mktemp("bare"), run) is None


def test_outline_and_heat_point_at_the_right_pixels():
    region = np.zeros((64, 64), bool)
    region[16:48, 16:48] = True
    drawn = outline(np.full((64, 64, 3), 128, np.uint8), region, side=64)
    changed = (drawn != 128).any(axis=2)
    assert changed[16, 16:48].all()
    assert not changed[24:40, 24:40].any()
    assert not changed[:8].any()
    before = np.zeros((4, 4, 3), np.uint8)
    after = before.copy()
    after[1, 2] = (0, 51, 0)
    assert difference(after, before).argmax() == 6
    assert difference(after, before).max() == pytest.approx(0.2)
    colors = heat_colors(difference(after, before), 0.2, region[:4, :4])
    assert colors[1, 2].sum() > colors[0, 0].sum()
    inside = heat_colors(np.ones((2, 2)), 1.0, np.ones((2, 2), bool))
    assert (inside == inside[..., :1]).all()


def test_thumbnails_survive_their_encoding():
    image = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 1, 3))
    with Image.open(io.BytesIO(base64.b64decode(embedded(image).uri.split(",")[1]))) as decoded:
        assert np.abs(np.asarray(decoded).astype(int) - image).mean() < 2


def test_what_a_run_says_of_its_suite_asks_no_network(tmp_path, monkeypatch):
    def ask(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("rses.report.inputs.folder_files", ask)
    (tmp_path / "images").mkdir()
    untrusted = Results([SampleResult("a")], {"suite": {"name": "evil-org/evil-suite"}})
    assert run_files(tmp_path, untrusted) is None
    (tmp_path / "inputs.json").write_text('{"pred": "images", "suite": "evil-org/evil-suite"}')
    assert run_files(tmp_path, untrusted) is None
    with pytest.raises(AssertionError, match="asked"):
        run_files(tmp_path, untrusted, suite="evil-org/evil-suite")
