"""Editing everything and pasting inside a mask, given or found; masks from segmenters; edits read from folders."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from baselines.combine import GlobalThenPaste, SegmentThenPaste
from baselines.segmenters import ClipSeg, GroundedSam, get_segmenter
from rses.bench.predictions import Predictions
from rses.errors import InputError, RsesError
from rses.images.tensors import write_png
from rses.methods import EditSample
from tests.helpers.refusals import refused


def left_half(sample):
    mask = np.zeros(sample.image.shape[:2], bool)
    mask[:, : mask.shape[1] // 2] = True
    return mask


@pytest.mark.parametrize("shape", [(40, 48, 1), (1, 1, 3), (20, 24, 3)])
def test_what_is_no_edit_is_not_stretched_over_the_picture(samples, monkeypatch, shape):
    method = GlobalThenPaste("global-style")
    method.load("cpu", "float32")
    monkeypatch.setattr(method._method, "edit", lambda batch: [np.zeros(shape, np.uint8) for _ in batch])
    assert [edited.image.shape for edited in method.edit(samples)] == [shape] * len(samples)


@pytest.mark.parametrize("shape", [(20, 24), (40, 1), (1, 48)])
def test_a_mask_of_another_size_is_not_stretched_over_the_picture(samples, monkeypatch, shape):
    method = GlobalThenPaste("global-style")
    method.load("cpu", "float32")
    with refused(RsesError, "wrong-size"):
        method.edit([dataclasses.replace(samples[0], mask=np.ones(shape, bool))])
    monkeypatch.setattr("baselines.segmenters.small", lambda sample: np.ones(shape, bool), raising=False)
    method = SegmentThenPaste("global-style", segmenter="baselines.segmenters:small")
    method.load("cpu", "float32")
    with refused(RsesError, "wrong-size"):
        method.edit([dataclasses.replace(samples[0], mask=None)])


def test_segmenting_does_not_see_the_true_mask(samples, monkeypatch):
    monkeypatch.setattr("baselines.segmenters.left_half", left_half, raising=False)
    method = SegmentThenPaste("global-style", segmenter="baselines.segmenters:left_half")
    assert method.card.mask_used is False
    method.load("cpu", "float32")
    blind = dataclasses.replace(samples[0], mask=None)
    edited = method.edit([blind])[0].image
    assert np.array_equal(edited[:, 24:], blind.image[:, 24:])
    assert not np.array_equal(edited[:, :24], blind.image[:, :24])


def test_classical_segmenter_by_name_sees_neither_mask_nor_name():
    pixels = np.full((40, 48, 3), 120, np.uint8)
    pixels[10:30, 12:36] = (20, 160, 60)
    sample = EditSample("s", pixels, "whatever", "pixel art", "make it pixel art", 1)
    method = SegmentThenPaste("global-style", segmenter="classical")
    assert method.card.settings["segmenter"] == "classical"
    assert "without learned weights" in method.card.title
    method.load("cpu", "float32")
    truth = np.zeros((40, 48), bool)
    truth[10:30, 12:36] = True
    np.testing.assert_array_equal(method.region(sample), truth)
    edited = method.edit([sample])[0].image
    assert np.array_equal(edited[~truth], pixels[~truth])
    assert not np.array_equal(edited[truth], pixels[truth])


def test_a_method_that_sees_the_mask_cannot_be_called_mask_free():
    with refused(RsesError, "unsupported"):
        SegmentThenPaste("oracle-paste")


def test_masks_from_a_folder(samples, tmp_path):
    write_png(tmp_path / "s0.png", np.repeat(samples[0].mask[..., None], 3, 2).astype(np.uint8) * 255)
    segment = get_segmenter(str(tmp_path), "cpu")
    assert np.array_equal(segment(samples[0]), samples[0].mask)
    with refused(InputError, "missing-file", "s1.png"):
        segment(samples[1])
    method = SegmentThenPaste("global-style", segmenter=str(tmp_path))
    method.load("cpu", "float32")
    before = method.loaded["segmenter"]["sha256"]
    write_png(tmp_path / "s0.png", np.repeat(~samples[0].mask[..., None], 3, 2).astype(np.uint8) * 255)
    method.load("cpu", "float32")
    assert method.loaded["segmenter"]["sha256"] != before
    with refused(InputError, "unknown-name"):
        get_segmenter("magic", "cpu")


@pytest.mark.slow
def test_clipseg_is_called_as_its_class_wants(samples, tmp_path):
    from transformers import CLIPImageProcessor, CLIPSegConfig, CLIPSegForImageSegmentation, CLIPSegProcessor

    from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer

    tokenizer = build_clip_tokenizer(["cat", "dog"])
    config = CLIPSegConfig(
        text_config={"vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "eos_token_id": tokenizer.eos_token_id},
        vision_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
                       "image_size": 32, "patch_size": 8},
        projection_dim=16, reduce_dim=8, extract_layers=[0, 1, 2], decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )  # fmt: skip
    torch.manual_seed(0)
    CLIPSegForImageSegmentation(config).save_pretrained(tmp_path)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPSegProcessor(images, tokenizer).save_pretrained(tmp_path)
    mask = ClipSeg(str(tmp_path), threshold=0.0)(samples[0])
    assert mask.shape == (40, 48)
    assert mask.all()


@pytest.mark.slow
def test_sam_fills_a_box(samples, sam_folder):
    from PIL import Image
    from transformers import SamModel, SamProcessor

    segmenter = object.__new__(GroundedSam)
    segmenter._sam, segmenter._device = SamModel.from_pretrained(sam_folder).eval(), "cpu"
    segmenter._processor = SamProcessor.from_pretrained(sam_folder)
    mask = segmenter.fill(Image.fromarray(samples[0].image), [10, 8, 30, 20])
    assert mask.shape == (40, 48)
    assert mask.dtype == bool


def test_predictions_are_read_with_their_card(samples, tmp_path):
    folder = tmp_path / "mine"
    for sample in samples[:2]:
        write_png(folder / f"{sample.id}.png", sample.image // 2)
    method = Predictions(folder)
    method.load("cpu", "float32")
    assert method.card.name == "mine"
    assert np.array_equal(method.edit(samples[:1])[0], samples[0].image // 2)
    with refused(InputError, "missing-file"):
        method.edit(samples[2:])
    (folder / "method.json").write_text(json.dumps({"name": "ours", "year": 2026, "paper": "x"}))
    assert Predictions(folder).card.name == "ours"
    (folder / "method.json").write_text(json.dumps({"nme": "ours"}))
    with refused(InputError, "unknown-key", "nme"):
        Predictions(folder)
    with refused(InputError, "missing-file"):
        Predictions(tmp_path / "nowhere")


def test_everything_a_global_edit_is_told_is_about_the_whole_picture(samples):
    from baselines.reference import Identity
    from baselines.templates import caption_pair, region_phrase

    class Listens(Identity):
        def edit(self, batch):
            heard.extend(batch)
            return super().edit(batch)

    heard = []
    method = GlobalThenPaste("identity")
    method._method = Listens()
    method.edit(samples)
    for told in (lambda sample: sample.prompt, region_phrase, lambda sample: caption_pair(sample).target):
        assert all("pixel art" in told(sample) for sample in heard)
        assert not any(thing in told(sample) for sample in heard for thing in ("cat", "dog"))


def test_grounding_gives_the_best_box_and_nothing_is_nothing(samples, monkeypatch):
    segmenter = GroundedSam.__new__(GroundedSam)
    segmenter._threshold = 0.3
    found = [
        {"score": 0.4, "box": {"xmin": 0, "ymin": 0, "xmax": 5, "ymax": 5}},
        {"score": 0.9, "box": {"xmin": 12, "ymin": 10, "xmax": 30, "ymax": 20}},
    ]
    asked = []
    segmenter._detector = lambda picture, candidate_labels, threshold: asked.append(candidate_labels) or found
    monkeypatch.setattr(segmenter, "fill", lambda picture, box: box)
    assert segmenter(samples[0]) == [12, 10, 30, 20]
    assert asked == [["cat."]]
    found.clear()
    assert not segmenter(samples[0]).any()
