"""Routed editing with a tiny pipeline of the real classes: where by the expert, how by the base."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from regionroute.attention import StyleAttention
from regionroute.base import load_base
from regionroute.experts import LoraSettings, add_expert, save_expert
from regionroute.full_size import build_meta_transformer, step_inputs
from regionroute.gate import Gate, write_gate
from regionroute.matting import blend, refine_mask
from regionroute.pipeline import RegionRoutePipeline
from rses.errors import InputError

PROMPT = "make the cat in {} style, keep other area unchanged"


@pytest.fixture(scope="module")
def pipe(tiny_kontext, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experts")
    for seed, style in enumerate(("pixel art", "line art")):
        transformer = load_base(str(tiny_kontext)).transformer
        torch.manual_seed(seed)
        for parameter in add_expert(transformer, style, LoraSettings()):
            torch.nn.init.normal_(parameter, std=0.5)
        save_expert(transformer, style, folder / f"{style.replace(' ', '-')}.safetensors")
    write_gate(folder, Gate(40.0, -1.0, 1))
    return RegionRoutePipeline.from_pretrained(str(tiny_kontext), folder)


def picture(width=64, height=64, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def test_a_routed_edit_is_the_bases_whole_picture_where_the_experts_attention_says(pipe):
    image, prompt = picture(), PROMPT.format("pixel art")
    edit = pipe.edit([image], [prompt], seeds=[5], routed=True, attention=True)[0]
    assert pipe.gate == Gate(40.0, -1.0, 1)
    # Each pass on its own, put together by hand.
    first = pipe.edit([image], [prompt], seeds=[5], steps=1, attention=True)[0]
    whole = pipe.edit([image], ["make the image in pixel art style"], seeds=[5], styles=[None])[0]
    cells = pipe.gate.mask(torch.from_numpy(first.attention).flatten()[None]).view(4, 4).numpy()
    mask = refine_mask(cells, image, (64, 64))
    assert np.allclose(edit.attention, first.attention, atol=1e-6)
    assert np.abs(edit.mask - mask).max() < 1e-3
    assert np.abs(edit.image.astype(int) - blend(image, whole.image, mask)).max() <= 1
    assert edit.style == "pixel art"
    # Otherwise this test could not fail.
    assert 0.05 < (mask > 0.5).mean() < 0.95
    assert (mask == 0).any()


def test_where_the_mask_is_zero_the_pixels_are_the_sources_own(pipe):
    image = picture(200, 150)
    edit = pipe.edit([image], [PROMPT.format("line art")], routed=True)[0]
    assert edit.mask.shape == (150, 200)
    assert edit.mask.dtype == np.float32
    assert edit.mask.min() >= 0
    assert edit.mask.max() <= 1
    kept = edit.mask == 0
    assert kept.any()
    assert np.array_equal(edit.image[kept], image[kept])
    assert not np.array_equal(edit.image, image)


def test_neighbours_do_not_matter_and_sizes_are_the_sources(pipe):
    images = [picture(64, 64, 1), picture(90, 60, 2), picture(37, 61, 3)]
    prompts = [PROMPT.format(style) for style in ("pixel art", "line art", "line art")]
    together = pipe.edit(images, prompts, seeds=[7, 8, 9], routed=True)
    for row in range(3):
        alone = pipe.edit([images[row]], [prompts[row]], seeds=[[7, 8, 9][row]], routed=True)[0]
        assert together[row].image.shape == images[row].shape
        assert np.abs(alone.mask - together[row].mask).max() < 1e-3
        assert np.abs(alone.image.astype(int) - together[row].image.astype(int)).max() <= 1


def test_plain_editing_is_the_default_and_has_no_mask(pipe):
    image, prompt = picture(), PROMPT.format("pixel art")
    plain = pipe.edit([image], [prompt])[0]
    assert plain.mask is None
    assert np.array_equal(plain.image, pipe.edit([image], [prompt], routed=False)[0].image)
    assert pipe.edit([image], [prompt], routed=True)[0].attention is None


def test_the_full_configuration_gives_maps_of_all_layers_and_a_mask_at_its_size():
    transformer = build_meta_transformer()
    inputs = step_inputs(transformer, 1024, device="meta")
    with torch.no_grad(), StyleAttention(transformer).record([[8, 9, 10]], 512, 64 * 64) as maps:
        transformer(**inputs)
    assert maps.stacked().shape == (19 + 38, 1, 24, 64 * 64, 3)
    heat = torch.full((64, 64), 0.1)
    heat[20:30, 40:50] = 0.9
    cells = Gate().mask(heat.view(1, -1)).view(64, 64).numpy()
    photo = np.full((700, 900, 3), 120, np.uint8)
    mask = refine_mask(cells, photo, (1024, 1024))
    assert mask.shape == (700, 900)
    rows, columns = np.nonzero(mask > 0.5)
    assert rows.mean() / 700 == pytest.approx(25 / 64, abs=0.01)
    assert columns.mean() / 900 == pytest.approx(45 / 64, abs=0.01)


def test_a_prompt_without_a_style_is_refused(pipe):
    with pytest.raises(InputError, match="names no known style"):
        pipe.edit([picture()], ["make the cat red"], styles=["pixel art"], routed=True)
