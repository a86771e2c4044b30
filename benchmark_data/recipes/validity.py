"""Write the numbers of docs/validity.md: ``python -m benchmark_data.recipes.validity``.

Needs the 16 real photographs ($RSES_REAL_DATA, as the evaluation of rses-mini does). Five minutes on two cores.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmark_data.recipes.mini.held_out import real_photos
from rses.files.atomic import write_atomic
from rses.images.nuisances import NUISANCES
from rses.pages.grid import Grid, Value
from rses.pages.numbers import number
from rses.report.marked import replace_marked
from rses.scoring.scorer import RSES
from rses.validate.ladders import Scene
from rses.validate.run import renderings, validate
from rses.validate.show import seen_grid, to_markdown
from rses.validate.verdict import Seen

__all__ = ["DATA", "LIMIT", "PAGE", "SUITES", "floors", "main"]

ROOT = Path(__file__).resolve().parents[2]
PAGE, DATA = ROOT / "docs" / "validity.md", ROOT / "docs" / "data" / "validity.json"
SUITES = ("mini", "photos")
LIMIT = 12


def floors() -> Grid:
    """RSES-P of the nuisance rows over whole suites, from the boards."""
    rows = [[f"{name}: {change.title}"] for name, change in NUISANCES.items()]
    for suite in SUITES:
        board = json.loads((ROOT / "leaderboards" / "tables" / f"{suite}--rses-mini.json").read_text("utf-8"))
        cells = {row["method"]: row["metrics"]["rses_p"] for row in board["methods"]}
        for name, row in zip(NUISANCES, rows, strict=True):
            mean, low, high = (number(cells[f"{name}-identity"][key], 3) for key in ("mean", "low", "high"))
            row.append(Value(mean, f"[{low}, {high}]"))  # type: ignore[arg-type]
    return Grid(["whole picture", *(f"RSES-P on {suite}" for suite in SUITES)], rows)


def photographs() -> tuple[Seen, ...]:
    """Renderings of photographs that training never opened."""
    scorer = RSES("rses-mini", metrics=["rsm_gain", "style_correct", "leakage"])
    return renderings(scorer, (Scene(item.image, item.region) for item in real_photos()))


def main() -> None:
    """Measure, and write page and data."""
    found = {suite: validate("rses-mini", suite, limit=LIMIT) for suite in SUITES}
    shown = photographs()
    content = {**{suite: one.to_dict() for suite, one in found.items()}, "photographs": [vars(one) for one in shown]}
    write_atomic(DATA, (json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n").encode())
    parts = [
        "### Nuisances, over whole suites",
        "From the boards, with 95 % intervals. At most .03 is asked, either way.",
    ]
    parts += [floors().markdown(), "### Renderings, on 16 photographs that training never opened"]
    parts += [seen_grid(shown).markdown()]
    for suite in SUITES:
        parts += [
            f"### All columns, on `{suite}`",
            f"`rses validate --protocol rses-mini --suite {suite} --limit {LIMIT}`",
        ]
        parts.append(to_markdown(found[suite]).rstrip())
    write_atomic(PAGE, replace_marked(PAGE, "validity", "\n\n".join(parts)).encode())


if __name__ == "__main__":
    main()
