"""Editing with a tiny pipeline of the real classes."""

from __future__ import annotations

import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmark_data.recipes.full_size import build_meta_transformer, step_inputs
from regionroute.attention import StyleAttention
from regionroute.base import base_facts, load_base
from regionroute.experts import LoraSettings, add_expert, save_expert
from regionroute.gate import Gate
from regionroute.matting import blend, refine_mask
from regionroute.pipeline import RegionRoutePipeline
from rses.errors import InputError, RsesError, WeightsError
from tests.helpers.refusals import refused

PROMPT = "make the cat in {} style, keep other area unchanged"


@pytest.fixture(scope="module")
def pipe(tiny_kontext, tiny_experts):
    made = RegionRoutePipeline.from_pretrained(str(tiny_kontext), tiny_experts)
    made.gate = Gate(40.0, -1.0, 1)
    return made


def picture(width=64, height=64, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def stock_edit(stock, image, prompt, seed=5, **further):
    answer = stock(
        image=torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255, prompt=prompt, height=64, width=64,
        max_area=64 * 64, num_inference_steps=2, guidance_scale=1.0, generator=torch.Generator().manual_seed(seed),
        output_type="np", max_sequence_length=24, _auto_resize=False, **further,
    ).images[0]  # fmt: skip
    return (answer * 255).round().astype(int)


def test_the_prompt_chooses_the_expert(pipe):
    assert pipe.styles == ["pixel art", "line art"]
    edits = pipe.edit([picture()] * 2, [PROMPT.format("line-art"), PROMPT.format("Pixel Art")])
    assert [edit.style for edit in edits] == ["line art", "pixel art"]
    assert not np.array_equal(edits[0].image, edits[1].image)
    with refused(InputError, "unknown-name"):
        pipe.edit([picture()], [PROMPT.format("cyberpunk")])
    with refused(InputError, "unknown-name"):
        pipe.edit([picture()], ["make the cat red"])


def test_base_alone_equals_the_stock_pipeline(pipe, tiny_kontext):
    stock = load_base(str(tiny_kontext))
    image, prompt = picture(), PROMPT.format("pixel art")
    expected = stock_edit(stock, image, prompt)
    edit = pipe.edit([image], [prompt], seeds=[5], styles=[None])[0]
    assert np.abs(edit.image.astype(int) - expected).max() <= 1


def test_guiding_away_from_the_empty_prompt_equals_the_stock_pipeline(pipe, tiny_kontext):
    image, prompt = picture(), PROMPT.format("pixel art")
    expected = stock_edit(load_base(str(tiny_kontext)), image, prompt, negative_prompt="", true_cfg_scale=2.0)
    edit = pipe.edit([image], [prompt], seeds=[5], styles=[None], true_cfg=2.0)[0]
    assert np.abs(edit.image.astype(int) - expected).max() <= 1
    assert not np.array_equal(edit.image, pipe.edit([image], [prompt], seeds=[5], styles=[None])[0].image)
    # The maps are of the prompt's pass, not of the empty one's.
    maps = [
        pipe.edit([image], [prompt], seeds=[5], styles=[None], true_cfg=guided, attention=True, steps=1)[0].attention
        for guided in (1.0, 2.0)
    ]
    assert np.allclose(*maps, atol=1e-6)
    two = pipe.edit([image] * 2, [prompt] * 2, seeds=[5, 6], true_cfg=2.0)
    assert np.abs(two[0].image.astype(int) - pipe.edit([image], [prompt], seeds=[5], true_cfg=2.0)[0].image).max() <= 1


def test_stock_diffusers_reads_our_experts(pipe, tiny_kontext, tiny_experts):
    stock = load_base(str(tiny_kontext))
    stock.load_lora_weights(str(tiny_experts), weight_name="pixel-art.safetensors", adapter_name="any")
    image, prompt = picture(), PROMPT.format("pixel art")
    expected = stock_edit(stock, image, prompt)
    edit = pipe.edit([image], [prompt], seeds=[5])[0]
    base = pipe.edit([image], [prompt], seeds=[5], styles=[None])[0]
    assert np.abs(edit.image.astype(int) - expected).max() <= 1
    assert not np.array_equal(edit.image, base.image)


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (120, 50), (37, 61)])
def test_answers_lie_on_top_of_the_source(pipe, monkeypatch, size):
    """A model that gives back what it is given: every pixel must come home."""
    seen = {}

    def give_back(_self, image, height, width, max_area, _auto_resize, **_):
        seen.update(size=(width, height), area=max_area, resized=_auto_resize)
        return SimpleNamespace(images=image.permute(0, 2, 3, 1).numpy())

    monkeypatch.setattr(type(pipe.pipe), "__call__", give_back)
    width, height = size
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    ramps = (np.stack([columns, rows, 1 - columns], -1) * 255).round().astype(np.uint8)
    edit = pipe.edit([ramps], [PROMPT.format("pixel art")])[0]
    assert (edit.image.shape, edit.image.dtype) == (ramps.shape, np.uint8)
    assert seen == {"size": edit.size, "area": edit.size[0] * edit.size[1], "resized": False}
    # A shift by one pixel moves a ramp by 255 / side.
    inside = (edit.image.astype(int) - ramps)[2:-2, 2:-2]
    assert np.abs(inside.mean((0, 1))).max() < 0.25 * 255 / max(size)
    assert np.abs(inside).max() <= 2


