"""The page on methods says what the cards say."""

from __future__ import annotations

import re
from pathlib import Path

from rses.methods import get_method, method_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"


def rows():
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", cells[0]) if line.startswith("| `") else []:
            yield name, cells


def test_every_method_is_on_the_page_once():
    assert sorted(name for name, _ in rows()) == method_names()


def test_masks_and_embedded_weights_are_as_on_the_cards():
    for name, cells in rows():
        card = get_method(name).card
        if card.reference or name == "style-editor":
            continue
        assert cells[2].startswith("**yes**") == card.mask_used, name
        assert (cells[5] == "yes") == (card.name.endswith("-mini") and "then-paste" not in name), name
