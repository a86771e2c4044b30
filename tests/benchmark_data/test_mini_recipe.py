"""The recipe of the embedded weights: reproducible data, honest hold-outs, exact folding of normalisation."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import torch
from torch import nn

from benchmark_data.recipes.mini.card import renew_card, targets_missed
from benchmark_data.recipes.mini.content import HELD_OUT_PHOTOS, TRAINING_PHOTOS, make_content
from benchmark_data.recipes.mini.data import CLASS_NAMES, make_group
from benchmark_data.recipes.mini.distortions import LADDERS, climb, inner
from benchmark_data.recipes.mini.export import fold_norms
from benchmark_data.recipes.mini.phrases import HELD_OUT_TEXTS
from benchmark_data.recipes.mini.texts import class_phrases, sample_text, unseen_texts
from benchmark_data.recipes.mini.views import MEAN_COLOUR, training_view
from rses.backbones.mini_network import ImageEncoder, MiniConfig


def text_words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def test_groups_repeat_and_differ():
    (first, kind), (again, _), (other, _) = make_group(5), make_group(5), make_group(6)
    assert kind in ("scene", "photo", "noise")
    assert np.array_equal(first.styled, again.styled)
    assert first.source.shape != other.source.shape or not np.array_equal(first.source, other.source)
    assert len(set(first.labels.tolist())) == len(first.labels)
    assert 0 not in first.labels


def test_training_opens_no_held_out_photograph(monkeypatch):
    assert not set(TRAINING_PHOTOS) & set(HELD_OUT_PHOTOS)
    opened = []
    import benchmark_data.recipes.mini.content as content

    original = content.skimage_photo
    monkeypatch.setattr(content, "skimage_photo", lambda name: opened.append(name) or original(name))
    for seed in range(30):
        make_content(seed)
    assert opened
    assert set(opened) <= set(TRAINING_PHOTOS)


def test_no_class_shares_a_phrase_and_held_out_ones_stay_out():
    owners: dict[str, str] = {}
    for name in CLASS_NAMES:
        for phrase in class_phrases(name):
            assert owners.setdefault(phrase.lower(), name) == name
    held_out = {text.lower() for texts in HELD_OUT_TEXTS.values() for text in texts}
    assert not held_out & set(owners)
    assert set(HELD_OUT_TEXTS) == set(CLASS_NAMES)


def test_training_never_draws_the_texts_of_the_evaluation():
    unseen = {tuple(text_words(text)) for name in CLASS_NAMES for text in unseen_texts(name)}
    assert len(unseen) >= 100
    assert all(len(unseen_texts(name)) >= 3 for name in CLASS_NAMES)
    assert ("blueprint", "style") not in unseen  # "blueprint" in the template "{s} style"
    words = random.Random(0)
    drawn = {tuple(text_words(sample_text(words, name))) for name in CLASS_NAMES for _ in range(500)}
    assert not drawn & unseen


def test_views_have_the_size_asked_for_and_masked_ones_hide_the_background():
    content = make_content(3)
    rng = np.random.default_rng(0)
    views = [training_view(rng, content.image, content.image, content.masks[0], 64) for _ in range(40)]
    assert {view.shape for view in views} == {(64, 64, 3)}
    corners = [tuple(view[0, 0].tolist()) for view in views]
    assert tuple(MEAN_COLOUR.tolist()) in corners
    assert len(set(corners)) > 1


def test_folding_batch_normalisation_changes_nothing():
    config = MiniConfig(image_size=32, style_channels=(4, 8, 8, 8))
    torch.manual_seed(0)
    trained = ImageEncoder(config, norm=nn.BatchNorm2d)
    for _ in range(3):
        trained(torch.rand(8, 3, 32, 32))
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(fold_norms(trained.eval(), config)(images), trained(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", list(LADDERS))
def test_ladders_keep_size_and_range_and_go_away_from_the_picture(name):
    picture = torch.from_numpy(make_content(11).image.copy()).permute(2, 0, 1)[None].float() / 255
    errors = []
    for level in LADDERS[name]:
        rung = climb(name, picture, level)
        assert rung.shape == inner(picture).shape
        assert 0 <= rung.min() <= rung.max() <= 1
        errors.append((rung - inner(picture)).square().mean().item())
    assert errors[0] < errors[-1]


def test_a_missed_target_is_named(tmp_path):
    part = {"top1": 0.5, "gain": 1.0, "source_is_photo": 0.2, "pairs": 20}
    result = {
        "sha256": "ab" * 32,
        "megabytes": 5.0,
        "scenes": {"masked": {**part, "top1": 0.95}, "crop": {**part, "top1": 0.9}},
        "photos": {"masked": part, "crop": {**part, "top1": 0.75}},
        "texts": {"accuracy": 0.9, "texts": 100},
        "ladders": {"noise": {"share": 1.0, "photos": 3, "levels": [1, 2], "trained": True}},
    }
    assert targets_missed(result) == ["Style top-1 of 20, photos, `masked` view (20 edits)"]
    card = tmp_path / "README.md"
    card.write_text("SHA-256 of `x`: `00`\n<!-- table: begin -->\nold\n<!-- table: end -->\nb\n")
    renew_card(card, result)
    assert "old" not in card.read_text()
    assert f"`{'ab' * 32}`" in card.read_text()
    assert card.read_text().count("**missed**") == 1
    assert card.read_text().endswith("\nb\n")
