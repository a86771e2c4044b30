"""What may lie in a leaderboards folder: whole suites, a folder a method, and nothing of anybody else's."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from rses.errors import InputError
from rses.leaderboard.board import load_boards, rank_rows
from rses.leaderboard.build import build, check_fresh
from rses.leaderboard.pack import add_run
from rses.runs.results import Results
from tests.helpers.refusals import refused


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_that_no_build_wrote_are_neither_replaced_nor_removed(boards, tmp_path):
    (boards / "site").mkdir()
    (boards / "site" / "mypage.html").write_text("mine")
    before = contents(boards)
    with refused(InputError, "unknown-file", "leaderboards"):
        build(boards)
    (boards / "site" / "mypage.html").unlink()
    (boards / "README.md").write_text("# My project\n")
    with refused(InputError, "unknown-file", "README.md"):
        build(boards)
    (boards / "README.md").unlink()
    build(boards)
    mine = [boards / "tables" / "mine.md", boards / "site" / "previews" / "mini--rses-mini" / "me" / "a.jpg"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    build(boards)
    check_fresh(boards)
    assert [path.read_text() for path in mine] == ["mine", "mine"]
    assert contents(boards).keys() > before.keys() - {path for path in before if path.parts[0] == "site"}


def test_links_and_runs_in_place_of_boards_are_refused(boards, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a.txt").write_text("mine")
    (boards / "site").symlink_to(victim, target_is_directory=True)
    with refused(InputError, "link", "site"):
        build(boards)
    assert contents(victim) == {(victim / "a.txt").relative_to(victim): b"mine"}
    (boards / "site").unlink()
    (boards / "results" / "x").mkdir()
    (boards / "results" / "x" / "summary.json").write_text("{}")
    with refused(InputError, "wrong-content"):
        build(boards)


def test_a_part_of_a_suite_has_no_place_on_a_board(boards, make_run):
    run = make_run(name="part", style=0.1, damage=0.01)
    summary = json.loads((run / "summary.json").read_text())
    summary["info"]["generation"] = {"suite_samples": len(Results.load(run).samples) + 1}
    (run / "summary.json").write_text(json.dumps(summary))
    before = contents(boards)
    with refused(InputError, "missing-samples"):
        add_run(run, boards)
    assert contents(boards) == before


def test_names_that_folder_names_cannot_tell_apart_do_not_replace_each_other(tmp_path, make_run):
    names = ["方法一", "方法二", "A", "a", "A-1"]
    for number, name in enumerate(names):
        add_run(make_run(name=name, style=0.1, damage=0.01, noise=number), tmp_path / "boards", replace=True)
    (board,) = load_boards(tmp_path / "boards")
    assert {row.name for row in board.rows} == set(names)
    assert len({row.key for row in board.rows}) == len(names)
    add_run(make_run(name="方法二", style=0.2, damage=0.01, noise=9), tmp_path / "boards", replace=True)
    (board,) = load_boards(tmp_path / "boards")
    assert {row.name for row in board.rows} == set(names)


def test_a_background_that_is_perfect_throughout_has_the_best_psnr(tmp_path, make_run):
    for number, (name, damage) in enumerate((("perfect", 0.0), ("fine", 0.001), ("rough", 0.02))):
        add_run(make_run(name=name, style=0.1, damage=damage, noise=number), tmp_path / "boards")
    (board,) = load_boards(tmp_path / "boards")
    rows = {row.name: row for row in board.rows}
    assert rows["perfect"].cells["psnr_bg"].mean is None
    assert "psnr_bg" in rows["perfect"].best
    assert "psnr_bg" in rows["fine"].second
    build(tmp_path / "boards")
    page = next((tmp_path / "boards" / "site").glob("mini*.html")).read_text()
    assert 'data-c="psnr_bg" data-v="Infinity"><strong>inf (' in page


def test_files_of_a_board_that_is_gone_are_removed_and_no_others(boards):
    build(boards)
    (boards / "results" / "mini--rses-mini").rename(boards.parent / "elsewhere")
    (boards / "site" / "mini--rses-mini.txt").write_text("mine")
    record = boards / "tables" / "files.txt"
    outside = boards.parent / "victim.txt"
    outside.write_text("mine")
    record.write_text(record.read_text() + f"tables/../../victim.txt\n../victim.txt\n{outside}\nresults/x\n")
    build(boards)
    left = {path.relative_to(boards).as_posix() for path in boards.rglob("*") if path.is_file()}
    assert left == {
        "README.md", "site/index.html", "site/mini--rses-mini.txt", "tables/files.txt", "tables/published.md",
        "tables/published.tex",
    }  # fmt: skip
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("place", ["site/previews", "tables/mini--rses-mini.md", "site/previews/mini--rses-mini"])
def test_links_below_are_refused_and_not_written_through(boards, tmp_path, place):
    build(boards)
    target = boards / place
    target.rename(tmp_path / "moved")
    target.symlink_to(tmp_path / "moved")
    before = contents(tmp_path)
    with refused(InputError, "link", target):
        build(boards)
    assert contents(tmp_path) == before


def test_a_file_of_somebody_else_is_not_replaced(boards):
    build(boards)
    record = boards / "tables" / "files.txt"
    record.write_text(record.read_text().replace("tables/published.md\n", ""))
    (boards / "tables" / "published.md").write_text("mine")
    with refused(InputError, "unknown-file", "published.md"):
        build(boards)
    assert (boards / "tables" / "published.md").read_text() == "mine"


def test_means_that_differ_by_rounding_share_a_place(tmp_path, make_run):
    """On boards 0.1 and 0.1 + 1e-15 were places 1 and 2, in reports one."""
    for number, name in enumerate(("one", "two")):
        add_run(make_run(name=name, style=0.1, damage=0.01), tmp_path / "boards")
        add_run(make_run(name=f"worse-{number}", style=0.05, damage=0.02, noise=5), tmp_path / "boards")
    (board,) = load_boards(tmp_path / "boards")
    first, second, *others = board.rows
    cell = first.cells["rsm"]
    nudged = dataclasses.replace(
        second, cells={**second.cells, "rsm": dataclasses.replace(cell, mean=cell.mean + 1e-15)}
    )
    ranked = rank_rows([first, nudged, *others], board.metrics)
    assert [row.name for row in ranked[:2]] == ["one", "two"]
    assert all("rsm" in row.best and row.layer == 1 for row in ranked[:2])


def test_a_build_removes_what_a_killed_one_left_in_any_of_its_folders(boards):
    build(boards)
    whole = contents(boards)
    for path in whole:
        if path.parts[0] in ("site", "tables"):
            (boards / path.with_name(f".{path.name}.{'a' * 32}.tmp")).write_text("half")
    build(boards)
    assert contents(boards) == whole


def test_a_first_build_that_was_killed_is_repeated(boards):
    (boards / "tables").mkdir(exist_ok=True)
    (boards / "tables" / f".files.txt.{'b' * 32}.tmp").write_text("half")
    build(boards)
    assert not list(boards.rglob(".*.tmp"))


def test_half_removed_submissions_are_never_put_back(tmp_path, make_run, monkeypatch):
    """A disk that turns read-only while a replaced submission is removed left half of it, ready to be put back."""
    boards, run = tmp_path / "boards", make_run(style=0.1, damage=0.01)
    target = add_run(run, boards)

    def fail(place, ignore_errors=False):
        for path in sorted(Path(place).rglob("*"))[:1]:
            path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", fail)
        add_run(run, boards, replace=True)
    shutil.rmtree(target)
    add_run(make_run(name="other", style=0.2, damage=0.01), boards)
    assert [path.name for path in target.parent.iterdir()] == ["other"]
