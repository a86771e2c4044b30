"""Every page with hostile names: it parses, runs no script but ours, asks no network, and can be read out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from PIL import Image

from rses.errors import InputError
from rses.leaderboard.board import Board, BoardRow, Scores
from rses.leaderboard.published import NUMBERS, PublishedRow
from rses.leaderboard.site import board_page, index_page
from rses.pages.html import refuse_other_file, render_page, write_page
from rses.report.columns import Cell
from rses.report.compare_page import comparison_html
from rses.report.comparison import compare_runs
from rses.report.html import report_html
from rses.report.inputs import SampleFiles
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.suites.sheet import Cell as Picture
from rses.suites.sheet import sheet_page
from rses.table import METRICS
from rses.validate.show import to_page
from tests.helpers.pages import Page, digest
from tests.helpers.validity import validity

EVIL = (
    "</script><img src=x onerror=alert(1)>",
    "'\" onmouseover=\"alert(1)' x='",
    "javascript:alert(1)",
    "{{ 7 * 7 }}<!-- \x1b[31m\u202e&lt;b&gt;",
)


def hostile_run(evil: str, name: str) -> Results:
    facts = {"style": evil, "object": evil, "tags": (evil,), "dataset": evil, "note": evil, "mask_fraction": 0.1}
    samples = [
        SampleResult(evil, mse_bg=0.1, lpips_bg=0.2, rsm=0.5, warnings=("unedited", evil), **facts),
        SampleResult("b", mse_bg=0.2, lpips_bg=0.1, rsm=0.6, style="other", dataset="other"),
        SampleResult(f"{evil}2", status="unreadable", note=evil),
    ]
    info = {
        "method": name, "suite": {"name": evil, "version": evil, "sha256": evil},
        "protocol": {"id": evil, "hash": evil, "knobs": {evil: evil}}, "versions": {evil: evil}, "device": evil,
        "weights": {evil: {"id": evil, "sha256": evil}},
    }  # fmt: skip
    return Results(samples, info)


def files(evil: str, folder: Path) -> dict[str, SampleFiles]:
    Image.new("RGB", (16, 16), "red").save(folder / "a.png")
    Image.new("L", (16, 16), 255).save(folder / "m.png")
    place = SampleFiles(folder / "a.png", folder / "a.png", folder / "m.png")
    return {evil: place, "b": replace(place, source=None)}


def report(evil, folder):
    return report_html([hostile_run(evil, evil)], files=[files(evil, folder)], heatmap=lambda p, s, m: s[..., 0] / 255)


def reports(evil, folder):
    runs = [hostile_run(evil, evil), hostile_run(evil, "other")]
    return report_html(runs, files=[files(evil, folder), None])


def comparison(evil, folder):
    runs = [hostile_run(evil, evil), hostile_run(evil, "other")]
    return comparison_html(runs, compare_runs(runs), files=[files(evil, folder)] * 2)


def a_board(evil: str) -> Board:
    card = dict.fromkeys(("title", "paper", "licence", "weights", "revision", "full_size", "year"), evil)
    cells = {name: Cell(0.5, 0.4, 0.6, n=3) for name in ("rsm", "lpips_bg", "mse_bg", "rses_p")}
    sample = SampleResult(evil, rses_p=0.1, style=evil)
    row = BoardRow(
        "key", evil, "mask-free", cells, 1, 2, (0,), evil, evil, {**card, "settings": {evil: evil}}, {}, 1,
        {f"style: {evil}": cells}, Scores((), (), {}), (sample,), (sample,), (), {"rsm": 0.1}, frozenset({"rsm"}),
    )  # fmt: skip
    better = {**cells, "rsm": Cell(0.7, 0.6, 0.8), "lpips_bg": Cell(0.7)}
    rows = (row, replace(row, key="two", cells=better), replace(row, key="ref", section="reference"))
    return Board("board", evil, evil, "sha", evil, evil, tuple(METRICS[name] for name in cells), rows)


def board(evil, folder):
    own, rows = a_board(evil), [PublishedRow(evil, evil, evil, dict.fromkeys(NUMBERS, "0.5"), evil)]
    return board_page(own, {f"key/{evil}.jpg", f"_source/{evil}.jpg"}, rows, [own, replace(own, key="other")])


def index(evil, folder):
    return index_page([a_board(evil)], [PublishedRow(evil, evil, evil, dict.fromkeys(NUMBERS, ""), evil)])


def sheet(evil, folder):
    cell = Picture(Image.new("RGB", (4, 4)), (evil,), evil, evil, evil, (evil, "plain"))
    return sheet_page(evil, [cell], {"style": {evil: 3}})


def validation(evil, folder):
    return to_page(validity(text=evil))


PAGES = (report, reports, comparison, board, index, sheet, validation)


@pytest.mark.parametrize("evil", EVIL, ids=["tag", "quotes", "address", "template"])
@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_hostile_names_run_nothing_and_ask_nobody(make, evil, tmp_path):
    page = Page(make(evil, tmp_path))
    assert page.content["style"][0]
    scripts = [script for script, attrs in zip(page.content["script"], page.all("script"), strict=True) if not attrs]
    assert page.policy["default-src"] == "'none'"
    assert page.policy["style-src"] == digest("".join(page.content["style"]))
    assert page.policy.get("script-src", "") == "".join(map(digest, scripts))
    assert page.policy["img-src"] == ("'self' file: data:" if make in (board,) else "data:")
    for tag, attrs in page.seen:
        assert tag not in ("iframe", "object", "embed", "base")
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        for name in ("src", "href", "srcset", "poster", "action"):
            target = attrs.get(name) or "#"
            assert target.startswith(("data:", "#", "previews/", "index.html", "board.html", "other.html")), target
    assert "alert(1)" not in "".join(scripts)
    assert not {"\x1b", "\u202e"} & set(page.text)
    # The name itself is shown as it is, apart from what no terminal and no page should print.
    assert evil.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") in page.text


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the PATH")
def test_a_browser_runs_nothing_and_shows_the_warnings(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    said: list[str] = []
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, make in [(width, make) for width in (1440, 768, 390) for make in (report, comparison, sheet)]:
            view = browser.new_page(viewport={"width": width, "height": 900})
            for event in ("console", "pageerror", "dialog", "requestfailed"):
                view.on(event, lambda what: said.append(str(what)))
            (tmp_path / "page.html").write_text(make(EVIL[0], tmp_path), "utf-8")
            view.goto((tmp_path / "page.html").as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") <= width
            if make is not sheet:
                lines = view.locator("#warnings li")
                assert all(line.is_visible() for line in lines.all())
                assert EVIL[0] in "".join(lines.all_inner_texts())
                view.locator("#sort").select_option("mse-bg")
                assert view.locator("#shown").inner_text() == "2 shown"
            view.close()
        browser.close()
    assert said == []


@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_pages_can_be_read_out(make, tmp_path):
    page = Page(make("name", tmp_path))
    assert page.all("html") == [{"lang": "en"}]
    assert all(attrs.get("alt") or attrs.get("id") for attrs in page.all("img"))
    assert all("scope" in attrs for attrs in page.all("th"))
    assert all(attrs["role"] and attrs["aria-label"] for attrs in page.all("svg"))
    scrolls = [attrs for attrs in page.all("div") if "scroll" in attrs.get("class", "").split()]
    assert all(attrs["tabindex"] == "0" and {"aria-label", "aria-labelledby"} & attrs.keys() for attrs in scrolls)
    assert len(scrolls) >= len(page.all("table"))


@pytest.mark.parametrize(
    ("address", "linked"),
    [("https://example.org/x?a=1&b='", True), ("http://e.org", True), ("HTTPS://e.org", False), ("data:x", False),
     ("https://e.org onclick=x", False), ("//e.org", False)],
)  # fmt: skip
def test_only_web_addresses_on_a_card_become_links(address, linked):
    own = a_board("name")
    row = replace(own.rows[0], card={"paper": address})
    page = Page(board_page(replace(own, rows=(row,)), set(), []))
    assert (address in [attrs["href"] for attrs in page.all("a")]) is linked
    assert address in page.text


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        render_page("sheet.html", title="x", cells=[])


def test_only_a_former_page_is_overwritten(tmp_path):
    target = tmp_path / "page.html"
    refuse_other_file(target)
    write_page(target, report_html([hostile_run("x", "m")]))
    refuse_other_file(target)
    target.write_text("mine")
    for other in (target, tmp_path):
        with pytest.raises(InputError, match=r"not a report|is a folder"):
            refuse_other_file(other)
    with pytest.raises(InputError, match="Cannot write"):
        write_page(target / "below.html", "x")
