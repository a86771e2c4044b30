"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from diffusers import FluxKontextPipeline, FluxTransformer2DModel


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real photographs, masks and edits, which is not part of the repository."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "real"
    folder = Path(os.environ.get("RSES_REAL_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set RSES_REAL_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def sam_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random SAM of transformers, as its publishers save it."""
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    config = SamConfig(
        vision_config={"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 64,
                       "patch_size": 16, "output_channels": 16, "mlp_dim": 16, "global_attn_indexes": [0],
                       "num_pos_feats": 8},
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16},
        mask_decoder_config={"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
    )  # fmt: skip
    images = SamImageProcessor(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}, mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny") / "sam"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        SamModel(config).save_pretrained(folder)
    SamProcessor(images).save_pretrained(folder)
    return folder


TINY_CONFIG = {
    "in_channels": 64,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 16,
    "guidance_embeds": True,
    "axes_dims_rope": (4, 6, 6),
}


def build_tiny(seed: int = 0, **changes: object) -> FluxTransformer2DModel:
    """Return the same random weights on every call, leaving the global generator where it was."""
    from diffusers import FluxTransformer2DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FluxTransformer2DModel(**{**TINY_CONFIG, **changes}).eval()


@pytest.fixture
def tiny_transformer() -> FluxTransformer2DModel:
    """Two double and two single blocks, 2 heads x 16 channels, the same random weights every time."""
    return build_tiny()


@pytest.fixture
def make_tiny() -> Callable[..., FluxTransformer2DModel]:
    """``make_tiny(seed=0, **config_changes)``: further transformers, equal ones for equal arguments."""
    return build_tiny


WORDS = ["make", "turn", "the", "cat", "dog", "car", "red", "in", "pixel", "art", "line", "cyberpunk", "expressionism",
         "style", "keep", "other", "area", "unchanged"]  # fmt: skip


def build_tiny_kontext() -> FluxKontextPipeline:
    """Build a whole pipeline of the real classes: factor 8, 16 latent channels, words as tokens."""
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxKontextPipeline
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer, build_t5_tokenizer

    clip_tokenizer, t5_tokenizer = build_clip_tokenizer(WORDS), build_t5_tokenizer(WORDS, 24)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(4, 4, 8, 8), layers_per_block=1, latent_channels=16, norm_num_groups=4,
            mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False,
            shift_factor=0.1, scaling_factor=0.5,
        )  # fmt: skip
        t5 = T5EncoderModel(
            T5Config(vocab_size=len(t5_tokenizer), d_model=32, d_kv=8, num_heads=2, d_ff=32, num_layers=1)
        )
        clip = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(clip_tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                num_attention_heads=2, projection_dim=16, bos_token_id=clip_tokenizer.bos_token_id,
                eos_token_id=clip_tokenizer.eos_token_id,
            )
        )  # fmt: skip
    return FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=clip, tokenizer=clip_tokenizer,
        text_encoder_2=t5, tokenizer_2=t5_tokenizer, transformer=build_tiny(),
    )  # fmt: skip


def write_tiny_kontext(folder: Path) -> Path:
    build_tiny_kontext().save_pretrained(folder)
    (folder / "regionroute.json").write_text(
        '{"buckets": [[64, 64], [96, 64]], "text_length": 24, "guidance": 1.0, "steps": 2}'
    )
    return folder


@pytest.fixture(scope="session")
def tiny_kontext(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny FluxKontextPipeline, as ``save_pretrained`` writes it, made for 64 x 64 pictures."""
    return write_tiny_kontext(tmp_path_factory.mktemp("kontext") / "tiny")


CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHAT_TOKENS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
    "<|video_pad|>",
]  # fmt: skip


def build_chat_tokenizer(words=("Yes", "yes", "No", "no")):
    from transformers import Qwen2Tokenizer

    from benchmark_data.recipes.kontext_mini.tokenizers import byte_symbols

    vocabulary = {symbol: number for number, symbol in enumerate(byte_symbols())}
    merges = []
    for word in words:
        piece = word[0]
        for letter in word[1:]:
            if (piece, letter) not in merges:
                merges.append((piece, letter))
            piece += letter
            vocabulary.setdefault(piece, len(vocabulary))
    for special in CHAT_TOKENS:
        vocabulary[special] = len(vocabulary)
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges)
    tokenizer.add_tokens(CHAT_TOKENS, special_tokens=True)
    tokenizer.pad_token = "<|endoftext|>"
    tokenizer.eos_token = "<|im_end|>"
    return tokenizer


def build_vlm(words=("Yes", "yes", "No", "no")):
    """Return (model, processor) of Qwen2.5-VL's classes, random and tiny, that knows these words as single tokens."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = build_chat_tokenizer(words)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in CHAT_TOKENS}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 1024,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
            "bos_token_id": ids["<|im_start|>"], "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 56,
            "fullatt_block_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen2_5_VLForConditionalGeneration(config)
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56}),
        tokenizer=tokenizer, video_processor=Qwen2VLVideoProcessor(), chat_template=CHAT,
    )  # fmt: skip
    return model, processor


@pytest.fixture(scope="session")
def make_vlm():
    """``make_vlm(words)``: (model, processor) of a tiny random Qwen2.5-VL."""
    return build_vlm
