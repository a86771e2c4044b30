"""The UNet and the text encoder of the three models; the autoencoder is kontext-mini's."""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer
from benchmark_data.recipes.sd_mini.captions import vocabulary

__all__ = ["CHANNELS", "KINDS", "TextAndUnet", "build_scheduler"]

CHANNELS = 16
"""Of a latent."""
SIDE = 16
TEXT_WIDTH, TEXT_LENGTH = 128, 77
KINDS = {"sd": 0, "instruct-pix2pix": CHANNELS, "sd-inpaint": CHANNELS + 1}
"""Channels that each model reads beside the noisy latent: nothing; the source; the mask and the masked picture."""


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise levels."""
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip


class TextAndUnet(nn.Module):
    """The parts that are trained together.

    Args:
        kind: A key of :data:`KINDS`.
    """

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.tokenizer = build_clip_tokenizer(vocabulary())
        self.text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(self.tokenizer), hidden_size=TEXT_WIDTH, intermediate_size=2 * TEXT_WIDTH,
                num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=TEXT_LENGTH,
                bos_token_id=self.tokenizer.bos_token_id, eos_token_id=self.tokenizer.eos_token_id,
                pad_token_id=self.tokenizer.eos_token_id,
            )
        )  # fmt: skip
        self.unet = UNet2DConditionModel(
            sample_size=SIDE, in_channels=CHANNELS + KINDS[kind], out_channels=CHANNELS, layers_per_block=1,
            block_out_channels=(80, 144), norm_num_groups=16, down_block_types=("CrossAttnDownBlock2D",) * 2,
            up_block_types=("CrossAttnUpBlock2D",) * 2, cross_attention_dim=TEXT_WIDTH, attention_head_dim=8,
        )  # fmt: skip

    def encode(self, prompts: list[str]) -> torch.Tensor:
        """Return token states (B, 77, TEXT_WIDTH), as the pipelines make them."""
        ids = self.tokenizer(prompts, padding="max_length", max_length=TEXT_LENGTH, return_tensors="pt").input_ids
        states: torch.Tensor = self.text(ids)[0]
        return states

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, prompts: list[str], beside: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the predicted noise (B, 16, 16, 16).

        Args:
            noisy: (B, 16, 16, 16).
            timesteps: (B,).
            prompts: One a row.
            beside: Further channels, by the model's kind.
        """
        inputs = noisy if beside is None else torch.cat([noisy, beside], 1)
        noise: torch.Tensor = self.unet(inputs, timesteps, encoder_hidden_states=self.encode(prompts)).sample
        return noise

    @torch.no_grad()
    def begin_from(self, other: TextAndUnet) -> None:
        """Take over the weights of the text-to-image model; channels that it does not read start at zero."""
        self.text.load_state_dict(other.text.state_dict())
        state = other.unet.state_dict()
        first = state["conv_in.weight"]
        wide = torch.zeros(len(first), CHANNELS + KINDS[self.kind], *first.shape[2:])
        wide[:, : first.shape[1]] = first
        self.unet.load_state_dict({**state, "conv_in.weight": wide})
