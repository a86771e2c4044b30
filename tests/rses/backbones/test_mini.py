"""The embedded weights: shapes, exact receptive fields, ladders, phrasings, and a card that tells the truth."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from baselines.classical import STYLES, stylize
from benchmark_data.recipes.mini.card import render_table
from benchmark_data.recipes.mini.distortions import LADDERS, TRAINED, climb, distance, inner
from benchmark_data.recipes.mini.evaluate import evaluate_style, evaluate_texts
from benchmark_data.recipes.mini.held_out import Item
from benchmark_data.scenes import make_scene
from rses.backbones import load_perceptual, load_style
from rses.backbones.base import PerceptualBackbone, StyleBackbone
from rses.backbones.mini import MiniPerceptual, MiniStyle, load_mini_perceptual, load_mini_style
from rses.backbones.mini_network import FORMAT, ImageEncoder, MiniConfig, PerceptualTrunk, log_moments
from rses.errors import WeightsError
from tests.helpers.refusals import refused

MODEL = Path(str(files("benchmark_data"))) / "models" / "rses-mini"


@pytest.fixture(scope="module")
def style() -> MiniStyle:
    return load_mini_style()


@pytest.fixture(scope="module")
def perceptual() -> MiniPerceptual:
    return load_mini_perceptual()


@pytest.fixture(scope="module")
def evaluation() -> dict:
    return json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def photo(name: str, step: int = 2) -> np.ndarray:
    return np.ascontiguousarray(getattr(skimage.data, name)()[::step, ::step])


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


def test_both_satisfy_the_protocols_and_load_by_name(style, perceptual):
    assert isinstance(style, StyleBackbone)
    assert isinstance(perceptual, PerceptualBackbone)
    assert load_style("rses-mini").sha256 == style.sha256 == load_perceptual("rses-mini").sha256


def test_embeddings_are_unit_float32_and_repeat(style):
    images = noise(3, 3, style.image_size, style.image_size)
    texts = ["pixel art", "", "Ünïcode 漢字", "word " * 400]
    for first, again in (
        (style.encode_images(images), style.encode_images(images)),
        (style.encode_texts(texts), load_mini_style().encode_texts(texts)),
    ):
        assert first.dtype == torch.float32
        assert first.shape[1] == 128
        torch.testing.assert_close(first.norm(dim=1), torch.ones(len(first)))
        assert torch.equal(first, again)
    assert style.encode_texts([]).shape == (0, 128)


def test_a_batch_gives_what_single_images_give(style, perceptual):
    images = noise(5, 3, style.image_size, style.image_size, seed=1)
    singles = torch.cat([style.encode_images(image[None]) for image in images])
    torch.testing.assert_close(style.encode_images(images), singles, atol=2e-6, rtol=0)
    for together, alone in zip(perceptual.features(images), perceptual.features(images[2:3]), strict=True):
        torch.testing.assert_close(together[2:3], alone, atol=2e-6, rtol=0)


def test_texts_do_not_depend_on_their_neighbours_or_spelling_of_case(style):
    alone = style.encode_texts(["Pixel-Art"])
    torch.testing.assert_close(style.encode_texts(["line art", "pixel art"])[1:], alone)


def test_wrong_sizes_are_refused(style, perceptual):
    with refused(ValueError, "wrong-shape"):
        style.encode_images(noise(1, 3, 64, 64))
    with refused(ValueError, "wrong-shape"):
        perceptual.features(noise(1, 3, 31, 64))


def test_heads_are_not_negative_and_maps_are_unit_vectors(perceptual):
    maps = perceptual.features(noise(1, 3, 65, 47, seed=2))
    for head, features in zip(perceptual.weights(), maps, strict=True):
        assert head.shape == (features.shape[1],)
        assert (head >= 0).all()
        assert head.sum() > 0
        lengths = features.norm(dim=1)
        assert (lengths < 1 + 1e-5).all()
        assert lengths.median() > 0.99


@pytest.mark.parametrize("size", [(32, 32), (61, 87), (128, 96)])
def test_only_touched_cells_change(perceptual, size):
    mask = torch.zeros(1, 1, *size)
    mask[..., size[0] // 3 : size[0] // 3 + 5, size[1] // 2 : size[1] // 2 + 3] = 1
    before = noise(1, 3, *size, seed=3)
    after = torch.where(mask.bool(), 1 - before, before)
    touched = perceptual.touched(mask)
    for a, b, cells in zip(perceptual.features(before), perceptual.features(after), touched, strict=True):
        changed = (a != b).any(dim=1, keepdim=True)
        assert cells.shape[-2:] == a.shape[-2:]
        assert set(cells.unique().tolist()) <= {0.0, 1.0}
        assert changed.any()
        assert not (changed & (cells == 0)).any()


def test_touched_cells_are_exactly_the_receptive_field():
    # With positive weights nothing cancels, so that a huge change reaches every cell that can see it.
    trunk = PerceptualTrunk(MiniConfig(trunk_channels=(4, 4, 4, 4, 4)))
    torch.manual_seed(0)
    with torch.no_grad():
        for conv in trunk.convs:
            conv.weight.uniform_(0.1, 1.0)
            conv.bias.uniform_(0.0, 0.1)
    backbone = MiniPerceptual(trunk, "")
    mask = torch.zeros(1, 1, 150, 131)
    mask[..., 70:73, 40] = 1
    before = noise(1, 3, 150, 131, seed=4)
    after = torch.where(mask.bool(), 1e6, before)
    for a, b, cells in zip(backbone.features(before), backbone.features(after), backbone.touched(mask), strict=True):
        assert 0 < cells.mean() < 1
        assert torch.equal((a != b).any(dim=1, keepdim=True), cells.bool())


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("subject", ["astronaut", "chelsea"])
def test_distance_rises_along_the_ladder(perceptual, subject, name):
    picture = as_tensor(photo(subject))
    clean = perceptual.features(inner(picture))
    rungs = [climb(name, picture, level, seed=i) for i, level in enumerate(LADDERS[name])]
    heights = [distance(clean, perceptual.features(rung), perceptual.weights()).item() for rung in rungs]
    assert len(heights) >= 5
    assert heights[0] > 0
    assert heights == sorted(set(heights))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("8-bit pixelated look", "pixel art"),
        ("in pixel-art style", "pixel art"),
        ("an expressionist oil painting", "expressionism"),
        ("make the dog cyberpunk", "cyberpunk"),
        ("minimalist line-art of a horse", "line art"),
        ("a sumi-e ink painting of a bamboo forest", "ink wash painting"),
        ("a realistic photograph", "a photo"),
        ("a teddy bear on a bench", "a photo"),
    ],
)
def test_free_phrasings(style, text, wanted):
    names = [*STYLES, "a photo"]
    cosines = style.encode_texts([text]) @ style.encode_texts(names).T
    assert names[int(cosines.argmax())] == wanted


def test_held_out_phrasings_are_as_the_card_says(style, evaluation):
    measured = evaluate_texts(style)
    assert measured == evaluation["texts"]
    assert measured["accuracy"] >= 0.9


def test_retrieves_styles_of_unseen_scenes_and_photographs(style):
    scenes = [make_scene(seed, 128) for seed in range(30_000_000, 30_000_003)]
    items = [Item(str(s.seed), s.image, s.target.mask > 0.5) for s in scenes]
    disc = np.hypot(*(np.indices((128, 128)) - 63.5)) < 45
    items.append(Item("astronaut", photo("astronaut", 4), disc))
    numbers = evaluate_style(style, items)["masked"]
    assert numbers["pairs"] == 4 * len(STYLES)
    assert numbers["top1"] >= 0.8
    assert numbers["gain"] >= 0.9


def test_the_four_styles_of_the_paper_raise_rsm(style):
    source = photo("chelsea", 1)[20:276, 90:346]
    size = (style.image_size, style.image_size)
    texts = ["pixel art", "cyberpunk", "expressionism", "line art"]
    pictures = [source, *(stylize(source, text) for text in texts)]
    views = torch.cat(
        [torch.nn.functional.interpolate(as_tensor(p.copy()), size, mode="bicubic", antialias=True) for p in pictures]
    ).clamp(0, 1)
    cosines = style.encode_images(views) @ style.encode_texts(texts).T
    assert (cosines[1:].diagonal() > cosines[0]).all()
    assert cosines[1:].argmax(dim=1).tolist() == [0, 1, 2, 3]


def test_card_and_evaluation_agree(style, evaluation):
    weights = MODEL / "model.safetensors"
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    assert evaluation["sha256"] == style.sha256
    assert render_table(evaluation) in card
    assert style.sha256 in card
    assert weights.stat().st_size <= 12e6


def test_damaged_or_missing_weights_name_file_and_remedy(tmp_path):
    shutil.copy(MODEL / "config.json", tmp_path)
    with pytest.raises(WeightsError, match="cannot be read.*Reinstall"):
        load_mini_style(tmp_path)
    content = (MODEL / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(content[:-1] + b"\0\1")
    with pytest.raises(WeightsError, match="damaged.*Reinstall"):
        load_mini_perceptual(tmp_path)


def test_weights_of_another_format_are_refused_by_number(tmp_path):
    shutil.copy(MODEL / "model.safetensors", tmp_path)
    settings = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    for version in (FORMAT + 1, None, "1"):
        (tmp_path / "config.json").write_text(json.dumps({**settings, "format": version}))
        with refused(WeightsError, "other-version"):
            load_mini_style(tmp_path)


def test_statistics_leave_the_fill_colour_out():
    maps = noise(2, 3, 8, 8)
    content = torch.zeros(2, 1, 32, 32)
    content[:, :, :16, 8:] = 1
    inside = maps[:, :, :4, 2:].numpy().astype(np.float64)
    expected = [inside.mean(axis=(2, 3)), inside.std(axis=(2, 3)), np.sqrt(inside).mean(axis=(2, 3))]
    for measured, value in zip(log_moments(maps, content), expected, strict=True):
        np.testing.assert_allclose(measured.numpy(), np.log(value + 1e-2), atol=2e-4)


def test_details_see_what_the_stages_cannot():
    torch.manual_seed(0)
    config = MiniConfig(image_size=32, style_channels=(4, 8), detail_channels=(4, 6), image_hidden=8)
    encoder = ImageEncoder(config)
    checked = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * torch.ones(1, 3, 1, 1)
    flat = torch.full((1, 3, 32, 32), 0.5)
    with torch.no_grad():
        difference = (encoder.statistics(checked) - encoder.statistics(flat)).abs()[0]
        assert encoder(checked).norm().item() == pytest.approx(1, abs=1e-6)
        assert encoder.statistics(flat).shape == (1, 3 * (4 + 8 + 4 + 6))
    assert difference[: 3 * 12].max() < 1e-4  # the mean of the checks is the flat grey
    assert difference[3 * 12 :].max() > 0.05


def test_a_picture_of_nothing_but_fill_has_an_embedding():
    config = MiniConfig(image_size=32, style_channels=(4, 8), detail_channels=(4,), image_hidden=8)
    fill = torch.tensor(config.mean).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    assert ImageEncoder(config)(fill).isfinite().all()
