"""Golden files: what the scorer, its run folders, a board and its public names are today, to the last bit.

``stored`` holds inputs, ``expected`` what came out of them; ``regenerate.py`` writes the second. Only commands and the
public names of ``rses`` are used, so that code behind them may be rearranged without touching anything here.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
STORED, EXPECTED = FOLDER / "stored", FOLDER / "expected"
