"""Tiny random models of the true classes, saved as their publishers save them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


def build_tiny_sam():
    """A SAM of segment-anything, small enough for tests."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=64, patch_size=8, embed_dim=24, depth=3, num_heads=2, mlp_ratio=2, out_chans=32, qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=3, global_attn_indexes=(1,),
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=32, image_embedding_size=(8, 8), input_image_size=(64, 64), mask_in_chans=8
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3, transformer_dim=32, iou_head_depth=3, iou_head_hidden_dim=16,
            transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=16, num_heads=8),
        ),
    )  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def _registered() -> Iterator[None]:
    """The registry of the package knows the tiny model, too."""
    from segment_anything import sam_model_registry

    sam_model_registry["tiny"] = build_tiny_sam
    yield
    del sam_model_registry["tiny"]


@pytest.fixture(scope="session")
def sam_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of segment-anything; its masks cover some, but not all, of a picture."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        sam = build_tiny_sam()
        for name, tensor in sam.named_parameters():
            if "rel_pos" in name or "pos_embed" in name:
                torch.nn.init.normal_(tensor, std=0.5)
    path = tmp_path_factory.mktemp("sam") / "tiny.pth"
    torch.save(sam.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def sam2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """transformers' SAM 2."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    config = Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1,
                "image_size": [64, 64], "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 2, 4, 8], "window_size_per_stage": [4, 4, 4, 4],
                "global_attention_blocks": [3], "window_positional_embedding_background_size": [4, 4],
            },
            "backbone_channel_list": [64, 32, 16, 8], "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 16,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
    )  # fmt: skip
    images = Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16})
    return _save(tmp_path_factory.mktemp("tiny") / "sam2", Sam2Model, config, Sam2Processor(images))


def _save(folder, model_class, config, processor):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model_class(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pictures() -> list[np.ndarray]:
    """Three pictures of 40 x 48, 48 x 48 and 30 x 50 pixels (height x width)."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (height, width, 3), np.uint8) for height, width in ((40, 48), (48, 48), (30, 50))]


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Folder with three pictures a, b, c of 30 x 20, a red block from (5, 4) to (17, 14) on grey."""
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = np.full((20, 30, 3), 128, np.uint8)
    pixels[4:14, 5:17] = (200, 10, 10)
    for number, name in enumerate("abc"):
        pixels[0, 0] = number
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder
