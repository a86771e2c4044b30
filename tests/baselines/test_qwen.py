"""Qwen-Image-Edit, through ``from_pretrained`` on tiny pipelines of the true classes.

The pipelines resize their context to about a megapixel whatever they are asked for, so that constant is made small.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from baselines.qwen_image_edit import QwenImageEdit, QwenImageEdit2509

pytestmark = pytest.mark.slow
SIDE = 64


@pytest.fixture(scope="module")
def folders(make_vlm, tmp_path_factory):
    import diffusers

    model, processor = make_vlm()
    torch.manual_seed(0)
    parts = {
        "vae": diffusers.AutoencoderKLQwenImage(
            base_dim=4, z_dim=4, dim_mult=[1, 2, 2, 2], num_res_blocks=1, latents_mean=[0.0] * 4, latents_std=[1.0] * 4
        ),
        "transformer": diffusers.QwenImageTransformer2DModel(
            in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=32, axes_dims_rope=(4, 6, 6),
        ),
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": model, "processor": processor, "tokenizer": processor.tokenizer,
    }  # fmt: skip
    made = {}
    for kind in (QwenImageEdit, QwenImageEdit2509):
        folder = tmp_path_factory.mktemp("qwen") / kind.pipeline
        getattr(diffusers, kind.pipeline)(**parts).save_pretrained(folder)
        (folder / "use.json").write_text(json.dumps({"side": SIDE, "steps": 2}))
        made[kind] = folder
    return made


@pytest.fixture
def small_context(monkeypatch):
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit, pipeline_qwenimage_edit_plus

    for module in (pipeline_qwenimage_edit, pipeline_qwenimage_edit_plus):
        stock = module.calculate_dimensions
        monkeypatch.setattr(module, "calculate_dimensions", lambda area, ratio, stock=stock: stock(SIDE * SIDE, ratio))


@pytest.mark.parametrize("kind", [QwenImageEdit, QwenImageEdit2509])
def test_contract(kind, folders, small_context, samples):
    method = kind(str(folders[kind]))
    method.load("cpu", "float32")
    alone = [method.edit([sample])[0] for sample in samples[:2]]
    for sample, edited in zip(samples, alone, strict=False):
        assert edited.image.shape == sample.image.shape
        assert edited.details == {"size": "64x64"}
    assert np.array_equal(method.edit(samples[:1])[0].image, alone[0].image)
    if method.card.max_batch > 1:
        together = method.edit(samples[:2])
        for one, many in zip(alone, together, strict=True):
            assert np.abs(one.image.astype(int) - many.image).max() <= 1


def test_guidance_is_on(folders, small_context, samples):
    """Without a negative prompt the pipeline would ignore the scale without a word."""
    images = []
    for guidance in (1.0, 4.0):
        method = QwenImageEdit(str(folders[QwenImageEdit]), guidance=guidance)
        method.load("cpu", "float32")
        images.append(method.edit(samples[:1])[0].image)
    assert not np.array_equal(*images)


def test_sizes_are_those_the_pipeline_gives_its_context():
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit import calculate_dimensions

    rule = QwenImageEdit().size_rule
    for width, height in [(640, 480), (1024, 1024), (500, 333), (1080, 1920)]:
        assert rule.choose(width, height) == tuple(map(int, calculate_dimensions(1024 * 1024, width / height)[:2]))
