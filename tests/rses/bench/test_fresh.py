"""Starting over: nothing is removed before the new run can be made, and nothing of the old one is left."""

from __future__ import annotations

import pytest

from baselines.reference import Identity
from rses import load_run
from rses.bench import run_bench
from rses.bench.predictions import Predictions
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.methods import MethodCard
from rses.suites import load_suite
from tests.helpers.refusals import refused


class Breaks(Identity):
    card = MethodCard("breaks", "test", mask_used=False)

    def __init__(self, where):
        self.where = where

    def load(self, device, dtype):
        if self.where == "load":
            raise OSError("no weights")

    def edit(self, batch):
        # As Ctrl-C: nothing that the runner could note and go on from.
        raise KeyboardInterrupt


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_what_cannot_be_loaded_costs_nothing(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    before = contents(tmp_path)
    with refused(RsesError, "failed"):
        run_bench(Breaks("load"), "mini", tmp_path, scorer=scorer, limit=3, fresh=True)
    with pytest.raises(RsesError, match="--protocol rses-mini"):
        run_bench("identity", "mini", tmp_path, protocol="rses-v1", limit=3, fresh=True)
    assert contents(tmp_path) == before


def test_no_results_of_the_former_run_stand_over_pictures_of_the_new_one(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    with pytest.raises(KeyboardInterrupt):
        run_bench(Breaks("edit"), "mini", tmp_path, scorer=scorer, limit=3, fresh=True)
    with refused(InputError, "missing-file"):
        load_run(tmp_path)
    assert not list((tmp_path / "images").iterdir())


def test_pictures_of_a_longer_run_go_and_strangers_stay(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=4)
    (tmp_path / "images" / "notes.png").write_bytes(b"mine")
    (tmp_path / "vlm.jsonl").write_text("{}\n")
    results = run_bench("global-style", "mini", tmp_path, scorer=scorer, limit=2, fresh=True)
    names = {f"{sample.id}.png" for sample in results.samples}
    assert {path.name for path in (tmp_path / "images").iterdir()} == names | {"notes.png"}
    assert not (tmp_path / "vlm.jsonl").exists()
    assert load_run(tmp_path).info["method"] == "global-style"


def test_edits_that_are_read_are_not_removed_to_make_room_for_them(tmp_path, scorer):
    folder = tmp_path / "images"
    folder.mkdir()
    for sample in load_suite("mini").samples[:2]:
        write_png(folder / f"{sample.id}.png", read_image(sample.image))
    before = contents(tmp_path)
    for fresh in (False, True):
        with refused(InputError, "overlap"):
            run_bench(Predictions(folder), "mini", tmp_path, scorer=scorer, limit=2, fresh=fresh)
    assert contents(tmp_path) == before
