"""Pairs in a suite folder: reading, faults, and loading with datasets."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from regionroute.data import build_pairs, read_pairs
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.suites import load_suite


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "pairs"
    build_pairs("mini", folder, limit=3, style="line art")
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "pairs")


def edit(folder, change):
    path = folder / "metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def problems(folder, **options):
    with pytest.raises(InputError) as raised:
        read_pairs(folder, **options)
    assert str(folder) in str(raised.value)
    return raised.value.problems


def test_rows_become_pairs(folder):
    pairs = read_pairs(folder)
    assert [pair.id for pair in pairs] == [sample.id for sample in load_suite("mini").samples[:3]]
    assert pairs[0].target == folder / "targets/mini-000-cat.png"
    assert pairs[0].style == "line art"
    assert len(read_pairs(folder, "lineart")) == 3
    assert problems(folder, style="cyberpunk") == ['it has no pairs in the style "cyberpunk"']


def test_it_loads_as_an_imagefolder(folder):
    datasets = pytest.importorskip("datasets")
    cache = folder.parent / "cache"
    rows = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(cache), split="train")
    by_id = {row["id"]: row for row in rows}
    assert {"image", "mask", "target", "object", "style", "prompt"} <= set(rows.features)
    assert len(rows) == 3
    for pair in read_pairs(folder):
        row = by_id[pair.id]
        assert row["style"] == "line art"
        assert row["prompt"] == pair.prompt
        np.testing.assert_array_equal(np.asarray(row["image"].convert("RGB")), read_image(pair.source))
        np.testing.assert_array_equal(np.asarray(row["target"].convert("RGB")), read_image(pair.target))
        np.testing.assert_array_equal(np.asarray(row["mask"].convert("L")) > 127, read_mask(pair.mask))


def test_further_columns_and_blank_lines_are_ignored(folder):
    edit(folder, lambda rows: [row.update(note=1) for row in rows])
    path = folder / "metadata.jsonl"
    path.write_text(path.read_text("utf-8").replace("\n", "\n\n"), "utf-8")
    assert len(read_pairs(folder)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1].update(id=rows[0]["id"].upper()), "is already used, in line 1"),
        (lambda rows: rows[1].update(style=None), "style must be a text"),
        (lambda rows: rows[1].update(target_file_name="../x.png"), 'target_file_name "../x.png" leads outside'),
        (lambda rows: rows[1].update(mask_file_name=5), "mask_file_name must be a text"),
        (lambda rows: rows[1].pop("target_file_name"), "regionroute data --suite"),
        (lambda rows: rows[1].pop("prompt"), "prompt is missing"),
        (lambda rows: rows[1].update(target_file_name="targets/none.png"), "targets/none.png does not exist"),
        (lambda rows: rows.__setitem__(1, [1]), "must be an object"),
    ],
)
def test_bad_rows_are_one_error_with_the_line(folder, change, message):
    edit(folder, change)
    (found,) = problems(folder)
    assert found.startswith("metadata.jsonl, line 2: ")
    assert message in found


def test_links_are_refused(folder, tmp_path):
    target = folder / "targets/mini-000-cat.png"
    target.rename(tmp_path / "kept.png")
    target.symlink_to(tmp_path / "kept.png")
    assert "symbolic link" in problems(folder)[0]


def test_broken_lines_and_missing_metadata(folder):
    path = folder / "metadata.jsonl"
    path.write_text(path.read_text("utf-8") + '{"id": \n', "utf-8")
    assert "line 4: not valid JSON" in problems(folder)[0]
    path.write_bytes(b"\xff\x00")
    assert "UTF-8" in problems(folder)[0]
    path.unlink()
    assert "no finished training pairs" in problems(folder)[0]
    path.touch()
    assert problems(folder) == ["it has no pairs"]


def test_a_suite_without_targets_is_told_how_to_get_them():
    assert "regionroute data" in problems(load_suite("mini").root)[0]


def test_masks_alone_can_be_read_from_a_suite_without_targets(folder):
    edit(folder, lambda rows: [row.pop("target_file_name") for row in rows])
    assert {(problem.place.field, problem.code) for problem in problems(folder)} == {
        ("target_file_name", "missing-key")
    }
    pairs = read_pairs(folder, targets=False)
    assert [pair.target for pair in pairs] == [pair.source for pair in pairs]
    # Where there are targets, they are not looked at.
    edit(folder, lambda rows: [row.update(target_file_name="targets/gone.png") for row in rows])
    assert read_pairs(folder, targets=False) == pairs
