"""Sizes of the networks of `kontext-mini`, and how they start."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from benchmark_data.recipes.kontext_mini.naming import NameReaders
from benchmark_data.recipes.kontext_mini.prompts import words
from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer, build_t5_tokenizer
from benchmark_data.recipes.kontext_mini.windows import Window
from benchmark_data.scenes import COLOURS
from benchmark_data.scenes.catalogue import CLASSES
from regionroute.flux import text_ids

__all__ = ["TEXT_LENGTH", "TextAndFlow", "build_clip", "build_t5", "build_transformer", "build_vae", "start_straight"]

TEXT_LENGTH = 24
"""Tokens of a prompt, in training and at inference."""
WIDTH, HEADS = 192, 6
SIDE = 16
"""Tokens along a side of a whole picture."""
TEXT_WIDTH, POOLED_WIDTH = 96, 64


def build_vae() -> AutoencoderKL:
    """Autoencoder with 16 channels, as FLUX's, but factor 4 and narrow; widest where the grid is small, so cheap."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 128),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=8,
        sample_size=128,
        mid_block_add_attention=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    with torch.no_grad():
        start_straight(model)
    return model


def build_transformer() -> FluxTransformer2DModel:
    """FLUX's transformer with two double and five single blocks, 192 wide."""
    model = FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=2,
        num_single_layers=5,
        attention_head_dim=WIDTH // HEADS,
        num_attention_heads=HEADS,
        joint_attention_dim=TEXT_WIDTH,
        pooled_projection_dim=POOLED_WIDTH,
        guidance_embeds=True,
        axes_dims_rope=(4, 14, 14),
    )
    with torch.no_grad():
        _start_as_identity(model)
        _look_at_own_place(model)
    return model


def build_t5(vocabulary: int) -> T5EncoderModel:
    """Text encoder of two layers for the tokens."""
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary, d_model=TEXT_WIDTH, d_kv=24, num_heads=4, d_ff=192, num_layers=2,
            num_decoder_layers=1, relative_attention_num_buckets=16, relative_attention_max_distance=32,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False,
        )
    )  # fmt: skip


def build_clip(vocabulary: int, bos: int, eos: int) -> CLIPTextModel:
    """One-layer text encoder for the pooled vector."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary, hidden_size=POOLED_WIDTH, intermediate_size=128, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=77, projection_dim=POOLED_WIDTH,
            bos_token_id=bos, eos_token_id=eos, pad_token_id=eos,
        )
    )  # fmt: skip


def start_straight(model: AutoencoderKL) -> None:
    """Residual branches start at zero, all else orthogonal, latents nearly without noise: training is far faster."""
    for name, module in model.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        nn.init.zeros_(module.bias)
        if name.endswith("conv2"):
            nn.init.zeros_(module.weight)
        else:
            nn.init.orthogonal_(module.weight.view(len(module.weight), -1))
    model.encoder.conv_out.bias[model.config.latent_channels :] = -4.0


def _start_as_identity(model: FluxTransformer2DModel) -> None:
    """Modulation starts at zero with half-open gates, the output at zero: early steps are calm."""
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear) or not name.endswith((".linear", "proj_out")):
            continue
        if name == "proj_out":
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
        elif "norm" in name:
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
            chunks = module.out_features // WIDTH
            # Chunks are shift, scale, gate (twice in double blocks); the final norm has no gate.
            for gate in range(2, chunks, 3):
                module.bias[gate * WIDTH : (gate + 1) * WIDTH] = 0.5


def _look_at_own_place(model: FluxTransformer2DModel) -> None:
    """Let some heads start by looking at the same place: two in the context image, one nearby in the own image.

    With rotary positions, equal constant queries and keys attend to equal positions. Only the fastest frequency of an
    axis tells neighbours apart, so the constant sits there. The first axis tells the target image (0) from the
    context (1): keys of the context match queries turned by one radian.
    """
    head = WIDTH // HEADS
    height, width = 4, 4 + 14  # First channel of each spatial axis; pairs are interleaved.
    attentions = [block.attn for block in model.transformer_blocks]
    attentions += [block.attn for block in model.single_transformer_blocks]
    for attention in attentions:
        for number, turned in ((0, True), (1, True), (2, False)):
            offset = number * head
            for axis in (0, height, width):
                angle = torch.tensor(1.0 if turned and axis == 0 else 0.0)
                start = offset + axis
                attention.to_k.bias[start], attention.to_k.bias[start + 1] = 3.0, 0.0
                attention.to_q.bias[start] = 3.0 * torch.cos(angle)
                attention.to_q.bias[start + 1] = 3.0 * torch.sin(angle)


class TextAndFlow(nn.Module):
    """The parts that are trained together: text encoders and transformer, and readers that training alone needs."""

    def __init__(self) -> None:
        super().__init__()
        vocabulary = words(CLASSES, COLOURS)
        self.t5_tokenizer = build_t5_tokenizer(vocabulary, TEXT_LENGTH)
        self.clip_tokenizer = build_clip_tokenizer(vocabulary)
        clip = self.clip_tokenizer
        self.t5 = build_t5(len(self.t5_tokenizer))
        self.clip = build_clip(len(clip), clip.bos_token_id, clip.eos_token_id)
        self.transformer = build_transformer()
        self.readers = NameReaders(self.transformer)

    def encode(self, prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return token states (B, TEXT_LENGTH, 96) and pooled vectors (B, 64), as the pipeline makes them."""
        t5 = self.t5_tokenizer(
            prompts, padding="max_length", max_length=TEXT_LENGTH, truncation=True, return_tensors="pt"
        )
        clip = self.clip_tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
        return self.t5(t5.input_ids)[0], self.clip(clip.input_ids).pooler_output

    def forward(
        self, noisy: torch.Tensor, context: torch.Tensor, prompts: list[str], sigma: torch.Tensor,
        guidance: torch.Tensor, *, silent: list[bool], window: Window,
    ) -> torch.Tensor:  # fmt: skip
        """Return the velocity (B, N, 64) of the target's tokens.

        Args:
            noisy: (B, N, 64) target tokens of a window.
            context: (B, N, 64) source tokens of the same window.
            prompts: One per row.
            sigma: (B,) noise levels.
            guidance: (B,) guidance scales that the model is told.
            silent: Rows whose pooled vector is that of the empty prompt.
            window: Where the tokens lie.
        """
        states, pooled = self.encode(prompts)
        empty = self.encode([""])[1]
        pooled = torch.where(torch.tensor(silent)[:, None], empty, pooled)
        result: torch.Tensor = self.transformer(
            hidden_states=torch.cat([noisy, context], 1), encoder_hidden_states=states, pooled_projections=pooled,
            timestep=sigma, guidance=guidance, txt_ids=text_ids(TEXT_LENGTH), img_ids=window.ids(),
            return_dict=False,
        )[0]  # fmt: skip
        return result[:, : noisy.shape[1]]
