"""Which samples a run edits, and which together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rses.bench import Shard
from rses.bench.plan import fixed_batches, select
from rses.errors import InputError
from rses.suites import load_suite
from tests.helpers.refusals import refused


@given(count=st.integers(1, 40), shards=st.integers(1, 7), limit=st.none() | st.integers(1, 50))
def test_shards_cover_every_sample_once(count, shards, limit):
    samples = list(range(count))
    whole = select(samples, limit)
    if shards > len(whole):
        with refused(InputError, "empty"):
            select(samples, limit, Shard(shards, shards))
        return
    parts = [select(samples, limit, Shard(number, shards)) for number in range(1, shards + 1)]
    assert sorted(sum(parts, [])) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_shard_must_make_sense(text):
    with refused(InputError, "wrong-form", "--shard"):
        Shard.parse(text)


def test_batches_are_fixed_by_the_samples_and_lose_none():
    samples = load_suite("photos").samples
    batches = fixed_batches(samples, 4)
    assert sorted(sample.id for batch in batches for sample in batch) == sorted(sample.id for sample in samples)
    assert fixed_batches(samples, 4) == batches
    assert all(len(batch) <= 4 for batch in batches)
