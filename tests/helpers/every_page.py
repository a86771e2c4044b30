"""Every kind of page, with one text in all places where a name can stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from rses.leaderboard.board import Board, BoardRow, Scores
from rses.leaderboard.published import NUMBERS, PublishedRow
from rses.leaderboard.site import board_page, index_page
from rses.report.columns import Cell
from rses.report.compare_page import comparison_html
from rses.report.comparison import compare_runs
from rses.report.html import report_html
from rses.report.inputs import SampleFiles
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.suites.sheet import Cell as Picture
from rses.suites.sheet import sheet_page
from rses.table import METRICS
from rses.validate.show import to_page
from tests.helpers.validity import validity

EVIL = (
    "</script><img src=x onerror=alert(1)>",
    "'\" onmouseover=\"alert(1)' x='",
    "javascript:alert(1)",
    "{{ 7 * 7 }}<!-- \x1b[31m\u202e&lt;b&gt;",
)


def hostile_run(evil: str, name: str) -> Results:
    facts = {"style": evil, "object": evil, "tags": (evil,), "dataset": evil, "note": evil, "mask_fraction": 0.1}
    samples = [
        SampleResult(evil, mse_bg=0.1, lpips_bg=0.2, rsm=0.5, warnings=("unedited", evil), **facts),
        SampleResult("b", mse_bg=0.2, lpips_bg=0.1, rsm=0.6, style="other", dataset="other"),
        SampleResult(f"{evil}2", status="unreadable", note=evil),
    ]
    info = {
        "method": name, "suite": {"name": evil, "version": evil, "sha256": evil},
        "protocol": {"id": evil, "hash": evil, "knobs": {evil: evil}}, "versions": {evil: evil}, "device": evil,
        "weights": {evil: {"id": evil, "sha256": evil}},
    }  # fmt: skip
    return Results(samples, info)


def files(evil: str, folder: Path) -> dict[str, SampleFiles]:
    Image.new("RGB", (16, 16), "red").save(folder / "a.png")
    Image.new("L", (16, 16), 255).save(folder / "m.png")
    place = SampleFiles(folder / "a.png", folder / "a.png", folder / "m.png")
    return {evil: place, "b": replace(place, source=None)}


def report(evil, folder):
    return report_html([hostile_run(evil, evil)], files=[files(evil, folder)], heatmap=lambda p, s, m: s[..., 0] / 255)


def reports(evil, folder):
    runs = [hostile_run(evil, evil), hostile_run(evil, "other")]
    return report_html(runs, files=[files(evil, folder), None])


def comparison(evil, folder):
    runs = [hostile_run(evil, evil), hostile_run(evil, "other")]
    return comparison_html(runs, compare_runs(runs), files=[files(evil, folder)] * 2)


def a_board(evil: str) -> Board:
    card = dict.fromkeys(("title", "paper", "licence", "weights", "revision", "full_size", "year"), evil)
    cells = {name: Cell(0.5, 0.4, 0.6, n=3) for name in ("rsm", "lpips_bg", "mse_bg", "rses_p")}
    sample = SampleResult(evil, rses_p=0.1, style=evil)
    row = BoardRow(
        "key", evil, "mask-free", cells, 1, 2, (0,), evil, evil, {**card, "settings": {evil: evil}}, {}, 1,
        {f"style: {evil}": cells}, Scores((), (), {}), (sample,), (sample,), (), {"rsm": 0.1}, frozenset({"rsm"}),
    )  # fmt: skip
    better = {**cells, "rsm": Cell(0.7, 0.6, 0.8), "lpips_bg": Cell(0.7)}
    rows = (row, replace(row, key="two", cells=better), replace(row, key="ref", section="reference"))
    return Board("board", evil, evil, "sha", evil, evil, tuple(METRICS[name] for name in cells), rows)


def board(evil, folder):
    own, rows = a_board(evil), [PublishedRow(evil, evil, evil, dict.fromkeys(NUMBERS, "0.5"), evil)]
    return board_page(own, {f"key/{evil}.jpg", f"_source/{evil}.jpg"}, rows, [own, replace(own, key="other")])


def index(evil, folder):
    return index_page([a_board(evil)], [PublishedRow(evil, evil, evil, dict.fromkeys(NUMBERS, ""), evil)])


def sheet(evil, folder):
    cell = Picture(Image.new("RGB", (4, 4)), (evil,), evil, evil, evil, (evil, "plain"))
    return sheet_page(evil, [cell], {"style": {evil: 3}})


def validation(evil, folder):
    return to_page(validity(text=evil))


PAGES = (report, reports, comparison, board, index, sheet, validation)
