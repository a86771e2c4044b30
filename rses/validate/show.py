"""What is known of a protocol, as text, Markdown and a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rses.files.escape import escape_markdown
from rses.images.nuisances import FLOOR
from rses.pages.charts import Axis
from rses.pages.grid import Grid, printed
from rses.pages.html import render_page
from rses.pages.notices import toy_note
from rses.pages.numbers import UNDEFINED, number
from rses.report.columns import Cell
from rses.report.plots import Plot, Series, distribution
from rses.report.thumbs import embedded, fit
from rses.statistics import Interval
from rses.table import METRICS
from rses.validate.ladders import LADDERS
from rses.validate.renderers import RENDERERS
from rses.validate.verdict import FLOOR_COLUMNS, PART, SEEN, SHARE, Climb, Seen, Validity, known_of

__all__ = ["notes", "seen_grid", "tables", "to_markdown", "to_page", "to_text"]

WIDTH, HEIGHT, EDGE = 84, 26, 3
SIDE = 128
KINDS = ("monotone", "sensitive", "blind")
WORDS = {"rise": "↑", "fall": "↓", "stay": "→"}


def notes(found: Validity) -> list[str]:
    """Return what a reader must know, the most important first."""
    protocol, suite = found.info["protocol"], found.info["suite"]
    of = "" if found.samples == suite["samples"] else f" of {suite['samples']}"
    used = {entry["id"]: entry["sha256"] for entry in found.info["weights"].values() if entry}
    lines = [
        f"Protocol {protocol['id']} ({protocol['hash']}) on {found.samples}{of} samples of {suite['name']} "
        f"{suite['version']}, {found.pictures} different regions. Weights: "
        f"{', '.join(f'{name} sha256 {digest}' for name, digest in used.items())}.",
        f"Monotone: no step of a ladder goes the wrong way. Sensitive: {SHARE:.0%} of the pictures end on the right "
        "side of where they began. Blind: nothing moves that should stay. Columns of the style encoder may move by "
        f"{PART:.0%} of what the full style moves, all others not at all. Blind of RSES-P are the nuisances alone, "
        f"within {FLOOR} of 0.",
    ]
    return [*([note] if (note := toy_note(protocol["id"])) else []), *lines]


def tables(found: Validity) -> dict[str, Grid]:
    """Return verdicts, nuisances and renderings, by title."""
    verdicts = []
    for name in found.columns:
        facts = found.verdict(name)
        counts = [f"{good} of {most}" if most else UNDEFINED for good, most in (facts[kind] for kind in KINDS)]
        verdicts.append([METRICS[name].title, *counts, ", ".join(facts["fails"]) or "nowhere"])
    floors = [
        [f"{floor.name}: {floor.title}", *(_mean(floor.means.get(name), name) for name in FLOOR_COLUMNS),
         "yes" if floor.holds else "no"]
        for floor in found.floors
    ]  # fmt: skip
    return {
        "Columns": Grid(["column", *KINDS, "fails on"], verdicts, "lrrrl"),
        "Nuisances, which are no style": Grid(
            ["whole picture", *(METRICS[name].title for name in FLOOR_COLUMNS), f"within {FLOOR}"], floors, "lrrrl"
        ),
        "Renderings by simple filters": seen_grid(found.seen),
    }  # fmt: skip


def seen_grid(seen: Sequence[Seen]) -> Grid:
    """Return the table of renderings, with the means over all of them in its last row."""
    rows = [[one.name, one.style, *(_share(getattr(one, name)) for name in SEEN), number(one.gain, 4)] for one in seen]
    known = known_of(seen)
    shares = [f"{_share(known[name])} (asked: {_share(asked)})" for name, asked in SEEN.items()]
    rows.append(["all", "", *shares, number(sum(one.gain for one in seen) / len(seen), 4)])
    titles = ("whole picture", "style", "right text rises", "nearest of ten", "leakage above 0", "RSM gain")
    return Grid(titles, rows, "llrrrr")


def _mean(interval: Interval | None, column: str) -> str:
    if interval is None:
        return UNDEFINED
    cell = Cell(interval.mean, interval.low, interval.high, digits=METRICS[column].digits)
    return f"{cell.value} {cell.interval}".rstrip()


def _share(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.0%}"


def to_text(found: Validity, width: int, color: bool) -> str:
    """Return the tables for a terminal."""
    from rich.text import Text

    parts = [part for title, grid in tables(found).items() for part in (Text(title), grid.terminal(color, wrap=True))]
    return printed([*parts, *map(Text, notes(found))], width, color)


def to_markdown(found: Validity) -> str:
    """Return the tables as Markdown."""
    parts = [f"**{title}**\n\n{grid.markdown()}\n" for title, grid in tables(found).items()]
    return "\n".join([*parts, *(f"{escape_markdown(note)}  " for note in notes(found))]) + "\n"


@dataclass(frozen=True)
class Spark:
    """A small curve of one column on one ladder: its path, and in words."""

    path: str
    sign: str
    label: str
    holds: bool


def to_page(found: Validity) -> str:
    """Return the page: verdicts, the curve of each column on each ladder, nuisances, renderings, an example."""
    grids = list(tables(found).items())
    scene = found.scene
    shown = [("source", scene.image), ("perfect edit", scene.edited)]
    shown += [(f"{ladder.name}, last step", ladder.draw(scene, ladder.steps[-1])) for ladder in LADDERS[2:]]
    shown += [(f"{name}: {style}", render(scene.image)) for name, (style, render) in RENDERERS.items()]
    return render_page(
        "validity.html",
        title=f"{found.info['protocol']['id']} · how far it can be trusted",
        found=found,
        notes=notes(found),
        tables=grids,
        ladders=LADDERS,
        curves=[
            (METRICS[name], [(climb := found.of(name).get(ladder.name)) and _spark(climb) for ladder in LADDERS])
            for name in found.columns
        ],
        plot=_plot(found),
        pictures=[(title, embedded(fit(picture, SIDE))) for title, picture in shown],
        size=(WIDTH, HEIGHT),
    )


def _spark(climb: Climb) -> Spark:
    finite = [(place, mean) for place, mean in enumerate(climb.means) if math.isfinite(mean)]
    values = [mean for _, mean in finite] or [0.0]
    low, high = min(values), max(values)
    # What is taken for no change is drawn flat.
    reach = max(high - low, 2 * climb.slack) or 1.0
    middle = (low + high) / 2
    x = Axis(0, len(climb.means) - 1, EDGE, WIDTH - EDGE)
    y = Axis(middle - reach / 2, middle + reach / 2, HEIGHT - EDGE, EDGE)
    path = "M" + "L".join(f"{x.at(place)} {y.at(mean)}" for place, mean in finite) if finite else ""
    steps = zip(climb.steps, climb.means, strict=True)
    text = ", ".join(f"{number(mean, METRICS[climb.column].digits)} at {step:g}" for step, mean in steps)
    label = f"{METRICS[climb.column].title} should {climb.expected} with {climb.ladder} ({climb.unit}): {text}"
    return Spark(path, WORDS[climb.expected], label, climb.holds)


def _plot(found: Validity) -> Plot:
    """RSES-P of every sample under each nuisance."""
    series = []
    for floor in found.floors:
        mean = floor.means.get("rses_p")
        cell = Cell(digits=3) if mean is None else Cell(mean.mean, mean.low, mean.high, mean.n, digits=3)
        series.append(Series(floor.name, floor.values, cell))
    return distribution(series, METRICS["rses_p"].title)
