"""``rses protocols``: named choices of everything that changes a number."""

from __future__ import annotations

from rses.cli.common import catalogue

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.protocol import PROTOCOLS

    return [(name, f"{protocol.hash}  {protocol.title}") for name, protocol in PROTOCOLS.items()]


def _card(name: str) -> str:
    from rses.protocol import get_protocol

    return get_protocol(name).card()


app = catalogue("List the protocols; `rses protocols show NAME` prints every knob.", _lines, _card, "protocol")
