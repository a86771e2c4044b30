"""The page in a real browser: sort, filter, groups, slider, links, no console message."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from rses.leaderboard.build import build

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the PATH")


class Browser:
    """Headless Chromium over its debugging pipe: JSON messages, each ended by a zero byte."""

    def __init__(self, profile: Path):
        out_read, self._out = os.pipe()
        self._in, in_write = os.pipe()

        def place() -> None:
            # The browser reads commands from 3 and writes answers to 4.
            os.dup2(out_read, 10)
            os.dup2(in_write, 11)
            os.dup2(10, 3)
            os.dup2(11, 4)

        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        self._process = subprocess.Popen(
            [CHROMIUM, *arguments, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(out_read)
        os.close(in_write)
        self._buffer, self._numbers, self._session = b"", itertools.count(1), None
        self.messages: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            block = os.read(self._in, 1 << 20)
            assert block, "the browser ended"
            self._buffer += block
        line, self._buffer = self._buffer.split(b"\0", 1)
        answer = json.loads(line)
        if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
            self.messages.append(json.dumps(answer["params"]))
        return answer

    def open(self, address: str) -> None:
        # From another document, so that a changed fragment loads the page anew.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + 30
        ready = f"document.readyState === 'complete' && location.href.startsWith({json.dumps(address.split('#')[0])})"
        while not self.run(ready):
            assert time.monotonic() < deadline, "the page did not load"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def size(self, width: int, height: int, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)

    def key(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)


@pytest.fixture
def browser(tmp_path):
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


NAMES = "[...document.querySelectorAll('#board tbody tr')].filter((r) => !r.hidden).map((r) => r.cells[0].dataset.v)"


def test_the_page_in_a_browser(boards, browser):
    build(boards)
    address = (boards / "site" / "mini--rses-mini.html").as_uri()
    browser.open(address)
    assert browser.run(NAMES) == ["strong", "gentle", "beaten", "masked", "identity"]
    click = "document.querySelector('[data-sort={}]').click()"
    # The first press puts the best on top, the second the worst.
    browser.run(click.format("lpips_bg"))
    assert browser.run(NAMES) == ["identity", "masked", "gentle", "strong", "beaten"]
    assert browser.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "ascending"
    browser.run(click.format("lpips_bg"))
    assert browser.run(NAMES)[0] == "beaten"
    # Rows without a rank go last in both directions.
    for _ in range(2):
        browser.run(click.format("rank-rsm"))
        assert browser.run(NAMES)[-1] == "identity"
    browser.run("document.getElementById('free').click()")
    assert "masked" not in browser.run(NAMES)
    browser.run("document.getElementById('reference').click()")
    assert sorted(browser.run(NAMES)) == ["beaten", "gentle", "strong"]
    assert browser.run("document.getElementById('shown').textContent") == "3 of 5 methods"

    choose = "(() => {{ const s = document.getElementById({0}); s.value = {1}; s.dispatchEvent(new Event({2})); }})()"
    browser.run(choose.format("'find'", "'STRO'", "'input'"))
    assert browser.run(NAMES) == ["strong"]
    cell = "document.querySelector('[data-key=strong] [data-c=rsm]').textContent"
    before = browser.run(cell)
    browser.run(choose.format("'group'", "'1'", "'change'"))
    assert browser.run(cell) != before
    link = browser.run("document.getElementById('permalink').href")
    browser.open(link)
    assert browser.run(NAMES) == ["strong"]
    assert browser.run(cell) != before
    browser.run(choose.format("'group'", "'0'", "'change'"))
    assert browser.run(cell) == before
    assert browser.messages == []


def test_slider_pairs_and_links(boards, browser):
    build(boards)
    address = (boards / "site" / "mini--rses-mini.html").as_uri()
    browser.open(address + "#left=strong&right=gentle&sample=mini-016-flower")
    chosen = "['left', 'right', 'sample'].map((id) => document.getElementById(id).value)"
    assert browser.run(chosen) == ["strong", "gentle", "mini-016-flower"]
    loaded = "Promise.all([...document.querySelectorAll('.stack img')].map((i) => i.decode())).then(() => true)"
    assert browser.run(loaded) is True
    browser.run("document.getElementById('cut').focus()")
    for _ in range(5):
        browser.key("ArrowRight", 39)
    assert browser.run("document.querySelector('.stack').style.getPropertyValue('--cut')") == "55%"
    browser.run("document.getElementById('next').click()")
    assert browser.run(chosen)[2] == "mini-032-rocket"
    assert "mini-032-rocket by gentle" in browser.run("document.getElementById('image-right').alt")
    # Every link within the page leads somewhere, and every control has a name.
    anchors = "[...document.querySelectorAll('a[href^=\"#card-\"]')].map((a) => a.getAttribute('href').slice(1))"
    assert len(browser.run(anchors)) >= 10
    assert browser.run(f"{anchors}.filter((id) => !document.getElementById(id)).length") == 0
    nameless = "[...document.querySelectorAll('input, select')].filter((e) => !e.labels.length && !e.ariaLabel).length"
    assert browser.run(nameless) == 0
    browser.run("location.hash = '#card-strong'")
    time.sleep(0.2)
    assert browser.run("document.getElementById('card-strong').open") is True
    assert browser.messages == []


def test_a_phone_shows_the_page_without_sideways_scrolling(boards, browser):
    build(boards)
    for dark in (False, True):
        browser.size(390, 844, dark)
        for name in ("mini--rses-mini.html", "index.html"):
            browser.open((boards / "site" / name).as_uri())
            assert browser.run("document.documentElement.scrollWidth") <= 390
    assert browser.messages == []
