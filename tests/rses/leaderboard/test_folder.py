"""What may lie in a leaderboards folder: whole suites, a folder a method, and nothing of anybody else's."""

from __future__ import annotations

import json

import pytest

from rses.errors import InputError
from rses.leaderboard.board import load_boards
from rses.leaderboard.build import build
from rses.leaderboard.pack import add_run
from rses.results import Results


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_that_no_build_wrote_are_neither_replaced_nor_removed(boards, tmp_path):
    (boards / "site").mkdir()
    (boards / "site" / "mypage.html").write_text("mine")
    before = contents(boards)
    with pytest.raises(InputError, match=r"files that no build wrote, e.g. site/mypage.html"):
        build(boards)
    (boards / "site" / "mypage.html").unlink()
    (boards / "README.md").write_text("# My project\n")
    with pytest.raises(InputError, match=r"README.md was not written by a build"):
        build(boards)
    (boards / "README.md").unlink()
    build(boards)
    (boards / "tables" / "gone.md").write_text("of a board that is gone")
    build(boards)
    assert not (boards / "tables" / "gone.md").exists()
    assert contents(boards).keys() > before.keys() - {path for path in before if path.parts[0] == "site"}


def test_links_and_runs_in_place_of_boards_are_refused(boards, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a.txt").write_text("mine")
    (boards / "site").symlink_to(victim, target_is_directory=True)
    with pytest.raises(InputError, match="site is a symbolic link"):
        build(boards)
    assert contents(victim) == {(victim / "a.txt").relative_to(victim): b"mine"}
    (boards / "site").unlink()
    (boards / "results" / "x").mkdir()
    (boards / "results" / "x" / "summary.json").write_text("{}")
    with pytest.raises(InputError, match="x is a run, not a board"):
        build(boards)


def test_a_part_of_a_suite_has_no_place_on_a_board(boards, make_run):
    run = make_run(name="part", style=0.1, damage=0.01)
    summary = json.loads((run / "summary.json").read_text())
    summary["info"]["generation"] = {"suite_samples": len(Results.load(run).samples) + 1}
    (run / "summary.json").write_text(json.dumps(summary))
    before = contents(boards)
    with pytest.raises(InputError, match=r"of the suite's \d+ samples.*--limit"):
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