@pytest.mark.parametrize("routed", [False, True])
def test_neighbours_sizes_and_order_do_not_matter(pipe, routed):
    images = [picture(64, 64, 1), picture(90, 60, 2), picture(64, 64, 3)]
    prompts = [PROMPT.format(style) for style in ("pixel art", "line art", "line art")]
    together = pipe.edit(images, prompts, seeds=[7, 8, 9], routed=routed)
    for image, prompt, seed, edit in zip(images, prompts, (7, 8, 9), together, strict=True):
        alone = pipe.edit([image], [prompt], seeds=[seed], routed=routed)[0]
        assert edit.image.shape == image.shape
        assert np.abs(alone.image.astype(int) - edit.image.astype(int)).max() <= 1
        assert not routed or np.abs(alone.mask - edit.mask).max() < 1e-3
    other = pipe.edit([images[0]], [prompts[0]], seeds=[8], routed=routed)[0]
    assert not np.array_equal(other.image, together[0].image)


def test_watching_attention_changes_nothing(pipe):
    image, prompt = picture(96, 64), PROMPT.format("pixel art")
    plain = pipe.edit([image], [prompt])[0]
    watched = pipe.edit([image], [prompt], attention=True)[0]
    assert plain.attention is None
    assert watched.attention.shape == (4, 6)
    assert 0 < watched.attention.min() <= watched.attention.max() < 1
    assert np.abs(plain.image.astype(int) - watched.image.astype(int)).max() <= 1


def test_missing_weights(tmp_path, tiny_kontext):
    with pytest.raises(WeightsError, match="variant mini"):
        load_base(str(tmp_path / "nothing"))
    with refused(WeightsError, "wrong-weights"):
        load_base(str(tmp_path))
    with refused(WeightsError, "missing-weights"):
        RegionRoutePipeline.from_pretrained(str(tiny_kontext), tmp_path)
    with refused(WeightsError, "missing-weights"):
        RegionRoutePipeline.from_pretrained(str(tiny_kontext))
    (tmp_path / "regionroute.json").write_text('{"step": 3}')
    with refused(WeightsError, "unreadable", "regionroute.json"):
        base_facts(str(tmp_path))


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(RsesError, match=r'pip install "rses\[methods\]"'):
        load_base("mini")


def test_a_machine_that_cannot_quantise(monkeypatch, tiny_kontext):
    def refuse(*_args, **_options):
        raise RuntimeError("No GPU found.")

    monkeypatch.setattr("regionroute.base._quantisation", lambda *a: None)
    monkeypatch.setattr("diffusers.FluxKontextPipeline.from_pretrained", refuse)
    with refused(RsesError, "failed"):
        load_base(str(tiny_kontext), quantise="nf4")
    with pytest.raises(RuntimeError, match=r"^No GPU found\.$"):
        load_base(str(tiny_kontext))


def test_lengths_must_agree(pipe):
    with refused(InputError, "mismatch"):
        pipe.edit([picture()], [])
    with refused(InputError, "mismatch"):
        pipe.edit([picture()] * 2, [PROMPT.format("pixel art")] * 2, styles=["pixel art"])


@pytest.mark.parametrize(
    "strange", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3))]
)
def test_pictures_are_checked(pipe, strange):
    with refused(InputError, "wrong-shape"):
        pipe.edit([picture(), strange], [PROMPT.format("pixel art")] * 2)


def test_a_style_that_the_model_would_not_read_is_refused(pipe):
    words = "small furry cat that sits to the left of the big red wooden table near the open window"
    with refused(InputError, "wrong-length"):
        pipe.edit([picture()], [f"make the {words} in pixel art style"])
    # What is cut off behind the style is the rest of the request alone.
    assert pipe.edit([picture()], [f"make it pixel art style, and keep the {words} as it is"])[0].style == "pixel art"


# Routed editing: where by the expert, how by the base.


