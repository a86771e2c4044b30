"""The page in a real browser, opened from a file: table, filters, chart, slider, museum, guess, links, keys, phone."""

from __future__ import annotations

import re
import shutil
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
    return page.locator("#board tbody tr:visible th[data-v]").evaluate_all("cells => cells.map(cell => cell.dataset.v)")


def columns(page, name) -> list[list[float]]:
    """Values of a column, section by section."""
    found = []
    for section in ("mask-free", "mask", "reference"):
        cells = page.locator(f"#board tbody[data-section='{section}'] tr:visible [data-c='{name}']")
        found.append([float(value) for value in cells.evaluate_all("c => c.map(x => x.dataset.v)") if value])
    return found


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
            sections = columns(page, name)
            assert [len(values) for values in sections] == [3, 1, 4]
            assert all(values == sorted(values, reverse=descending) for values in sections)
    heading(page, "name").click()
    assert names(page)[:3] == sorted(EXPECTED["mask-free"])
    # Sections stay in their order, under their own headings.
    titles = page.locator("#board tr.group").all_inner_texts()
    assert [title.split(":")[0].split(",")[0] for title in titles] == [
        "no mask at inference", "sees the mask at inference", "reference rows",
    ]  # fmt: skip
    assert names(page)[4:] == sorted(REFERENCES)
    assert page.locator("[data-c='ssim_bg']:visible").count() == 0
    page.get_by_role("checkbox", name="all columns").check()
    assert page.locator("[data-c='ssim_bg']:visible").count() == 8


def test_filters_hide_rows_and_their_marks(open_page):
    page = open_page()
    page.get_by_role("checkbox", name="mask-free only").check()
    assert "inside-only" not in names(page)
    assert not page.locator(".scatter [data-key='inside-only']").is_visible()
    # A reference row that sees the mask, such as oracle paste, is one of the rows that bound the scale.
    page.get_by_role("checkbox", name="reference rows").uncheck()
    assert set(names(page)) == EXPECTED["mask-free"]
    assert page.locator("#shown").inner_text() == "3 of 8 methods"
    page.get_by_label("Method", exact=True).fill("TOUCH")
    assert names(page) == ["light-touch"]
    assert page.locator("#board tbody tr:visible .interval:visible").count() == 5
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
        values = columns(page, "rsm")[0]
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
    assert again.locator("#board").inner_text() == page.locator("#board").inner_text()
    # Nonsense in an address is ignored.
    odd = open_page(fragment="#sort=<img>&group=none&left=nobody&right=__proto__&sample=x&find=%00")
    assert odd.get_by_label("Samples").input_value() == "0"
    assert odd.locator("th[aria-sort]").count() == 0


def test_the_slider_shows_two_methods_on_one_sample(open_page):
    page = open_page(fragment="#left=half-style&right=grainy&sample=mini-048-star")
    pictures = page.locator(".stack img:not(.outline)")
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
    page.locator(".stack").scroll_into_view_if_needed()
    box = page.locator(".stack").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20)
    page.mouse.up()
    assert slider.input_value() == "75"
    edge = page.locator(".stack .outline")
    assert edge.evaluate("e => e.decode().then(() => e.naturalWidth)") == 256
    assert edge.bounding_box() == box
    page.get_by_role("checkbox", name="edge of the region").uncheck()
    assert not edge.is_visible()
    assert "Style asked for: expressionism" in page.locator("#numbers").inner_text()
    page.get_by_role("button", name="Next", exact=True).click()
    assert page.locator("#sample").input_value() == "mini-060-duck"
    page.get_by_role("button", name="Previous", exact=True).click()
    page.get_by_role("button", name="Previous", exact=True).click()
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
    controls = ["suite", "protocol", "group", "find", "free", "reference", "intervals", "all", "permalink"]
    assert [name for name in order if name in controls] == controls
    assert order.index("permalink") < order.index("name") < order.index("rses_p") < order.index("lpips_bg")
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
    fields = """all => all.filter(e => !e.labels?.length && !e.ariaLabel && !e.textContent
        && !e.querySelector('img[alt]')).map(e => e.outerHTML)"""
    assert page.locator("input, select, button").evaluate_all(fields) == []
    assert page.locator("img:not([alt]), .scatter a:not([aria-label])").count() == 0
    assert page.locator("#board caption").count() == 1
    assert page.locator("th:not([scope])").count() == 0
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
                assert target in ("https://example.org/blend", "https://arxiv.org/abs/2602.19254")
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


