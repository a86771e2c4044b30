"""Golden files: what the scorer, its run folders, a board and its public names are today, to the last bit.

``stored`` holds inputs that are never made again: patches that went through JPEG, and submissions to a small board,
which every later version must render alike. ``expected`` holds what came out of them; ``regenerate.py`` writes it. Only
commands and public names are used, so that code behind them may be rearranged without touching anything here.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
STORED, EXPECTED = FOLDER / "stored", FOLDER / "expected"
