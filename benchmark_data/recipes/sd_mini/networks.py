"""The UNets and the text encoder of the three models, and the autoencoder of one.

Text to image and InstructPix2Pix read the latents of one autoencoder of factor 8 (:data:`DEEP_FOLDER`). diffusers lets
an inpainting UNet have 4 or 9 channels alone, so that model has an autoencoder of 4 channels of its own, with factor 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from benchmark_data.recipes.kontext_mini.networks import start_straight
from benchmark_data.recipes.kontext_mini.tokenizers import build_clip_tokenizer
from benchmark_data.recipes.sd_mini.captions import vocabulary

TEXT_WIDTH, TEXT_LENGTH = 128, 77
DEEP_FOLDER = Path(__file__).resolve().parents[2] / "models" / "sd-mini"
"""Holds the autoencoder of factor 8, with 16 channels; trained for the first edition of kontext-mini."""


@dataclass(frozen=True)
class Kind:
    """What a model reads, and how wide it is.

    Attributes:
        channels: Of a latent.
        side: Of a latent.
        beside: Channels read beside the noisy latent.
        widths: Of the UNet's levels.
        plain: Levels without attention, from the finest.
    """

    channels: int
    side: int
    beside: int
    widths: tuple[int, ...]
    plain: int = 0


KINDS = {
    "sd": Kind(16, 16, 0, (80, 144)),
    "instruct-pix2pix": Kind(16, 16, 16, (80, 144)),
    "sd-inpaint": Kind(4, 32, 5, (32, 80, 128), plain=1),
}
"""Beside the noisy latent: nothing; the source; the mask and the masked picture."""


def build_shallow_vae() -> AutoencoderKL:
    """Autoencoder with factor 4 and 4 channels: the deep one less its innermost level."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 128), layers_per_block=1, latent_channels=4, norm_num_groups=8, sample_size=128,
        mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip
    with torch.no_grad():
        start_straight(model)
    return model


@torch.no_grad()
def begin_shallow(model: AutoencoderKL, folder: Path) -> None:
    """Fill the levels that both have from the deep autoencoder in a model folder."""
    deep = AutoencoderKL.from_pretrained(folder, subfolder="vae").float().state_dict()
    for name, parameter in model.named_parameters():
        # The decoder counts its levels from within, where this one has a level less.
        own = re.sub(r"(decoder\.up_blocks\.)(\d)", lambda found: f"{found[1]}{int(found[2]) + 1}", name)
        if own in deep and deep[own].shape == parameter.shape:
            parameter.copy_(deep[own])


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise levels, and the prediction of Stable Diffusion 2: v (arXiv 2202.00512)."""
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, prediction_type="v_prediction",
    )  # fmt: skip


class TextAndUnet(nn.Module):
    """The parts that are trained together.

    Args:
        kind: A key of :data:`KINDS`.
    """

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        facts = KINDS[kind]
        attended = len(facts.widths) - facts.plain
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
            sample_size=facts.side, in_channels=facts.channels + facts.beside, out_channels=facts.channels,
            layers_per_block=1, block_out_channels=facts.widths, norm_num_groups=16,
            down_block_types=("DownBlock2D",) * facts.plain + ("CrossAttnDownBlock2D",) * attended,
            up_block_types=("CrossAttnUpBlock2D",) * attended + ("UpBlock2D",) * facts.plain,
            cross_attention_dim=TEXT_WIDTH, attention_head_dim=8,
        )  # fmt: skip

    def encode(self, prompts: list[str]) -> torch.Tensor:
        """Return token states (B, 77, TEXT_WIDTH), as the pipelines make them."""
        ids = self.tokenizer(prompts, padding="max_length", max_length=TEXT_LENGTH, return_tensors="pt").input_ids
        states: torch.Tensor = self.text(ids)[0]
        return states

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, prompts: list[str], beside: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the predicted v, as large as ``noisy``.

        Args:
            noisy: (B, channels, side, side) by the model's kind.
            timesteps: (B,).
            prompts: One per row.
            beside: (B, beside, side, side), or None.
        """
        inputs = noisy if beside is None else torch.cat([noisy, beside], 1)
        predicted: torch.Tensor = self.unet(inputs, timesteps, encoder_hidden_states=self.encode(prompts)).sample
        return predicted

    @torch.no_grad()
    def begin_from(self, other: TextAndUnet) -> None:
        """Take over the text-to-image model: its text encoder, and its UNet where the latents are the same.

        Channels that it does not read start at zero.
        """
        self.text.load_state_dict(other.text.state_dict())
        facts = KINDS[self.kind]
        if facts.widths != KINDS[other.kind].widths:
            return
        state = other.unet.state_dict()
        first = state["conv_in.weight"]
        wide = torch.zeros(len(first), facts.channels + facts.beside, *first.shape[2:])
        wide[:, : first.shape[1]] = first
        self.unet.load_state_dict({**state, "conv_in.weight": wide})
