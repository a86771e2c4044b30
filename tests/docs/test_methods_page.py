"""The page on methods says what the cards say."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rses.methods import get_method, list_methods

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"


def rows():
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", cells[0]) if line.startswith("| `") else []:
            yield name, cells


def test_every_method_is_on_the_page_once():
    assert sorted(name for name, _ in rows()) == list_methods()


def test_masks_and_embedded_weights_are_as_on_the_cards():
    for name, cells in rows():
        card = get_method(name).card
        if card.reference or name == "style-editor":
            continue
        assert cells[2].startswith("**yes**") == card.mask_used, name
        assert (cells[5] == "yes") == (card.name.endswith("-mini") and "then-paste" not in name), name


BOARD = PAGE.parents[1] / "leaderboards" / "tables" / "mini--rses-mini.json"
SHOWN = {"rsm": 3, "rsm_gain": 3, "style_accuracy": 3, "lpips_bg": 3, "mse_bg": 4, "leakage": 3, "rses_p": 3}


def test_measured_numbers_are_those_of_the_board():
    """To renew the page, put in its table what this renders."""
    lines = []
    for row in json.loads(BOARD.read_text())["methods"]:
        cells = [row["method"], row["mask_at_inference"], str(len(row["seeds"]))]
        cells += [f"{row['metrics'][name]['mean']:.{digits}f}" for name, digits in SHOWN.items()]
        lines.append("| " + " | ".join(cells) + " |")
    assert "\n".join(lines) in PAGE.read_text()
    assert {f"{name}-mini" for name, cells in rows() if cells[5] == "yes"} <= {line.split()[1] for line in lines}
