"""The page in a real browser, opened from a file: sort, filter, groups, slider, links, keys, themes, phone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from rses.leaderboard.build import build

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the PATH")]
EXPECTED = {"mask-free": {"half-style", "light-touch", "grainy"}, "mask": {"inside-only"}}
REFERENCES = {"identity", "global-style", "oracle-paste", "background-only"}


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, real_boards):
    """``open_page(name, fragment, **context)``: a page of the site, in a window of its own that may say nothing."""
    said: list[str] = []
    contexts = []

    def opened(name="mini--rses-mini.html", fragment="", folder=real_boards, **options):
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.goto((folder / "site" / name).as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def names(page) -> list[str]:
    return page.locator("#board tbody tr:visible th").evaluate_all("cells => cells.map(cell => cell.dataset.v)")


def column(page, name) -> list[float]:
    values = page.locator(f"#board tbody tr:visible [data-c='{name}']").evaluate_all("c => c.map(x => x.dataset.v)")
    return [float(value) for value in values if value]


def heading(page, name):
    return page.locator(f"button[data-sort='{name}']")


def direction(page, name) -> str | None:
    return page.locator(f"th:has(button[data-sort='{name}'])").get_attribute("aria-sort")


def test_a_press_on_a_heading_sorts_with_the_best_on_top(open_page):
    page = open_page()
    assert set(names(page)) == REFERENCES | EXPECTED["mask-free"] | EXPECTED["mask"]
    for name, best_first in (("rsm", True), ("lpips_bg", False), ("rses_p", True)):
        for turn in range(2):
            heading(page, name).click()
            descending = best_first is (turn == 0)
            assert direction(page, name) == ("descending" if descending else "ascending")
            assert page.locator("th[aria-sort]").count() == 1
            values = column(page, name)
            assert len(values) == 8
            assert values == sorted(values, reverse=descending)
    heading(page, "name").click()
    assert names(page) == sorted(names(page))
    # Rows without a rank go last in both directions.
    for _ in range(2):
        heading(page, "rank-rsm").click()
        assert set(names(page)[-4:]) == REFERENCES


def test_filters_hide_rows_and_their_marks(open_page):
    page = open_page()
    page.get_by_role("checkbox", name="mask-free only").check()
    assert "inside-only" not in names(page)
    assert not page.locator(".scatter [data-key='inside-only']").is_visible()
    # A reference row that sees the mask, such as oracle paste, is one of the rows that bound the scale.
    page.get_by_role("checkbox", name="reference rows").uncheck()
    assert set(names(page)) == EXPECTED["mask-free"]
    assert page.get_by_role("status").inner_text() == "3 of 8 methods"
    page.get_by_label("Method", exact=True).fill("TOUCH")
    assert names(page) == ["light-touch"]
    assert page.locator("#board tbody tr:visible .interval:visible").count() > 5
    page.get_by_role("checkbox", name="intervals").uncheck()
    assert page.locator("#board .interval:visible").count() == 0


def test_a_style_shows_its_own_means(open_page):
    page = open_page()
    cell = page.locator("tr[data-key='grainy'] [data-c='rsm']")
    whole = cell.inner_text()
    options = page.get_by_label("Samples").locator("option").all_inner_texts()
    styles = [text for text in options if text.startswith("style: ")]
    assert len(styles) == 4
    seen = set()
    for style in styles:
        page.get_by_label("Samples").select_option(label=style)
        seen.add(cell.inner_text())
        heading(page, "rsm").click()
        values = column(page, "rsm")
        assert values in (sorted(values), sorted(values, reverse=True))
    assert len(seen - {whole}) == 4
    page.get_by_label("Samples").select_option(label="all")
    assert cell.inner_text() == whole


def test_suite_and_protocol_lead_to_their_board(open_page):
    page = open_page(fragment="#sort=-rsm&free=1&left=grainy")
    page.get_by_label("Suite").select_option(label="photos 1.0.0")
    page.wait_for_url("**/photos--rses-mini.html*")
    assert set(names(page)) == {"half-style", "light-touch", "identity"}
    assert page.get_by_label("Suite").input_value() == "photos 1.0.0"
    assert page.get_by_label("Protocol").input_value() == "rses-mini"
    # What was chosen for the table goes along, the pair of pictures does not.
    assert direction(page, "rsm") == "descending"
    assert page.get_by_role("checkbox", name="mask-free only").is_checked()


def test_an_address_restores_the_view(open_page):
    page = open_page()
    heading(page, "mse_bg").click()
    page.get_by_role("checkbox", name="mask-free only").check()
    page.get_by_label("Samples").select_option(index=2)
    page.locator("#left").select_option("half-style")
    page.locator("#right").select_option("inside-only")
    page.locator("#sample").select_option("mini-036-bottle")
    link = page.locator("#permalink").get_attribute("href")
    assert page.url.endswith(link)
    again = open_page(fragment=link)
    for view in (page, again):
        assert direction(view, "mse_bg") == "ascending"
        assert view.get_by_role("checkbox", name="mask-free only").is_checked()
        chosen = [view.locator(f"#{name}").input_value() for name in ("group", "left", "right", "sample")]
        assert chosen == ["2", "half-style", "inside-only", "mini-036-bottle"]
    assert names(again) == names(page)
    assert again.locator("#board tbody").inner_text() == page.locator("#board tbody").inner_text()
    # Nonsense in an address is ignored.
    odd = open_page(fragment="#sort=<img>&group=none&left=nobody&right=__proto__&sample=x&find=%00")
    assert odd.get_by_label("Samples").input_value() == "0"
    assert odd.locator("th[aria-sort]").count() == 0


def test_the_slider_shows_two_methods_on_one_sample(open_page):
    page = open_page(fragment="#left=half-style&right=grainy&sample=mini-048-star")
    pictures = page.locator(".stack img")
    decoded = "images => Promise.all(images.map(i => i.decode())).then(() => images.map(i => i.naturalWidth))"
    assert min(pictures.evaluate_all(decoded)) > 0
    assert pictures.evaluate_all("i => i.map(x => x.alt)") == [
        "mini-048-star by half-style", "mini-048-star by grainy",
    ]  # fmt: skip
    boxes = [picture.bounding_box() for picture in pictures.all()]
    assert boxes[0] == boxes[1]
    slider = page.get_by_role("slider", name="Share of the left picture")
    clip = "i => getComputedStyle(i).clipPath"
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "55"
    assert re.search(r"55%\)$", pictures.nth(1).evaluate(clip))
    slider.fill("0")
    assert re.search(r"inset\(0px\)|0%\)$", pictures.nth(1).evaluate(clip))
    assert "Style asked for: expressionism" in page.locator("#numbers").inner_text()
    page.get_by_role("button", name="Next").click()
    assert page.locator("#sample").input_value() == "mini-060-duck"
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Previous").click()
    assert page.locator("#sample").input_value() == "mini-036-bottle"


def test_the_keyboard_reaches_and_works_everything(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        active = "(e => e.id || e.dataset.sort || e.getAttribute('href') || e.className)(document.activeElement)"
        order.append(page.evaluate(active))
    controls = ["suite", "protocol", "group", "find", "free", "reference", "intervals", "permalink"]
    assert [name for name in order if name in controls] == controls
    assert order.index("permalink") < order.index("name") < order.index("rsm") < order.index("lpips_bg")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    heading(page, "rsm").focus()
    page.keyboard.press("Enter")
    assert direction(page, "rsm") == "descending"
    page.keyboard.press("Space")
    assert direction(page, "rsm") == "ascending"
    assert page.evaluate(outline) != "none"
    card = page.locator("#card-grainy")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    assert card.get_attribute("open") is not None
    # A mark of the chart is a link to its card.
    page.locator(".scatter [data-key='half-style']").focus()
    page.keyboard.press("Enter")
    assert page.locator("#card-half-style").evaluate("e => e.open") is True


def test_every_control_picture_and_mark_has_a_name(open_page):
    page = open_page()
    fields = "all => all.filter(e => !e.labels?.length && !e.ariaLabel && !e.textContent).map(e => e.outerHTML)"
    assert page.locator("input, select, button").evaluate_all(fields) == []
    assert page.locator("img:not([alt]), .scatter a:not([aria-label])").count() == 0
    assert page.locator("#board caption").count() == 1
    assert page.locator("th:not([scope]):not(#numbers th)").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_link_and_picture_is_there(open_page, real_boards):
    site = real_boards / "site"
    for place in sorted(site.glob("*.html")):
        page = open_page(place.name)
        found = page.locator("a[href], img[src]").evaluate_all(
            "all => all.map(e => e.getAttribute('href') || e.getAttribute('src'))"
        )
        assert len(found) > 4
        for target in found:
            parts = urlsplit(target)
            if parts.scheme in ("https", "http"):
                assert target == "https://example.org/blend"
                continue
            file = site / unquote(parts.path) if parts.path else place
            assert file.is_file(), target
            if parts.fragment and "=" not in parts.fragment:
                assert f'id="{parts.fragment}"' in file.read_text("utf-8"), target


def test_worst_samples_lead_to_the_gallery(open_page):
    page = open_page(fragment="#card-light-touch")
    card = page.locator("#card-light-touch")
    assert card.evaluate("e => e.open") is True
    assert card.locator(".worst li").count() == 5
    assert card.locator(".shots img").count() == 10
    link = card.locator(".worst a").first
    wanted = link.inner_text()
    link.click()
    assert page.locator("#sample").input_value() == wanted
    assert page.locator("#right").input_value() == "light-touch"


def luminance(page, selector, which) -> float:
    text = page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{which}")
    channels = [int(value) / 255 for value in re.findall(r"\d+", text)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_are_readable(open_page, scheme):
    page = open_page(color_scheme=scheme)
    paper = luminance(page, "body", "backgroundColor")
    assert (paper > 0.8) is (scheme == "light")
    card = luminance(page, "#results .scroll", "backgroundColor")
    for selector, ground in (
        ("h1", paper), (".lede", paper), ("#published h2", paper), (".notes li", paper), ("#board td strong", card),
        ("#board .interval", card), ("#board tr.ref td", card), ("#board thead button", card), ("#board a", card),
    ):  # fmt: skip
        ink = luminance(page, selector, "color")
        ratio = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
        # WCAG 2.1, level AA.
        assert ratio >= 4.5, (selector, ratio)


def test_a_phone_shows_every_page_without_sideways_scrolling(open_page, real_boards):
    for place in sorted((real_boards / "site").glob("*.html")):
        for width in (320, 390):
            page = open_page(place.name, viewport={"width": width, "height": 844}, is_mobile=True, has_touch=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            # Tables and chart scroll in boxes of their own.
            wide = page.locator("table").evaluate_all("all => all.filter(t => !t.closest('.scroll, figure')).length")
            assert wide == 0
            page.close()


def test_published_numbers_stand_apart(open_page):
    page = open_page()
    block = page.locator("#published")
    assert block.get_by_role("heading").inner_text() == "Published numbers, not measured here"
    assert block.evaluate("e => getComputedStyle(e).borderStyle") == "dashed"
    assert block.locator("button, strong, u").count() == 0
    assert block.get_by_text("RegionRoute (arXiv 2602.19254)").count() > 0
    assert "FLUX.1-Kontext" not in page.locator("#board").inner_text()
    assert page.locator(".scatter").evaluate("e => e.textContent").find("Qwen") == -1


def test_the_chart_draws_intervals_and_the_front(open_page):
    page = open_page()
    assert page.locator(".scatter .point .bars").count() == 8
    assert page.locator(".scatter path.front.mask-free").count() == 1
    place = "e => [e.cx.baseVal.value, e.cy.baseVal.value].map(v => Number(v.toFixed(1)))"
    points = re.findall(r"([\d.]+) ([\d.]+)", page.locator(".scatter path.front.mask-free").get_attribute("d"))
    front = [[float(a), float(b)] for a, b in points]
    for key in ("light-touch", "grainy"):
        assert page.locator(f".scatter [data-key='{key}'] circle").evaluate(place) in front
    # Further right is worse, so the front climbs.
    assert [b for _, b in front] == sorted((b for _, b in front), reverse=True)


def test_hostile_names_run_nothing(open_page, make_run, tmp_path):
    from rses.leaderboard.pack import add_run

    root = tmp_path / "leaderboards"
    name = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    add_run(make_run(name, title=name, paper="javascript:document.title='run'"), root, date="2026-02-19", previews=2)
    add_run(make_run("other", noise=1), root, date="2026-02-19", previews=2)
    build(root)
    page = open_page(folder=root)
    heading(page, "name").click()
    page.locator("summary").first.click()
    assert name in names(page)
    assert page.title() == "mini under rses-mini · RSES"
    assert page.locator("img[src='x']").count() == 0


def test_without_scripts_the_numbers_are_there(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("#board tbody tr").count() == 8
    assert page.locator(".scatter .point").count() == 8
    assert "This part needs JavaScript" in page.locator("#gallery noscript").inner_text()
    assert "photos--rses-mini.html" in page.content().split("<noscript>")[1]
    assert not page.locator("#controls").is_visible()


def test_screenshots(open_page, tmp_path):
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
        page = open_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        target = Path(tmp_path) / f"{scheme}-{width}.png"
        page.screenshot(path=target, full_page=True)
        from PIL import Image

        with Image.open(target) as image:
            assert image.width == width
            # A page that did not render is one colour.
            assert len(image.convert("RGB").resize((64, 64)).getcolors(4096)) > 50
