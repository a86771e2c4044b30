"""``rses methods``: the installed editing methods that `rses bench` can run."""

from __future__ import annotations

import json

from rses.cli.common import catalogue

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.methods import get_method, method_names

    lines = []
    for name in method_names():
        try:
            card = get_method(name).card
        except Exception as error:  # a broken plug-in must not hide the other methods
            lines.append((name, f"cannot be loaded: {error}"))
            continue
        mask = "mask used" if card.mask_used else "mask-free"
        lines.append((name, f"{mask:<9}  {card.year or '-':<4}  {card.title}"))
    return lines or [("none", "methods register in the entry-point group rses.methods")]


def _card(name: str) -> str:
    from rses.methods import get_method

    return json.dumps(get_method(name).card.to_dict(), indent=2, ensure_ascii=False)


app = catalogue("List the installed methods; `rses methods show NAME` prints a card.", _lines, _card, "method")