def test_a_phone_shows_every_page_without_sideways_scrolling(open_page, real_boards):
    for place in sorted((real_boards / "site").glob("*.html")):
        for width in (320, 390):
            page = open_page(place.name, viewport={"width": width, "height": 844}, is_mobile=True, has_touch=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            # Tables and chart scroll in boxes of their own.
            wide = page.locator("table").evaluate_all("all => all.filter(t => !t.closest('.scroll, #numbers')).length")
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


def test_the_chart_steps_along_the_front_and_follows_the_filters(open_page):
    page = open_page()
    assert page.locator(".scatter .point .bars").count() == 8
    front = page.locator(".scatter path.front.mask-free")
    corners = re.findall(r"([MHV])([\d.]+)(?: ([\d.]+))?", front.get_attribute("d"))
    assert [kind for kind, *_ in corners] == ["M", *"HV" * (len(corners) // 2)]
    places = dict(zip("xy", corners[0][1:], strict=True))
    where = []
    for kind, value, _ in corners[1:]:
        places["x" if kind == "H" else "y"] = value
        where += [f"translate({places['x']} {places['y']})"] if kind == "V" else []
    marks = page.locator(".scatter .point.mask-free").evaluate_all("all => all.map(e => e.getAttribute('transform'))")
    assert where
    assert set(where) <= set(marks)
    # Further right is worse, so the front climbs.
    heights = [float(value) for kind, value, _ in corners if kind == "V"]
    assert heights == sorted(heights, reverse=True)
    overlap = """all => all.map(e => e.getBoundingClientRect()).some((a, i, boxes) => boxes.slice(i + 1).some(
        (b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom))"""
    names = page.locator(".scatter .name[visibility=visible]")
    assert names.count() > 4
    assert names.evaluate_all(overlap) is False
    page.get_by_label("Samples").select_option(index=2)
    moved = page.locator(".scatter .point.mask-free").evaluate_all("all => all.map(e => e.getAttribute('transform'))")
    assert len(set(moved) - set(marks)) == 3
    assert names.evaluate_all(overlap) is False
    before = front.get_attribute("d")
    page.get_by_label("Method", exact=True).fill("grainy")
    assert front.get_attribute("d") != before
    page.locator(".scatter [data-key='grainy']").hover()
    assert "grainy: LPIPS_bg" in page.locator("#tip").inner_text()
    assert page.locator("#tip img").count() == 3


def test_the_museum_filters_walks_opens_and_is_restored(open_page):
    page = open_page()
    wall = page.locator("#wall")
    page.locator("#museum").scroll_into_view_if_needed()
    wall.locator("tbody").wait_for()
    heads = wall.locator("thead th").all_inner_texts()
    assert heads[:2] == ["sample", "source"]
    assert set(heads[2:]) == REFERENCES | EXPECTED["mask-free"] | EXPECTED["mask"]
    assert wall.locator("tbody tr").count() == 8
    assert page.locator("#wall-shown").inner_text() == "1 to 8 of 8 samples"
    assert page.get_by_role("button", name="Next page").is_disabled()
    page.locator("#wall-style").select_option("line art")
    assert all("line art" in text for text in wall.locator("tbody th").all_inner_texts())
    page.locator("#wall-style").select_option("")
    page.locator("#wall-failure").select_option("style")
    kept = [button.locator("xpath=..").inner_text() for button in wall.locator("button:not(.off)").all()]
    assert kept
    # Without a gain of style, RSES-P is not above 0.
    assert all(float(text) <= 0 for text in kept)
    page.get_by_role("checkbox", name="mask-free only").check()
    assert "inside-only" not in wall.locator("thead th").all_inner_texts()
    again = open_page(fragment=page.locator("#permalink").get_attribute("href"))
    again.locator("#museum").scroll_into_view_if_needed()
    again.locator("#wall tbody").wait_for()
    assert again.locator("#wall").inner_text() == wall.inner_text()
    page.locator("#wall-failure").select_option("")
    wall.locator("tbody tr").first.locator("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    assert viewer.locator("#image-right").is_visible()
    assert page.locator("#left").input_value() == "_source"
    sample = page.locator("#sample").input_value()
    assert sample == wall.locator("tbody tr").nth(1).locator("th").inner_text().split("\n")[0]
    page.keyboard.press("ArrowRight")
    assert page.locator("#sample").input_value() != sample
    page.keyboard.press("Escape")
    # A dialog tells that it was closed a moment later; only then its content goes back to its place.
    page.locator("#gallery #compare").wait_for()
    assert not viewer.is_visible()


def test_a_guess_shows_names_and_scores_afterwards(open_page):
    page = open_page()
    for turn in range(1, 3):
        choices = page.locator("#guess button")
        assert choices.all_inner_texts() == ["This one is better"] * 2
        keys = choices.evaluate_all("all => all.map(e => e.dataset.key)")
        assert keys[0] != keys[1]
        assert not REFERENCES & set(keys)
        choices.first.click()
        # On a busy machine the answer may take a moment.
        page.locator("#guess button[disabled]").last.wait_for()
        scores = [float(re.search(r"RSES-P (-?[\d.e-]+)", text)[1]) for text in choices.all_inner_texts()]
        assert [key in text for key, text in zip(keys, choices.all_inner_texts(), strict=True)] == [True, True]
        said = page.locator("#guess-said").inner_text()
        assert said.startswith("RSES-P says so too" if scores[0] > scores[1] else "RSES-P prefers the other")
        assert said.endswith(f"of {turn}.")
        page.get_by_role("button", name="Another pair").click()


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
    assert page.locator("#board tbody tr[data-key]").count() == 8
    assert page.locator(".scatter .point").count() == 8
    assert "This part needs JavaScript" in page.locator("#gallery noscript").inner_text()
    assert "photos--rses-mini.html" in page.content().split("<noscript>")[1]
    assert not page.locator("#controls").is_visible()
