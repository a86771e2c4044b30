"""Style-Editor (CVPR 2025), from a folder of its outputs: its code has no licence, so none of it is here."""

from __future__ import annotations

from rses.bench.predictions import Predictions
from rses.methods import MethodCard


class StyleEditor(Predictions):
    """Edits made with the authors' program, ``<id>.png`` at the source's size."""

    defaults = MethodCard(
        "style-editor", "Style-Editor, text-driven style of one object; run with the authors' program",
        mask_used=False, paper="CVPR 2025, arXiv 2408.08461", year=2025, weights="optimised per image",
        licence="none given",
    )  # fmt: skip
    how = (
        "it is run with its authors' program, which has no licence to build on. Run that on the suite "
        "(`rses suites export`), save its edits as <id>.png, and pass the folder: --set folder=DIR"
    )
