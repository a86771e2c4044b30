"""Every page in a browser: four widths and two colour schemes without overflow, message or barrier to its readers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.every_page import EVIL, comparison, report, reports, sheet, validation

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the PATH")]
SITE = Path(__file__).resolve().parents[3] / "leaderboards" / "site"
WIDTHS = (390, 768, 1280, 2560)
AXED = {"light": 390, "dark": 1280}
"""Width at which axe-core looks: colours change with the scheme, the layout with the width alone."""


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def written(make, name, folder) -> Path:
    (folder / "page.html").write_text(make(name, folder), "utf-8")
    return folder / "page.html"


def committed(name):
    return lambda folder: SITE / name


PAGES = {
    **{make.__name__: lambda folder, make=make: written(make, "name", folder)
       for make in (report, reports, comparison, sheet, validation)},
    "index": committed("index.html"),
    "board": committed("photos--rses-mini.html"),
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_says_nothing_and_can_be_used_by_all(chromium, name, scheme, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    said: list[str] = []
    place = PAGES[name](tmp_path)
    view = chromium.new_page(color_scheme=scheme)
    for event in ("console", "pageerror", "requestfailed"):
        view.on(event, lambda what: said.append(str(what)))
    view.goto(place.as_uri())
    # What is folded, and what is drawn where it is seen, is read too.
    view.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    if name == "board":
        view.locator("#museum").scroll_into_view_if_needed()
        view.locator("#wall tbody").wait_for()
    for width in WIDTHS if scheme == "light" else (AXED[scheme],):
        view.set_viewport_size({"width": width, "height": 900})
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        if width == AXED[scheme]:
            found = axe.Axe().run(view).response["violations"]
            assert [(item["id"], [node["html"][:200] for node in item["nodes"][:3]]) for item in found] == []
    assert said == []
    view.close()


@pytest.mark.parametrize("make", [report, comparison])
def test_hostile_names_are_shown_sorted_and_enlarged(chromium, make, tmp_path):
    said: list[str] = []
    view = chromium.new_page()
    for event in ("console", "pageerror", "dialog", "requestfailed"):
        view.on(event, lambda what: said.append(str(what)))
    view.goto(written(make, EVIL[0], tmp_path).as_uri())
    lines = view.locator("#warnings li")
    assert all(line.is_visible() for line in lines.all())
    assert EVIL[0] in "".join(lines.all_inner_texts())
    view.locator("#sort").select_option("mse-bg")
    assert view.locator("#shown").inner_text() == "2 shown"
    titles = []
    view.locator(".open").first.click()
    for _ in range(2):
        assert view.locator("#viewer .scores dt").count() > 2
        titles.append(view.locator("#viewer-title").inner_text())
        view.keyboard.press("Tab")
        view.keyboard.press("ArrowRight")
    assert titles[0] != titles[1]
    view.keyboard.press("Escape")
    assert not view.locator("#viewer").is_visible()
    assert said == []
    view.close()
