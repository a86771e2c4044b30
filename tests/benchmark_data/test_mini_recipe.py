"""The recipe of the embedded weights: honest hold-outs, texts, ladders, and a card that names what was missed."""

from __future__ import annotations

import random
import re

import pytest
import torch

from benchmark_data.recipes.mini.card import renew_card, targets_missed
from benchmark_data.recipes.mini.classes import CLASS_NAMES
from benchmark_data.recipes.mini.distortions import LADDERS, climb, inner
from benchmark_data.recipes.mini.losses import LossWeights, quiet_loss
from benchmark_data.recipes.mini.phrases import HELD_OUT_TEXTS
from benchmark_data.recipes.mini.texts import class_phrases, sample_text, unseen_texts
from benchmark_data.scenes import make_scene


def text_words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


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


@pytest.mark.parametrize("name", list(LADDERS))
def test_ladders_keep_size_and_range_and_go_away_from_the_picture(name):
    picture = torch.from_numpy(make_scene(11, 128).image.copy()).permute(2, 0, 1)[None].float() / 255
    errors = []
    for level in LADDERS[name]:
        rung = climb(name, picture, level)
        assert rung.shape == inner(picture).shape
        assert 0 <= rung.min() <= rung.max() <= 1
        errors.append((rung - inner(picture)).square().mean().item())
    assert errors[0] < errors[-1]


def test_a_missed_target_is_named(tmp_path):
    shares = {"gain": 0.96, "nearest": 0.8, "leakage": 1.0}
    part = {"top1": 0.5, "gain": 1.0, "source_is_photo": 0.2, "pairs": 20}
    result = {
        "sha256": "ab" * 32,
        "megabytes": 5.0,
        "scenes": {"masked": {**part, "top1": 0.95}, "crop": {**part, "top1": 0.9}},
        "photos": {"masked": part, "crop": {**part, "top1": 0.75}},
        "texts": {"accuracy": 0.9, "texts": 100},
        "ladders": {"noise": {"share": 1.0, "photos": 3, "levels": [1, 2], "trained": True}},
        "unseen": {
            "fixed_test": {"mean": shares, "edits": {"a": {"edits": 16}}},
            "renderers": {"mean": shares, "edits": {"b": {"edits": 20}, "c": {"edits": 20}}},
            "nuisances": {
                "largest": 0.02,
                "largest_of_a_style": 0.03,
                "nuisances": {"JPEG": {"mean_gain": -0.02}, "blur": {"mean_gain": 0.009}},
            },
        },
    }
    assert targets_missed(result) == [
        "Share of 2 nuisances whose mean gain is within .01 (largest 0.0200, of one style 0.0300)",
        "Style top-1 of 20, photos, `masked` view (20 edits)",
    ]
    card = tmp_path / "README.md"
    card.write_text("SHA-256 of `x`: `00`\n<!-- table: begin -->\nold\n<!-- table: end -->\nb\n")
    renew_card(card, result)
    assert "old" not in card.read_text()
    assert f"`{'ab' * 32}`" in card.read_text()
    assert card.read_text().count("**missed**") == 2
    assert card.read_text().endswith("\nb\n")


def test_a_kind_that_moves_a_text_on_average_costs_more_than_one_that_scatters():
    said = torch.eye(len(CLASS_NAMES))
    steady = torch.zeros(2, 4, 3, len(CLASS_NAMES))
    scattered, biased = steady.clone(), steady.clone()
    scattered[:, :, 1, 5] = torch.tensor([0.1, -0.1, 0.1, -0.1])
    biased[:, :, 1, 5] = 0.1
    losses = [quiet_loss(seen, said, LossWeights()) for seen in (steady, scattered, biased)]
    assert [round(largest, 6) for _, largest in losses] == [0, 0, 0.1]
    assert losses[0][0] == 0 < losses[1][0] < losses[2][0]
