"""A FLUX.1-Kontext transformer small enough for unit tests, and inputs shaped like those of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel

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


def make_inputs(batch: int = 2, text: int = 8, grid: tuple[int, int] = (4, 4), seed: int = 0) -> dict[str, object]:
    """Keyword arguments of a forward pass: target tokens, then as many context tokens, as in Kontext."""
    generator = torch.Generator().manual_seed(seed)
    height, width = grid
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    target_ids = torch.stack([torch.zeros(height, width), rows.float(), columns.float()], dim=-1).reshape(-1, 3)
    context_ids = target_ids.clone()
    # The pipeline tells the context from the target by the first coordinate alone.
    context_ids[:, 0] = 1
    image = 2 * height * width
    return {
        "hidden_states": torch.randn(batch, image, TINY_CONFIG["in_channels"], generator=generator),
        "encoder_hidden_states": torch.randn(batch, text, TINY_CONFIG["joint_attention_dim"], generator=generator),
        "pooled_projections": torch.randn(batch, TINY_CONFIG["pooled_projection_dim"], generator=generator),
        "timestep": torch.rand(batch, generator=generator),
        "guidance": torch.full((batch,), 2.5),
        "img_ids": torch.cat([target_ids, context_ids]),
        "txt_ids": torch.zeros(text, 3),
        "return_dict": False,
    }


@pytest.fixture
def tiny_transformer() -> FluxTransformer2DModel:
    """Two double and two single blocks, 2 heads x 16 channels, the same random weights every time."""
    return build_tiny()


@pytest.fixture
def make_tiny() -> Callable[..., FluxTransformer2DModel]:
    """``make_tiny(seed=0, **config_changes)``: further transformers, equal ones for equal arguments."""
    return build_tiny


@pytest.fixture
def flux_inputs() -> Callable[..., dict[str, object]]:
    """``flux_inputs(batch=2, text=8, grid=(4, 4), seed=0)``: keyword arguments for ``transformer.forward``."""
    return make_inputs