def test_a_routed_edit_is_the_bases_whole_picture_where_the_experts_attention_says(pipe):
    image, prompt = picture(), PROMPT.format("pixel art")
    edit = pipe.edit([image], [prompt], seeds=[5], routed=True, attention=True)[0]
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


def test_guidance_makes_the_picture_and_not_the_mask(pipe):
    image, prompt = picture(), PROMPT.format("pixel art")
    plain = pipe.edit([image], [prompt], routed=True)[0]
    guided = pipe.edit([image], [prompt], routed=True, guidance=7.0, true_cfg=2.0)[0]
    assert np.array_equal(plain.mask, guided.mask)
    assert not np.array_equal(plain.image, guided.image)


def test_a_routed_edit_has_the_style_of_its_prompt(pipe):
    prompt = PROMPT.format("pixel art")
    with refused(InputError, "contradiction"):
        pipe.edit([picture()], [prompt], styles=["line art"], routed=True)
    assert pipe.edit([picture()], [prompt], styles=["pixel art"], routed=True)[0].style == "pixel art"


def test_a_prompt_is_read_for_all_styles_and_not_only_for_those_that_are_there(pipe, tiny_kontext, tiny_experts):
    one = RegionRoutePipeline.from_pretrained(str(tiny_kontext), {"pixel art": tiny_experts / "pixel-art.safetensors"})
    with refused(InputError, "ambiguous"):
        one.edit([picture()], ["make the line art poster in pixel art style"])
    with refused(InputError, "unknown-name"):
        one.edit([picture()], [PROMPT.format("line art")])


def test_a_gate_is_used_for_those_whom_it_was_fitted_for(pipe, with_finder, monkeypatch):
    prompt = PROMPT.format("pixel art")
    for made, finder in ((pipe, True), (with_finder, False)):
        monkeypatch.setattr(made, "gate", Gate(40.0, -1.0, 1, finder))
        with refused(WeightsError, "mismatch"):
            made.edit([picture()], [prompt], routed=True)
        assert made.edit([picture()], [prompt])[0].mask is None
        monkeypatch.setattr(made, "gate", Gate(40.0, -1.0, 1, not finder))
        assert made.edit([picture()], [prompt], routed=True)[0].mask is not None


def test_a_prompt_without_a_style_is_refused(pipe):
    with refused(InputError, "unknown-name"):
        pipe.edit([picture()], ["make the cat red"], styles=["pixel art"], routed=True)


@pytest.fixture
def with_finder(tiny_kontext, tiny_experts, tmp_path):
    """The same pipeline with a finder: another expert's file under its own name."""
    folder = shutil.copytree(tiny_experts, tmp_path / "experts")
    transformer = load_base(str(tiny_kontext)).transformer
    torch.manual_seed(7)
    for parameter in add_expert(transformer, "finder", LoraSettings()):
        torch.nn.init.normal_(parameter, std=0.5)
    save_expert(transformer, "finder", folder / "finder.safetensors")
    made = RegionRoutePipeline.from_pretrained(str(tiny_kontext), folder)
    made.gate = Gate(40.0, -1.0, 1)
    return made


def test_a_finder_says_where_and_touches_nothing_else(pipe, with_finder):
    image, prompt = picture(), PROMPT.format("pixel art")
    assert (pipe.has_finder, with_finder.has_finder) == (False, True)
    assert with_finder.styles == pipe.styles
    plain = [made.edit([image], [prompt], seeds=[5], attention=True)[0] for made in (pipe, with_finder)]
    assert np.abs(plain[0].image.astype(int) - plain[1].image.astype(int)).max() <= 1
    assert np.allclose(plain[0].attention, plain[1].attention, atol=1e-6)
    routed = with_finder.edit([image], [prompt], seeds=[5], routed=True, attention=True)[0]
    looked = with_finder.edit([image], [prompt], seeds=[5], styles=["finder"], steps=1, attention=True)[0]
    assert np.allclose(routed.attention, looked.attention, atol=1e-6)
    assert not np.allclose(
        routed.attention, pipe.edit([image], [prompt], seeds=[5], routed=True, attention=True)[0].attention
    )
    assert routed.style == "pixel art"
    # It needs no expert; plain editing does.
    assert with_finder.edit([image], [PROMPT.format("cyberpunk")], routed=True)[0].style == "cyberpunk"
    with refused(InputError, "unknown-name"):
        with_finder.edit([image], [PROMPT.format("cyberpunk")])
    cells = with_finder.gate.mask(torch.from_numpy(looked.attention).flatten()[None]).view(4, 4).numpy()
    assert np.abs(routed.mask - refine_mask(cells, image, (64, 64))).max() < 1e-3
