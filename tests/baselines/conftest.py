"""Tiny random pipelines of the true classes, saved once a session and loaded through ``from_pretrained``."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from rses.methods import EditSample

WORDS = [
    "a", "photo", "of", "the", "cat", "dog", "in", "pixel", "line", "art", "style", "make", "keep", "other", "area",
    "unchanged", "image", "diptych",
]  # fmt: skip
SIDE = 32


def build_unet(channels: int):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8, in_channels=channels, out_channels=4, layers_per_block=1, block_out_channels=(8, 16, 16),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16, attention_head_dim=4, norm_num_groups=4,
    )  # fmt: skip


def build_stable_diffusion(kind: str, channels: int):
    """Stable Diffusion's parts, small: factor 2 autoencoder, three levels of cross-attention."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel

    from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer

    tokenizer = build_clip_tokenizer(WORDS)
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8), latent_channels=4, norm_num_groups=4, sample_size=SIDE,
    )  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    return getattr(diffusers, kind)(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=build_unet(channels), scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def build_fill(kontext):
    """FLUX.1-Fill from the parts of the tiny Kontext: noise, masked picture and mask as channels."""
    from diffusers import FluxFillPipeline, FluxTransformer2DModel

    torch.manual_seed(0)
    config = dict(kontext.transformer.config)
    transformer = FluxTransformer2DModel(
        in_channels=64 + 64 + 256, out_channels=64, num_layers=1, num_single_layers=1,
        **{key: config[key] for key in (
            "attention_head_dim", "num_attention_heads", "joint_attention_dim", "pooled_projection_dim",
            "guidance_embeds", "axes_dims_rope",
        )},
    )  # fmt: skip
    parts = {
        name: part
        for name, part in kontext.components.items()
        if name not in ("transformer", "image_encoder", "feature_extractor")
    }
    return FluxFillPipeline(transformer=transformer, **parts)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, tiny_kontext):
    """``tiny(kind)``: folder of a tiny pipeline by the name of its class."""
    made = {}

    def make(kind: str):
        if kind in made:
            return made[kind]
        folder = tmp_path_factory.mktemp("tiny") / kind
        use = {"side": SIDE, "multiple": 8, "steps": 2}
        if kind.startswith("FluxKontext"):
            made[kind] = tiny_kontext
            return tiny_kontext
        if kind == "FluxFillPipeline":
            from diffusers import FluxKontextPipeline

            build_fill(FluxKontextPipeline.from_pretrained(tiny_kontext)).save_pretrained(folder)
            use |= {"side": 64, "text_length": 64, "steps": 2}
        else:
            channels = {"StableDiffusionInstructPix2PixPipeline": 8, "StableDiffusionInpaintPipeline": 9}.get(kind, 4)
            build_stable_diffusion(kind, channels).save_pretrained(folder)
        (folder / "use.json").write_text(json.dumps(use))
        made[kind] = folder
        return folder

    return make


@pytest.fixture(scope="session")
def samples():
    """Three samples of 48 x 40 pixels (width x height)."""
    rng = np.random.default_rng(0)
    made = []
    for number, thing in enumerate(("cat", "dog", "cat")):
        mask = np.zeros((40, 48), bool)
        mask[10 : 20 + number, 12:30] = True
        image = np.kron(rng.integers(0, 255, (10, 12, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
        prompt = f"make the {thing} in pixel art style, keep other area unchanged"
        made.append(EditSample(f"s{number}", image, thing, "pixel art", prompt, 100 + number, mask))
    return made
