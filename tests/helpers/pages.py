"""What a browser would make of a page."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """A page whose elements are nested well; ``seen`` are tags with attributes, ``text`` what is read."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []
        self.content: dict[str, list[str]] = {"style": [], "script": []}
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in self.content:
            self.content[self._open[-1]].append(data)
        else:
            self.text += data

    def all(self, tag: str) -> list[dict]:
        """Attributes of every element of a kind."""
        return [attrs for name, attrs in self.seen if name == tag]

    @property
    def policy(self) -> dict[str, str]:
        """Directives of its content policy."""
        content = next(attrs["content"] for attrs in self.all("meta") if "http-equiv" in attrs)
        return dict(part.strip().split(" ", 1) for part in content.split(";"))


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
