"""The page: parses, asks no network, disarms names, stays small, and shows the worst first."""

from __future__ import annotations

import base64
import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.report.gallery import worst_first
from rses.report.html import report_html, write_report
from rses.report.inputs import SampleFiles, folder_files, remember_inputs, run_files
from rses.report.plots import nice_ticks
from rses.report.thumbs import data_uri, difference, heat_colors, outline
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult

EVIL = "</script><img src=x onerror=alert(1)>'\""
VOID = {"meta", "img", "br", "link", "input"}


class Checker(HTMLParser):
    """Checks nesting, and collects what a browser would fetch, run or read out."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def parsed(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def attributes(page: str, tag: str) -> list[dict]:
    return [attrs for name, attrs in parsed(page).seen if name == tag]


def numbers(index: int) -> dict:
    value = index / 100
    return {
        "rsm": 0.6 + value,
        "mse_bg": value,
        "lpips_bg": value,
        "psnr_bg": -10 * math.log10(value) if value else math.inf,
        "style_correct": index % 2 == 0,
        "mask_fraction": 0.2,
    }


def a_run(name: str, count: int, **changes) -> Results:
    samples = [
        SampleResult(f"s{i}", style="ink" if i % 2 else "pixel art", object="cat", **{**numbers(i), **changes})
        for i in range(count)
    ]
    return Results(samples, {"method": name, "protocol": {"id": "rses-mini", "hash": "cafe" * 4}})


@pytest.fixture
def images(tmp_path):
    """Sources, predictions and masks of ten samples; each prediction is damaged at the top left, outside the mask."""
    rng = np.random.default_rng(0)
    for kind in ("source", "pred", "mask"):
        (tmp_path / kind).mkdir()
    for index in range(10):
        source = rng.integers(0, 200, (96, 128, 3), dtype=np.uint8)
        pred = source.copy()
        pred[:8, :8] += 55
        mask = np.zeros((96, 128), np.uint8)
        mask[40:80, 40:90] = 255
        for kind, array in (("source", source), ("pred", pred), ("mask", mask)):
            Image.fromarray(array).save(tmp_path / kind / f"s{index}.png")
    return tmp_path


def places(folder) -> dict[str, SampleFiles]:
    return folder_files(folder / "pred", folder / "mask", folder / "source")


def heat(pred, source, mask):
    return np.abs(pred.astype(float) - source).mean(axis=2) / 255 * ~mask


def test_the_page_parses_and_asks_no_network(images):
    page = report_html([a_run("mine", 10)], files=[places(images)], heatmap=heat)
    seen = parsed(page).seen
    for tag, attrs in seen:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not (tag == "script" and "src" in attrs)
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        for name in ("src", "href", "srcset", "poster", "action"):
            target = attrs.get(name) or "#"
            assert target.startswith(("data:image/jpeg;base64,", "#")), target[:60]
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    policy = next(a["content"] for t, a in seen if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_the_policy_allows_exactly_the_embedded_style_and_script():
    import hashlib

    page = report_html([a_run("mine", 3)])
    policy = next(a["content"] for a in attributes(page, "meta") if "http-equiv" in a)
    for tag in ("style", "script"):
        content = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_names_cannot_smuggle_markup(images):
    run = a_run(EVIL, 2)
    bad = SampleResult(EVIL, style=EVIL, object=EVIL, tags=(EVIL,), note=EVIL, dataset=EVIL, **numbers(5))
    lost = SampleResult(EVIL + "2", status="unreadable", note=EVIL)
    run = Results([*run.samples, bad, lost], {**run.info, "suite": {"name": EVIL}})
    files = {**places(images), EVIL: places(images)["s1"]}
    page = report_html([run], files=[files])
    assert EVIL not in page
    assert "<img src=x" not in page
    assert len(attributes(page, "script")) == 1
    parsed(page)


def test_pictures_are_small_named_and_bounded(images):
    page = report_html([a_run("mine", 10)], files=[places(images)], heatmap=heat, limit=4)
    pictures = attributes(page, "img")
    assert len(pictures) == 4 * 5
    assert all(picture["alt"] for picture in pictures)
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture["src"].split(",")[1]))) as decoded:
            assert max(decoded.size) <= 256
    assert "4 of 10 scored samples" in page


def test_the_page_stays_below_ten_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    mask[60:200, 60:200] = 255
    Image.fromarray(noise).save(tmp_path / "n.png")
    Image.fromarray(noise[::-1]).save(tmp_path / "p.png")
    Image.fromarray(mask).save(tmp_path / "m.png")
    files = {f"s{i}": SampleFiles(tmp_path / "p.png", tmp_path / "n.png", tmp_path / "m.png") for i in range(60)}
    runs = [a_run(f"m{i}", 60) for i in range(2)]
    page = report_html(runs, files=[files, files], heatmap=heat, limit=60)
    assert 5_000_000 < len(page) < 10_000_000
    assert int(re.search(r"(\d+) of 60 scored samples", page)[1]) < 60


def test_worst_come_first_and_several_runs_are_averaged():
    assert worst_first([a_run("a", 4)]) == ["s3", "s2", "s1", "s0"]
    good = Results([SampleResult("x", lpips_bg=0.0), SampleResult("y", lpips_bg=0.2)])
    bad = Results([SampleResult("x", lpips_bg=0.9), SampleResult("y", lpips_bg=0.3)])
    assert worst_first([good, bad]) == ["x", "y"]
    assert worst_first([Results([SampleResult("x", status="missing")])]) == []


def test_a_comparison_shows_every_method_once_a_sample(images):
    runs = [a_run("first", 3), a_run("second", 3, mse_bg=0.9)]
    page = report_html(runs, files=[places(images), places(images)])
    parsed(page)
    assert page.count("<h4>first</h4>") == page.count("<h4>second</h4>") == 3
    assert "2 methods compared" in page
    assert page.count('class="dots"') == 2 * len(attributes(page, "svg"))


def test_without_images_there_is_still_a_report():
    page = report_html([a_run("mine", 3)])
    parsed(page)
    assert "not at hand" in page
    assert attributes(page, "img") == []


def test_tables_and_plots_can_be_read_out():
    page = report_html([a_run("mine", 5), a_run("other", 5)])
    assert page.count("<table") == page.count("<caption>")
    assert all("scope" in attrs for attrs in attributes(page, "th"))
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in attributes(page, "svg"))
    assert attributes(page, "html") == [{"lang": "en"}]


def test_the_footer_names_what_determines_the_numbers():
    run = a_run("mine", 3)
    weights = {"style": {"id": "w", "sha256": "ab" * 32}, "perceptual": None}
    lost = SampleResult("gone", status="missing", note="no prediction")
    run = Results([*run.samples, lost], {**run.info, "weights": weights})
    page = report_html([run])
    for text in ("rses-mini · " + "cafe" * 4, "ab" * 32, "mine 3/4", "Not scored", "no prediction"):
        assert text in page


def test_only_a_former_report_is_overwritten(tmp_path):
    target = tmp_path / "report.html"
    assert write_report([a_run("mine", 2)], target) == target
    write_report([a_run("again", 2)], target)
    assert "again" in target.read_text("utf-8")
    (tmp_path / "thesis.html").write_text("mine")
    with pytest.raises(InputError, match="is not a report"):
        write_report([a_run("mine", 2)], tmp_path / "thesis.html")
    assert (tmp_path / "thesis.html").read_text() == "mine"


def test_a_run_remembers_where_its_images_are_when_moved_along(images, tmp_path_factory):
    remember_inputs(images / "run", pred=images / "pred", masks=images / "mask", source=images / "source")
    run = a_run("mine", 10)
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
    with Image.open(io.BytesIO(base64.b64decode(data_uri(image).split(",")[1]))) as decoded:
        assert np.abs(np.asarray(decoded).astype(int) - image).mean() < 2


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.01, 0.04), (1e-7, 3e-6), (6.0, 67.0), (0.9999, 1.0)])
def test_ticks_are_inside_ordered_and_few(low, high):
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(ticks)
    assert low - 1e-9 <= ticks[0]
    assert ticks[-1] <= high + 1e-9


def test_what_a_run_says_of_its_suite_asks_no_network(tmp_path, monkeypatch):
    def ask(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("rses.report.inputs.folder_files", ask)
    (tmp_path / "images").mkdir()
    stranger = Results([SampleResult("a")], {"suite": {"name": "evil-org/evil-suite"}})
    assert run_files(tmp_path, stranger) is None
    (tmp_path / "inputs.json").write_text('{"pred": "images", "suite": "evil-org/evil-suite"}')
    assert run_files(tmp_path, stranger) is None
    with pytest.raises(AssertionError, match="asked"):
        run_files(tmp_path, stranger, suite="evil-org/evil-suite")
