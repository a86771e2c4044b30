"""Encoding pairs: the right latents for the right sample, in any order, with or without a cache."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from regionroute.base import load_base
from regionroute.data import read_pairs
from regionroute.flux import pack, to_pixels
from regionroute.training.encoding import PairEncoder, collate
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.tensors import write_png
from tests.helpers.refusals import refused


@pytest.fixture(scope="module")
def pipe(tiny_kontext):
    return load_base(str(tiny_kontext))


@pytest.fixture
def pairs(tiny_pairs):
    return read_pairs(tiny_pairs, "pixel art")


def encoder(pipe, cache=None):
    return PairEncoder(pipe, 64, 24, cache, "tiny")


def test_what_is_encoded(pipe, pairs):
    one = encoder(pipe).encode(pairs[0])
    assert one.target.shape == one.context.shape == (16, 64)
    assert one.text.shape == (24, 32)
    assert one.pooled.shape == (16,)
    tokens = pipe.tokenizer_2.convert_ids_to_tokens(pipe.tokenizer_2(pairs[0].prompt).input_ids)
    assert [tokens[i] for i in one.positions] == ["\u2581pixel", "\u2581art"]
    mode = pipe.vae.encode(to_pixels(read_image(pairs[0].source), (64, 64))[None]).latent_dist.mode()
    torch.testing.assert_close(one.context, pack((mode - 0.1) * 0.5)[0].detach())
    # Rows 8 to 40, columns 16 to 48 of 64, on cells of 16.
    assert one.mask.view(4, 4)[:, 1].tolist() == [0.5, 1.0, 0.5, 0.0]


def test_a_cache_cannot_mispair(pipe, pairs, tmp_path):
    plain = {pair.id: encoder(pipe).encode(pair) for pair in pairs}
    for pair in pairs:
        encoder(pipe, tmp_path).encode(pair)
    for pair in reversed(pairs):
        kept = encoder(pipe, tmp_path).encode(pair)
        torch.testing.assert_close(kept.target, plain[pair.id].target)
        torch.testing.assert_close(kept.context, plain[pair.id].context)
    changed = tmp_path / "changed.png"
    write_png(changed, np.zeros((64, 64, 3), np.uint8))
    other = dataclasses.replace(pairs[0], target=changed)
    assert not torch.equal(encoder(pipe, tmp_path).encode(other).target, plain[pairs[0].id].target)


def test_a_cache_is_not_read_for_other_weights_of_the_same_name(tiny_kontext, pairs, tmp_path):
    retrained = load_base(str(tiny_kontext))
    before = encoder(retrained, tmp_path).encode(pairs[0])
    with torch.no_grad():
        retrained.vae.encoder.conv_out.bias += 1
    assert not torch.equal(encoder(retrained, tmp_path).encode(pairs[0]).target, before.target)


def test_a_damaged_cache_file_is_made_again(pipe, pairs, tmp_path):
    before = encoder(pipe, tmp_path).encode(pairs[0])
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:20])
    after = encoder(pipe, tmp_path).encode(pairs[0])
    assert torch.equal(after.target, before.target)
    assert torch.equal(encoder(pipe, tmp_path).encode(pairs[0]).text, before.text)


def test_a_phrase_beyond_the_text_length_is_an_error(pipe, pairs):
    with refused(InputError, "wrong-length"):
        PairEncoder(pipe, 64, 4, None, "tiny").encode(pairs[0])


def test_collate_keeps_each_samples_positions(pipe, pairs):
    batch = collate([encoder(pipe).encode(pair) for pair in pairs[:3]], "cpu", torch.bfloat16)
    assert batch.target.dtype == torch.bfloat16
    assert batch.mask.dtype == torch.float32
    assert batch.ids == [pair.id for pair in pairs[:3]]
    assert len(batch.positions) == 3


def test_a_pair_without_an_edit_is_encoded_once(pipe, pairs, tmp_path):
    alone = encoder(pipe, tmp_path).encode(dataclasses.replace(pairs[0], target=pairs[0].source))
    assert alone.target is alone.context
    assert torch.equal(alone.context, encoder(pipe).encode(pairs[0]).context)
    assert not list(tmp_path.glob("*-target-*"))
