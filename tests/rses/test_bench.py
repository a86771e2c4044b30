from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.reference import Identity, JpegIdentity
from rses import RSES
from rses.bench import generate, run_bench
from rses.errors import InputError, RsesError
from rses.images import read_image
from rses.methods import MethodCard, get_method
from rses.suites import load_suite


@pytest.fixture(scope="module")
def scorer():
    return RSES("rses-mini", device="cpu", metrics=["mse_bg"])


class Recorder(Identity):
    """Copies the source and remembers what it was shown."""

    card = MethodCard("recorder", "test", mask_used=False)

    def __init__(self):
        self.seen = []

    def edit_one(self, sample):
        self.seen.append(sample)
        return sample.image.copy()


class Wrong(Identity):
    card = MethodCard("wrong", "test", mask_used=False)

    def edit_one(self, sample):
        return sample.image[::2, ::2].copy()


def test_bench_writes_a_run(tmp_path, scorer):
    results = run_bench("identity", "mini", tmp_path, scorer=scorer, limit=3)
    assert [sample.mse_bg for sample in results.samples] == [0.0] * 3
    assert results.summary["suite"] == "mini"
    assert results.info["method_card"]["mask_used"] is False
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"images", "generation.json", "journal.jsonl", "samples.parquet", "summary.json"}


def test_the_mask_is_shown_only_to_methods_that_say_so(tmp_path):
    suite = load_suite("mini")
    blind, seeing = Recorder(), Recorder()
    seeing.card = replace(Recorder.card, mask_used=True)
    generate(blind, suite.samples[:1], suite, tmp_path / "a")
    generate(seeing, suite.samples[:1], suite, tmp_path / "b")
    assert blind.seen[0].mask is None
    assert seeing.seen[0].mask.dtype == np.bool_
    assert blind.seen[0].seed == seeing.seen[0].seed


def test_finished_edits_are_kept_and_missing_ones_made(tmp_path):
    suite = load_suite("mini")
    first = Recorder()
    paths = generate(first, suite.samples[:4], suite, tmp_path)
    paths[2].unlink()
    second = Recorder()
    generate(second, suite.samples[:4], suite, tmp_path)
    assert [sample.id for sample in second.seen] == [suite.samples[2].id]
    assert np.array_equal(read_image(paths[2]), read_image(suite.samples[2].image))


def test_another_method_or_seed_does_not_mix_in(tmp_path, scorer):
    run_bench("identity", "mini", tmp_path, scorer=scorer, limit=1)
    for method, seed in [("jpeg-identity", 0), ("identity", 1)]:
        with pytest.raises(InputError, match="--fresh"):
            run_bench(method, "mini", tmp_path, scorer=scorer, limit=1, seed=seed)
    run_bench(JpegIdentity(), "mini", tmp_path, scorer=scorer, limit=1, fresh=True)


def test_a_wrong_size_is_an_error_with_the_methods_name(tmp_path, scorer):
    with pytest.raises(RsesError, match=r"wrong returned uint8 \(64, 64, 3\).*expected uint8 \(128, 128, 3\)"):
        run_bench(Wrong(), "mini", tmp_path, scorer=scorer, limit=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("identty", 'Did you mean "identity"'),
        ("no.such.module:X", "Cannot import"),
        ("baselines.reference:Nothing", "Cannot import"),
        ("baselines.reference:JPEG_QUALITY", "is not a method"),
    ],
)
def test_unknown_methods_are_named(name, message):
    with pytest.raises(RsesError, match=message):
        get_method(name)


def test_limit_must_be_positive(tmp_path, scorer):
    with pytest.raises(InputError, match="--limit"):
        run_bench("identity", "mini", tmp_path, scorer=scorer, limit=0)
