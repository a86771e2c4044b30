"""``rses methods``: the installed editing methods that `rses bench` can run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rses.cli.common import catalogue

if TYPE_CHECKING:
    from rses.methods import MethodCard

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.methods import get_card, list_methods

    lines = []
    for name in list_methods():
        try:
            card = get_card(name)
        except Exception as error:  # a broken plug-in must not hide the other methods
            lines.append((name, f"cannot be loaded: {error}"))
            continue
        lines.append((name, _line(card)))
    return lines or [("none", "methods register in the entry-point group rses.methods")]


def _line(card: MethodCard) -> str:
    """One line: mask, year, title, paper, weights with licence and memory."""
    mask = {True: "mask used", False: "mask-free", None: "mask use not stated"}[card.mask_used]
    paper = f" [{card.paper}]" if card.paper else ""
    return f"{mask:<9}  {card.year or '-':<4}  {card.title}{paper}{_weights(card)}"


def _weights(card: MethodCard) -> str:
    if card.weights == "none":
        return ""
    if card.full_size:
        return f"; embedded {card.weights}, or {card.full_size}"
    gate = ", gated" if card.gated else ""
    memory = f", about {card.memory_gb:.0f} GB" if card.memory_gb >= 1 else ""
    return f"; {card.weights} ({card.licence}{gate}{memory})"


def _card(name: str) -> str:
    from rses.methods import get_card

    return json.dumps(get_card(name).to_dict(), indent=2, ensure_ascii=False)


app = catalogue("List the installed methods; `rses methods show NAME` prints a card.", _lines, _card, "method")
