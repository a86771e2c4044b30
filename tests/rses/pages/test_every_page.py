"""Every page with hostile names: it parses, runs no script but ours, asks no network, and can be read out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from rses.errors import InputError
from rses.leaderboard.site import board_page
from rses.pages.html import refuse_other_file, render_page, write_page
from rses.report.html import report_html
from tests.helpers.every_page import EVIL, PAGES, a_board, board, hostile_run
from tests.helpers.pages import Page, digest
from tests.helpers.refusals import refused

PLACES = (
    "data:", "#", "previews/", "../tables/", "index.html", "board.html", "other.html", "https://arxiv.org/abs/2602.19254",
)  # fmt: skip
"""Where links of a page may lead, and its pictures come from."""


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
            assert target.startswith(PLACES), target
    assert "alert(1)" not in "".join(scripts)
    assert not {"\x1b", "\u202e"} & set(page.text)
    # The name itself is shown as it is, apart from what no terminal and no page should print.
    assert evil.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") in page.text


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
    with refused(InputError, "unwritable"):
        write_page(target / "below.html", "x")
