"""A bench run: what it writes, what it keeps, what becomes of failures."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from baselines import nuisances
from baselines.reference import Identity
from rses.bench import generate, run_bench
from rses.bench.generation import Settings
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.methods import Edited, MethodCard, get_method
from rses.suites import load_suite
from tests.helpers.refusals import refused


class Recorder(Identity):
    """Copies the source and remembers what it was shown."""

    card = MethodCard("recorder", "test", mask_used=False, max_batch=4)

    def __init__(self):
        self.seen, self.batches = [], []

    def edit(self, batch):
        self.batches.append([sample.id for sample in batch])
        return super().edit(batch)

    def edit_one(self, sample):
        self.seen.append(sample)
        return sample.image.copy()


class Faulty(Recorder):
    """Fails on chosen samples, each in its own way."""

    faults = ()

    def edit_one(self, sample):
        kind = dict(self.faults).get(sample.id)
        if kind == "raises":
            raise ZeroDivisionError("by zero")
        if kind == "size":
            return sample.image[::2, ::2].copy()
        if kind == "nan":
            return np.full(sample.image.shape, np.nan)
        if kind == "none":
            return None
        return super().edit_one(sample)


def ids(count):
    return [sample.id for sample in load_suite("mini").samples[:count]]


def test_bench_writes_a_run(tmp_path, scorer):
    results = run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    assert [sample.mse_bg for sample in results.samples] == [0.0] * 3
    assert results.summary["suite"] == "mini"
    assert results.info["method_card"]["mask_used"] is False
    assert results.info["generation"]["suite_samples"] == 96
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {".lock", "images", "generation.jsonl", "journal.jsonl", "samples.parquet", "summary.json"}


def test_the_mask_is_shown_only_to_methods_that_say_so(tmp_path):
    suite = load_suite("mini")
    blind, seeing = Recorder(), Recorder()
    seeing.card = replace(Recorder.card, mask_used=True)
    generate(blind, suite.samples[:1], suite, tmp_path / "a")
    generate(seeing, suite.samples[:1], suite, tmp_path / "b")
    assert blind.seen[0].mask is None
    assert seeing.seen[0].mask.dtype == np.bool_
    assert blind.seen[0].seed == seeing.seen[0].seed


def test_missing_edits_are_made_in_the_company_they_would_have_had(tmp_path):
    suite = load_suite("mini")
    samples = suite.samples[:6]
    first = generate(Recorder(), samples, suite, tmp_path)
    first.path(samples[2]).unlink()
    stamp = first.path(samples[0]).stat().st_mtime_ns
    second = Recorder()
    generate(second, samples, suite, tmp_path)
    assert second.batches == [ids(4)]
    assert first.path(samples[0]).stat().st_mtime_ns == stamp
    assert np.array_equal(read_image(first.path(samples[2])), read_image(samples[2].image))


def test_another_method_seed_or_precision_does_not_mix_in(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=1)
    for method, changes in [
        ("jpeg-identity", {}), ("identity", {"seed": 1}), ("identity", {"dtype": "bfloat16"}),
    ]:  # fmt: skip
        with refused(InputError, "other-run"):
            run_bench(method, "mini", tmp_path, scorer=scorer, limit=1, **changes)
    run_bench(nuisances.jpeg(), "mini", tmp_path, scorer=scorer, limit=1, fresh=True)


def test_failures_are_noted_and_the_run_goes_on(tmp_path, scorer):
    method, names = Faulty(), ids(6)
    method.faults = [(names[0], "raises"), (names[1], "size"), (names[2], "nan"), (names[4], "none")]
    results = run_bench(method, "mini", tmp_path, scorer=scorer, limit=6)
    notes = {sample.id: sample.note for sample in results.samples if sample.status == "failed"}
    assert set(notes) == {name for name, _ in method.faults}
    assert notes[names[0]] == "ZeroDivisionError: by zero"
    assert "(64, 64, 3), expected uint8 (128, 128, 3)" in notes[names[1]]
    assert "float64" in notes[names[2]]
    assert "not finite" in notes[names[2]]
    assert "returned None in place of an edit" in notes[names[4]]
    assert results.summary["coverage"] == {"n": 2, "N": 96, "statuses": {"failed": 4, "ok": 2}}


def test_failed_samples_are_tried_again_only_when_asked(tmp_path, scorer):
    method, names = Faulty(), ids(3)
    method.faults = [(names[1], "raises")]
    run_bench(method, "mini", tmp_path, scorer=scorer, limit=3)
    mended = Faulty()
    again = run_bench(mended, "mini", tmp_path, scorer=scorer, limit=3)
    assert not mended.seen
    assert [sample.status for sample in again.samples].count("failed") == 1
    last = run_bench(mended, "mini", tmp_path, scorer=scorer, limit=3, retry_failed=True)
    assert {sample.status for sample in last.samples} == {"ok"}


def test_details_and_loaded_weights_are_recorded_and_must_stay(tmp_path, scorer):
    class Detailed(Recorder):
        loaded = {"sha256": "aa"}

        def edit_one(self, sample):
            return Edited(sample.image, {"size": "64x64"})

    results = run_bench(Detailed(), "mini", tmp_path, scorer=scorer, limit=2)
    assert results.info["generation"]["sizes"] == ["64x64"]
    assert results.info["generation"]["loaded"] == {"sha256": "aa"}
    again = run_bench(Detailed(), "mini", tmp_path, scorer=scorer, limit=2)
    assert again.info["generation"]["loaded"] == {"sha256": "aa"}
    other = Detailed()
    other.loaded = {"sha256": "bb"}
    with refused(InputError, "other-run"):
        run_bench(other, "mini", tmp_path, scorer=scorer, limit=3)


def test_batches_hold_one_size_and_at_most_what_the_card_allows(tmp_path):
    suite = load_suite("photos")
    method = Recorder()
    generate(method, suite.samples, suite, tmp_path, Settings(batch_size=3))
    sizes = {sample.id: sample.image.shape for sample in method.seen}
    assert all(len({sizes[name] for name in batch}) == 1 for batch in method.batches)
    assert max(map(len, method.batches)) == 3
    assert sorted(sizes) == sorted(sample.id for sample in suite.samples)


def test_a_half_written_journal_line_costs_one_sample_at_most(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    before = (tmp_path / "samples.parquet").read_bytes()
    for name in ("generation.jsonl", "journal.jsonl"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-20])
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    assert (tmp_path / "samples.parquet").read_bytes() == before
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert len(lines) == 4


def test_options_reach_the_constructor_and_unknown_ones_are_named():
    assert get_method("regionroute", steps=3).card.settings["steps"] == 3
    with pytest.raises(RsesError, match=r'no option "stepz"\. Did you mean "steps"'):
        get_method("regionroute", stepz=3)
    with pytest.raises(RsesError, match="It has: none"):
        get_method("identity", steps=3)


@pytest.mark.parametrize("size", [0, -1, "many", 1.5])
def test_batch_size_must_make_sense(size, tmp_path, scorer):
    with refused(InputError, "out-of-range", "--batch-size"):
        run_bench("identity", "mini", tmp_path, scorer=scorer, limit=1, batch_size=size)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("identty", 'Did you mean "identity"'),
        ("no.such.module:X", "Cannot import"),
        ("baselines.reference:Nothing", "Cannot import"),
        (":Nothing", "Cannot import"),
        (".reference:Nothing", "Cannot import"),
        ("json:dumps", 'needs a value for "obj": --set obj=VALUE'),
        ("baselines.nuisances:NUISANCES", "is not a method"),
    ],
)
def test_unknown_methods_are_named(name, message):
    with pytest.raises(RsesError, match=message):
        get_method(name)


def test_an_entry_point_whose_import_fails_is_named(monkeypatch):
    broken = EntryPoint("broken", "no_such_package:Method", "rses.methods")
    monkeypatch.setattr("rses.plugins.entry_points", lambda group: [broken])
    with refused(RsesError, "failed"):
        get_method("broken")


def test_limit_must_be_positive(tmp_path, scorer):
    with refused(InputError, "out-of-range", "--limit"):
        run_bench("identity", "mini", tmp_path, scorer=scorer, limit=0)
