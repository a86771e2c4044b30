"""Boards and tables: ranks, layers, sections, every format, staleness."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rses.cli.main import main
from rses.errors import InputError
from rses.files.atomic import sha256_file
from rses.leaderboard.board import load_boards
from rses.leaderboard.build import build, check_fresh, render_all
from rses.leaderboard.pack import add_run, slug
from rses.leaderboard.published import read_published
from rses.leaderboard.seeds import averaged, seed_spread
from rses.leaderboard.serve import make_server
from rses.leaderboard.site import board_page
from rses.leaderboard.tables import board_csv, board_json, board_latex, board_markdown, board_parquet
from rses.runs.results import Results, load_run
from rses.runs.sample_result import SampleResult
from rses.statistics import mean_interval
from tests.helpers.refusals import refused

ROOT = Path(__file__).resolve().parents[3]


def test_committed_tables_and_pages_are_up_to_date():
    check_fresh(ROOT / "leaderboards", ROOT / "README.md")


def test_published_rows_are_those_of_the_paper_notes():
    rows = read_published(ROOT / "leaderboards" / "published.csv")
    main_table = {row.method: row.numbers["rsm"] for row in rows if row.table == "main" and row.dataset == "COCO"}
    assert main_table["RegionRoute (r=4)"] == "0.6128"
    assert len(main_table) == 8
    assert all(row.source for row in rows)


def test_sections_ranks_and_layers(boards):
    (board,) = load_boards(boards)
    assert (board.suite, board.protocol) == ("mini", "rses-mini")
    rows = {row.name: row for row in board.rows}
    assert [row.section for row in board.rows] == ["mask-free"] * 3 + ["mask", "reference"]
    assert {name: str(rows[name].ranks["rsm"]) for name in ("strong", "gentle", "beaten")} == {
        "strong": "1", "gentle": "2", "beaten": "3",
    }  # fmt: skip
    assert {name: rows[name].layer for name in rows} == {
        "strong": 1, "gentle": 1, "beaten": 2, "masked": 1, "identity": None,
    }  # fmt: skip
    assert rows["identity"].ranks == {}
    # The masked method is better in everything, and yet takes no mark from those without a mask.
    assert "rsm" in rows["strong"].best
    assert "lpips_bg" in rows["gentle"].best
    assert rows["gentle"].seeds == (0, 1)


def test_cells_are_means_of_the_samples(boards, make_run):
    (board,) = load_boards(boards)
    row = next(row for row in board.rows if row.name == "strong")
    values = [sample.rsm for sample in load_run(row.folders[0]).samples]
    interval = mean_interval(values)
    cell = row.cells["rsm"]
    assert (cell.mean, cell.low, cell.high) == pytest.approx((interval.mean, interval.low, interval.high), rel=1e-8)
    assert cell.n == 96
    style = row.groups["style: pixel art"]["rsm"]
    chosen = [s.rsm for s in load_run(row.folders[0]).samples if s.style == "pixel art"]
    assert style.mean == pytest.approx(np.mean(chosen), rel=1e-8)


def test_seeds_average_sample_by_sample_and_need_all_seeds():
    runs = [
        Results([SampleResult("a", mse_bg=0.1), SampleResult("b", mse_bg=0.2)]),
        Results([SampleResult("a", mse_bg=0.3), SampleResult("b", status="failed")]),
    ]
    first, second = averaged(runs)
    assert first.mse_bg == pytest.approx(0.2)
    assert second.status == "failed"


def test_a_background_is_perfect_only_where_every_seed_left_it_so():
    runs = [
        Results([SampleResult("a", psnr_bg=math.inf), SampleResult("b", psnr_bg=math.inf)]),
        Results([SampleResult("a", psnr_bg=30.0), SampleResult("b", psnr_bg=math.inf)]),
    ]
    assert [sample.psnr_bg for sample in averaged(runs)] == [30.0, math.inf]


def test_the_spread_of_seeds_is_over_the_samples_they_share():
    columns = ([0.1, 0.3, 0.9], [0.2, 0.4, None], [0.4, 0.7, 0.1])
    runs = [
        Results([SampleResult(i, "ok" if v is not None else "failed", mse_bg=v) for i, v in zip("abc", c, strict=True)])
        for c in columns
    ]
    assert seed_spread(runs)["mse_bg"] == pytest.approx(np.std([0.2, 0.3, 0.55], ddof=1))
    assert seed_spread(runs[:1]) == {}


def test_seeds_are_one_row_with_spread_and_intervals_over_source_images(tmp_path, make_run):
    root = tmp_path / "leaderboards"
    for seed in (0, 1, 2):
        add_run(make_run("chance", noise=5, seed=seed, suite="photos"), root, date="2026-02-19", previews=0)
    (board,) = load_boards(root)
    (row,) = board.rows
    assert (row.seeds, row.n, row.total, len(row.folders)) == ((0, 1, 2), 36, 36, 3)
    runs = [load_run(folder) for folder in row.folders]
    table = np.array([[s.rsm for s in run.samples] for run in runs])
    assert row.spread["rsm"] == pytest.approx(table.mean(axis=1).std(ddof=1), rel=1e-8)
    # Thirty-six samples of nine photographs, each averaged over the seeds.
    sources = [sample.source for sample in runs[0].samples]
    interval = mean_interval(table.mean(axis=0), clusters=sources)
    assert len(set(sources)) == 9
    cell = row.cells["rsm"]
    assert (cell.mean, cell.low, cell.high) == pytest.approx((interval.mean, interval.low, interval.high), rel=1e-8)
    assert json.loads(board_json(board))["methods"][0]["seed_sd"]["rsm"] == row.spread["rsm"]
    record = next(csv.DictReader(io.StringIO(board_csv(board))))
    assert (float(record["rsm_seed_sd"]), record["seeds"]) == (row.spread["rsm"], "0 1 2")
    assert f"± {row.spread['rsm']:.4f}" in board_markdown(board)
    assert rf"$\pm$ {row.spread['rsm']:.4f}" in board_latex(board, intervals=True)


def test_boards_of_several_suites_stay_apart(boards, make_run):
    add_run(make_run("strong", suite="photos"), boards, date="2026-02-19", previews=0)
    mini, photos = load_boards(boards)
    assert (mini.suite, photos.suite, len(mini.rows), len(photos.rows)) == ("mini", "photos", 5, 1)
    (row,) = photos.rows
    assert (row.total, row.best) == (36, frozenset())
    build(boards)
    page = (boards / "site" / "photos--rses-mini.html").read_text()
    assert "gentle" not in page


def test_the_floor_is_what_the_worst_nuisance_reaches(boards, make_run):
    (board,) = load_boards(boards)
    assert board.floor is None
    assert "Floor" not in board_markdown(board)
    for name, style, reference in (("jpeg-identity", -0.02, True), ("hue-identity", 0.01, True), ("blur", 0.2, False)):
        add_run(make_run(name, style=style, reference=reference), boards, date="2026-02-19", previews=0)
    (board,) = load_boards(boards)
    worst = next(row for row in board.rows if row.name == "jpeg-identity").cells["rses_p"].mean
    assert board.floor == ("jpeg-identity", -worst)
    assert json.loads(board_json(board))["floor"] == {"method": "jpeg-identity", "rses_p": -worst}
    for text in (board_markdown(board), board_page(board, set(), [])):
        assert f"Floor: {-worst:.3f}," in text
        assert "missed by this encoder" in text


def test_every_format_says_the_same(boards):
    (board,) = load_boards(boards)
    mean = next(row for row in board.rows if row.name == "strong").cells["rsm"].mean
    row = next(row for row in csv.DictReader(io.StringIO(board_csv(board))) if row["method"] == "strong")
    assert float(row["rsm"]) == mean
    frame = pq.read_table(io.BytesIO(board_parquet(board))).to_pylist()
    assert next(line for line in frame if line["method"] == "strong")["rsm"] == mean
    record = next(m for m in json.loads(board_json(board))["methods"] if m["method"] == "strong")
    assert record["metrics"]["rsm"]["mean"] == mean
    assert f"**{mean:.4f}**" in board_markdown(board)
    latex = board_latex(board)
    assert f"\\textbf{{{mean:.4f}}}" in latex
    assert "\\underline" in latex
    assert "\\scriptsize" in board_latex(board, intervals=True)
    assert "\\scriptsize" not in latex
    # Each line of the body has as many cells as the header.
    lines = [line for line in latex.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in lines}) == 1


def test_the_same_results_give_the_same_bytes_wherever_they_lie(boards, tmp_path):
    first = render_all(boards)
    shutil.copytree(boards, tmp_path / "elsewhere")
    assert render_all(tmp_path / "elsewhere") == first


def test_a_stale_table_is_found_and_a_leftover_removed(boards):
    build(boards)
    check_fresh(boards)
    table = boards / "tables" / "mini--rses-mini.md"
    table.write_text(table.read_text().replace("strong", "stronger"))
    (boards / "tables" / "gone.md").write_text("old")
    (boards / "tables" / "mini--rses-mini.parquet").write_bytes(b"PAR1 but no table")
    (boards / "tables" / "files.txt").open("a").write("tables/gone.md\n")
    with pytest.raises(InputError) as caught:
        check_fresh(boards)
    found = [(problem.code, problem.place.file) for problem in caught.value.problems]
    stale = ("tables/files.txt", "tables/mini--rses-mini.md", "tables/mini--rses-mini.parquet")
    assert found == [("unknown-file", "tables/gone.md"), *(("stale", name) for name in stale)]
    build(boards)
    check_fresh(boards)
    assert not (boards / "tables" / "gone.md").exists()


def test_the_readme_shows_the_top_and_is_checked(boards):
    shutil.copy(ROOT / "leaderboards" / "published.csv", boards)
    readme = boards.parent / "README.md"
    readme.write_text("# Mine\n\n<!-- leaderboard: begin -->\nold\n<!-- leaderboard: end -->\n\nThe rest.\n")
    build(boards)
    with refused(InputError, "stale", "README.md"):
        check_fresh(boards, readme)
    command = ["leaderboard", "build", "--boards", str(boards), "--readme", str(readme)]
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    text = readme.read_text()
    assert text.startswith("# Mine\n\n<!-- leaderboard: begin -->\n")
    assert text.endswith("<!-- leaderboard: end -->\n\nThe rest.\n")
    rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [["| strong", "no"], ["| gentle", "no"], ["| beaten", "no"], ["| masked", "yes"]]
    assert "Toys trained by this project" in text
    # Numbers of papers have a page of their own.
    assert "FLUX.1-Kontext" not in text
    assert "tables/published.md" in text
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (readme.parent / target).is_file(), target
    # Another order of the results, and the block is stale again.
    (boards / "results" / "mini--rses-mini" / "strong").rename(boards.parent / "gone")
    assert main([*command, "--check"]) == 2


@pytest.mark.parametrize("text", ["no marks", "<!-- leaderboard: end --><!-- leaderboard: begin -->"])
def test_a_readme_without_marks_is_left_alone(boards, text):
    readme = boards.parent / "README.md"
    readme.write_text(text)
    with refused(InputError, "missing-key", "README.md"):
        build(boards, readme=readme)
    assert readme.read_text() == text
    with refused(InputError, "unreadable"):
        build(boards, readme=boards.parent / "other.md")


def test_a_run_of_part_of_the_suite_is_no_row_beside_whole_ones(boards):
    place = boards / "results" / "mini--rses-mini" / "strong"
    table = pq.read_table(place / "samples.parquet")
    pq.write_table(table.slice(0, 12), place / "samples.parquet")
    manifest = json.loads((place / "submission.json").read_text())
    manifest["files"]["samples.parquet"] = sha256_file(place / "samples.parquet")
    (place / "submission.json").write_text(json.dumps(manifest))
    with refused(InputError, "mismatch"):
        load_boards(boards)


def test_what_does_not_compare_is_never_one_board(boards, make_run):
    add_run(make_run("photographed", suite="photos"), boards, board="mini--rses-mini", date="2026-02-19")
    with refused(InputError, "mismatch", "suite.name"):
        load_boards(boards)


def test_one_method_twice_with_one_seed_is_refused(boards):
    place = boards / "results" / "mini--rses-mini"
    shutil.copytree(place / "strong", place / "copy")
    with refused(InputError, "used-twice"):
        load_boards(boards)


def test_a_wrong_folder_is_not_cleaned(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.html").write_text("keep")
    with refused(InputError, "missing-file"):
        build(tmp_path)
    assert (tmp_path / "site" / "mine.html").exists()


def test_commands(boards, make_run, capsys):
    run = make_run("Another One", noise=9)
    assert main(["leaderboard", "add", str(run), "--boards", str(boards), "--previews", "2"]) == 0
    assert capsys.readouterr().out.strip().endswith("another-one")
    assert main(["leaderboard", "add", str(run), "--boards", str(boards)]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["leaderboard", "add", str(run), "--boards", str(boards), "--replace", "--previews", "2"]) == 0
    assert main(["leaderboard", "build", "--boards", str(boards)]) == 0
    assert main(["leaderboard", "build", "--boards", str(boards), "--check"]) == 0
    assert "Another One" in (boards / "README.md").read_text()


def test_slug_keeps_names_apart_from_paths():
    assert slug("../../etc") == "etc"
    assert slug("ａ ｂ") == "a-b"


def test_serve_shows_the_site_on_this_machine_only(boards):
    with refused(InputError, "missing-file", "site"):
        make_server(boards)
    build(boards)
    with make_server(boards) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        assert server.server_address[0] == "127.0.0.1"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for place, held in (("mini--rses-mini.html", b"strong"), ("tables/mini--rses-mini.csv", b"strong")):
            with opener.open(f"http://127.0.0.1:{server.server_port}/{place}", timeout=10) as answer:
                assert held in answer.read()
        server.shutdown()
        thread.join()
