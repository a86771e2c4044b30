"""``rses methods``: the installed editing methods that `rses bench` can run."""

from __future__ import annotations

from typing import Any

from rses.cli.common import catalogue

__all__ = ["app"]


def _lines() -> list[tuple[str, str]]:
    from rses.methods import get_method, method_names

    lines = []
    for name in method_names():
        try:
            lines.append((name, get_method(name).card.title))
        except Exception as error:  # a broken plug-in must not hide the other methods
            lines.append((name, f"cannot be loaded: {error}"))
    return lines or [("", "No method is installed. Methods register in the entry-point group rses.methods.")]


def _card(name: str) -> str:
    from rses.methods import get_method

    facts: dict[str, Any] = get_method(name).card.to_dict()
    shown = {
        key.replace("_", " "): "yes" if value is True else "no" if value is False else value
        for key, value in facts.items()
        if value not in ("", None, {}) and key != "name"
    }
    return "\n".join([str(facts["name"]), *(f"  {key:<10} {value}" for key, value in shown.items())])


app = catalogue("List the installed methods; `rses methods show NAME` prints a card.", _lines, _card, "method")
