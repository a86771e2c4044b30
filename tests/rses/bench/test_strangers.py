"""Untrusted methods and folders: a reason for every failure, and nothing foreign in the results."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import sys
import weakref

import numpy as np
import pytest
import torch

from baselines.reference import Identity
from rses.bench import generate, run_bench
from rses.bench.generation import Settings
from rses.bench.predictions import Predictions
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from rses.methods import Edited, MethodCard, get_method
from rses.suites import export_suite, load_suite, write_manifest
from tests.helpers.refusals import refused


class Copies(Identity):
    card = MethodCard("copies", "test", mask_used=False, max_batch=8)


class Small(Copies):
    """Has memory for so many samples, batch by batch of the suite."""

    def __init__(self, *room):
        self.room, self.done, self.calls = list(room), 0, []

    def edit(self, batch):
        self.calls.append(len(batch))
        if len(batch) > self.room[min(self.done // 8, len(self.room) - 1)]:
            raise torch.cuda.OutOfMemoryError("too much")
        self.done += len(batch)
        return super().edit(batch)


def test_running_out_of_memory_twice_loses_no_sample(tmp_path):
    suite, method = load_suite("mini"), Small(4, 2)
    done = generate(method, suite.samples[:16], suite, tmp_path, Settings(batch_size=8))
    assert not done.failures
    assert method.calls == [8, 4, 4, 4, 2, 2, 2, 2]
    assert len(list((tmp_path / "images").glob("*.png"))) == 16


def test_one_sample_that_is_too_large_does_not_stop_the_others(tmp_path, scorer):
    class OneLarge(Copies):
        def edit(self, batch):
            if any(sample.id.endswith("tree") for sample in batch):
                raise torch.cuda.OutOfMemoryError("too much")
            return super().edit(batch)

    results = run_bench(OneLarge(), "mini", tmp_path, scorer=scorer, limit=4)
    assert [sample.status for sample in results.samples] == ["ok", "failed", "ok", "ok"]
    assert "ran out of memory on cpu with a single sample" in results.samples[1].note


def test_what_a_failed_batch_held_is_let_go_before_the_next_try(tmp_path):
    held = []

    class Big:
        pass

    class Holds(Copies):
        def edit(self, batch):
            gc.collect()
            assert not held or held[-1]() is None, "the frames of the failed call are still alive"
            if len(batch) > 1:
                big = Big()
                held.append(weakref.ref(big))
                raise torch.cuda.OutOfMemoryError("too much")
            return super().edit(batch)

    suite = load_suite("mini")
    assert not generate(Holds(), suite.samples[:4], suite, tmp_path).failures
    assert len(held) == 2


def test_edits_of_an_earlier_method_do_not_come_back(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=4)
    run_bench("jpeg-identity", "mini", tmp_path, scorer=scorer, limit=2, fresh=True)
    results = run_bench("jpeg-identity", "mini", tmp_path, scorer=scorer, limit=4)
    assert all(sample.mse_bg > 0 for sample in results.samples)


def test_a_picture_that_was_not_written_down_is_made_again(tmp_path):
    suite = load_suite("mini")
    first = generate(Copies(), suite.samples[:2], suite, tmp_path)
    lost = suite.samples[1]
    lines = (tmp_path / "generation.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "generation.jsonl").write_text("".join(line for line in lines if lost.id not in line))
    write_png(first.path(lost), np.zeros((128, 128, 3), np.uint8))
    generate(Copies(), suite.samples[:2], suite, tmp_path)
    assert np.array_equal(read_image(first.path(lost)), read_image(lost.image))


def test_pictures_of_unknown_origin_are_no_edits(tmp_path, scorer):
    name = load_suite("mini").samples[0].id
    write_png(tmp_path / "images" / f"{name}.png", np.zeros((128, 128, 3), np.uint8))
    with refused(InputError, "unknown-file"):
        run_bench("identity", "mini", tmp_path, scorer=scorer, limit=2)
    assert not read_image(tmp_path / "images" / f"{name}.png").any()
    results = run_bench("identity", "mini", tmp_path, scorer=scorer, limit=2, fresh=True)
    assert [sample.mse_bg for sample in results.samples] == [0.0, 0.0]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_run_in_the_suites_own_folder_is_refused_and_spares_it(tmp_path, scorer, fresh):
    export_suite("mini", tmp_path / "suite")
    suite = load_suite(tmp_path / "suite")
    before = suite.samples[0].image.read_bytes()
    with refused(InputError, "overlap", "suite"):
        run_bench("global-style", suite, tmp_path / "suite", scorer=scorer, limit=2, fresh=fresh)
    assert suite.samples[0].image.read_bytes() == before


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path, scorer):
    (tmp_path / "images").mkdir()
    left = [tmp_path / f".summary.json.{'0a' * 16}.tmp", tmp_path / "images" / f".a.png.{'b1' * 16}.tmp"]
    mine = tmp_path / ".notes.tmp"
    for path in [*left, mine]:
        path.write_text("half")
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=1)
    assert not any(path.exists() for path in left)
    assert mine.exists()


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def raising(error):
    def edit(self, batch):
        raise error

    return edit


def recording(details):
    return lambda self, batch: [Edited(sample.image, details) for sample in batch]


def endless(self, batch):
    while True:
        yield batch[0].image


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (raising(asyncio.CancelledError()), "CancelledError"),
        (raising(ValueError("no caf\udce9.png \ud800")), r"ValueError: no caf\\udce9\.png"),
        (raising(Silent()), "Silent: its text cannot be read"),
        (raising(ValueError("x" * 10**6)), r"ValueError: x{1000,2000}\.\.\."),
        (raising(SystemExit(3)), "wanted to end the process with 3"),
        (recording({"file": "caf\udce9.png"}), "What the method records on its edit must hold text, numbers"),
        (recording({"score": np.float32(1)}), "What the method records on its edit must hold text, numbers"),
        (recording(5), "recorded int on its edit, expected a dictionary"),
        (endless, "returned more images than asked for"),
        (lambda self, batch: [sample.image for sample in batch[1:]], "copies returned 0 images for 1 samples"),
    ],
)
def test_faults_of_an_edit_are_told(edit, message, tmp_path, scorer):
    method = type("Odd", (Copies,), {"edit": edit})()
    with pytest.raises(RsesError, match=f"edited none of 2 samples.*{message}.*--fresh"):
        run_bench(method, "mini", tmp_path, scorer=scorer, limit=2)


def loads(error=None, **facts):
    def load(self, device, dtype):
        if error is not None:
            raise error
        self.__dict__.update(facts)

    return load


@pytest.mark.parametrize(
    ("load", "code"),
    [
        (loads(loaded={"threshold": np.float32(1)}), "unsound-tree"),
        (loads(FileNotFoundError("weights.bin")), "failed"),
        (loads(SystemExit(0)), "failed"),
        (loads(torch.cuda.OutOfMemoryError("full")), "out-of-memory"),
    ],
)
def test_faults_of_loading_are_told_and_bind_the_folder_to_nothing(load, code, tmp_path, scorer):
    card = dataclasses.replace(Copies.card, memory_gb=38.0)
    with refused(RsesError, code):
        run_bench(type("Odd", (Copies,), {"load": load, "card": card})(), "mini", tmp_path, scorer=scorer, limit=2)
    assert not (tmp_path / "generation.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("class X:\n    def __init__(self, path): pass", "missing-option"),
        ("class X:\n    def __init__(self): raise ValueError('nope')", "failed"),
        ("1 / 0", "failed"),
        ("import sys\nsys.exit('not today')", "failed"),
        ("X = int", "wrong-type"),
        ("class X:\n    card = property(lambda self: 1 / 0)\n    load = edit = print", "wrong-type"),
    ],
)
def test_faults_of_building_are_told(text, code, tmp_path, monkeypatch):
    (tmp_path / "strange_method.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "strange_method", raising=False)
    with refused(RsesError, code):
        get_method("strange_method:X")


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"mask_used": "no"}, "wrong-type", "mask_used"),
        ({"max_batch": 0}, "out-of-range", "max_batch"),
        ({"max_batch": "x"}, "wrong-type", "max_batch"),
        ({"settings": {"a": np.float32(1)}}, "unsound-tree", None),
        ({"settings": {"a": float("nan")}}, "unsound-tree", None),
        ({"settings": {"module": np}}, "failed", None),
        ({"name": 5}, "wrong-type", "name"),
        ({"paper": None}, "wrong-type", "paper"),
    ],
)
def test_cards_are_checked(facts, code, field, tmp_path, scorer):
    method = Copies()
    method.card = dataclasses.replace(Copies.card, **facts)
    with refused(InputError, code, field):
        run_bench(method, "mini", tmp_path, scorer=scorer, limit=1)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"card": ["odd"]}, "wrong-type"),
        ({"card": property(lambda self: 1 / 0)}, "failed"),
        ({"loaded": "abc"}, "wrong-result"),
    ],
)
def test_attributes_of_other_types_are_one_message(facts, code, tmp_path, scorer):
    with refused(InputError, code):
        run_bench(type("Odd", (Copies,), facts)(), "mini", tmp_path, scorer=scorer, limit=1)


def test_changed_predictions_are_noticed_even_when_nothing_is_left_to_do(tmp_path, scorer):
    edits, run, samples = tmp_path / "edits", tmp_path / "run", load_suite("mini").samples[:2]
    for sample in samples:
        write_png(edits / f"{sample.id}.png", read_image(sample.image))
    run_bench(Predictions(edits), "mini", run, scorer=scorer, limit=2)
    again = run_bench(Predictions(edits), "mini", run, scorer=scorer, limit=2)
    assert [sample.mse_bg for sample in again.samples] == [0.0, 0.0]
    write_png(edits / f"{samples[0].id}.png", read_image(samples[1].image))
    with refused(InputError, "other-run", "run"):
        run_bench(Predictions(edits), "mini", run, scorer=scorer, limit=2)
    results = run_bench(Predictions(edits), "mini", run, scorer=scorer, limit=2, fresh=True)
    assert results.samples[0].mse_bg > 0


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_method_may_work_in_place(batch_size, tmp_path):
    class Inverts(Copies):
        def edit(self, batch):
            for sample in batch:
                sample.image[...] = 255 - sample.image
            if any(sample.id.endswith("car") for sample in batch):
                raise ValueError("no cars")
            return [sample.image for sample in batch]

    suite = load_suite("mini")
    done = generate(Inverts(), suite.samples[:4], suite, tmp_path, Settings(batch_size=batch_size))
    assert len(done.failures) == 1
    for sample in suite.samples[:4]:
        if sample.id not in done.failures:
            assert np.array_equal(read_image(done.path(sample)), 255 - read_image(sample.image))


def test_what_json_changes_is_no_other_weight(tmp_path, scorer):
    class Odd(Copies):
        loaded = {"layers": (1, 2), "by": {1: "a"}}

    run_bench(Odd(), "mini", tmp_path, scorer=scorer, limit=2)
    assert len(run_bench(Odd(), "mini", tmp_path, scorer=scorer, limit=3).samples) == 3


def test_another_version_of_a_library_does_not_go_on_with_a_run(tmp_path, scorer, monkeypatch):
    class Loads(Copies):
        loaded = {"sha256": "aa"}

    run_bench(Loads(), "mini", tmp_path, scorer=scorer, limit=2)
    run_bench("identity", "mini", tmp_path / "plain", scorer=scorer, limit=2)
    monkeypatch.setattr(sys.modules["rses.bench.generation"], "version", lambda name: "0.1")
    with refused(InputError, "other-run"):
        run_bench(Loads(), "mini", tmp_path, scorer=scorer, limit=3)
    # Without weights nothing of these libraries shows.
    run_bench("identity", "mini", tmp_path / "plain", scorer=scorer, limit=3)


def test_a_mask_that_cannot_be_used_is_a_status_and_costs_no_edit(tmp_path, scorer):
    export_suite("mini", tmp_path / "suite")
    suite = load_suite(tmp_path / "suite")
    soft = np.tile(np.arange(128, dtype=np.uint8) * 2, (128, 1))
    write_png(suite.samples[1].mask, soft)
    write_manifest(tmp_path / "suite", "own", "1", "none")
    results = run_bench("identity", tmp_path / "suite", tmp_path / "run", scorer=scorer, limit=3)
    assert [sample.status for sample in results.samples] == ["ok", "unreadable", "ok"]
    assert "mask" in results.samples[1].note
    write_png(suite.samples[1].mask, np.zeros((64, 64), np.uint8))
    write_manifest(tmp_path / "suite", "own", "2", "none")
    with refused(InputError, "wrong-size", "mini-001-tree.png"):
        run_bench("identity", tmp_path / "suite", tmp_path / "other", scorer=scorer, limit=3)
    assert not (tmp_path / "other" / "images").exists()


def test_edits_of_a_folder_without_a_card_may_have_seen_the_mask(tmp_path, scorer):
    (tmp_path / "mine").mkdir()
    for sample in load_suite("mini").samples[:1]:
        write_png(tmp_path / "mine" / f"{sample.id}.png", read_image(sample.image))
    results = run_bench(Predictions(tmp_path / "mine"), "mini", tmp_path / "run", scorer=scorer, limit=1)
    assert "mask_used" not in results.info["method_card"]
    (tmp_path / "mine" / "method.json").write_text('{"name": "m", "mask_used": false}')
    assert Predictions(tmp_path / "mine").card.mask_used is False
