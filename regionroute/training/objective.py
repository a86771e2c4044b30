"""What a training step minimises: flow matching on the pair, and the supervision of the style tokens' attention."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from regionroute.attention import StyleAttention
from regionroute.flux import predict_velocity
from regionroute.losses import cover_loss, focus_loss, mass_inside
from regionroute.training.config import AttentionConfig, FlowConfig
from regionroute.training.encoding import PairBatch

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel


@dataclass(frozen=True)
class StepLosses:
    """Losses of one micro-batch, each (B,): ``total`` is minimised, Focus and Cover are zero where not supervised.

    ``mass`` is a measurement, the share of the style tokens' attention inside the mask; NaN where none is recorded.
    """

    total: torch.Tensor
    flow: torch.Tensor
    focus: torch.Tensor
    cover: torch.Tensor
    mass: torch.Tensor


def draw_noise(
    ids: Sequence[str], step: int, seed: int, shape: tuple[int, int], flow: FlowConfig
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw noise (B, *shape) and noise levels (B,), each row from its own generator.

    A row depends on the seed, the step and the sample's id alone: not on the batch it comes in, the number of
    processes, or whether the run was resumed.

    Example:
        >>> both, _ = draw_noise(["a", "b"], 3, 0, (4, 64), FlowConfig())
        >>> one, _ = draw_noise(["b"], 3, 0, (4, 64), FlowConfig())
        >>> torch.equal(both[1], one[0])
        True
    """
    noise, levels = [], []
    for name in ids:
        digest = hashlib.sha256(f"{seed}:{step}:{name}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        noise.append(torch.randn(shape, generator=generator))
        if flow.density == "start":
            level = torch.ones(())
        elif flow.density == "uniform":
            level = torch.rand((), generator=generator)
        else:
            level = torch.sigmoid(torch.randn((), generator=generator))
        levels.append(flow.shift * level / (1 + (flow.shift - 1) * level))
    return torch.stack(noise), torch.stack(levels)


def flow_loss(
    velocity: torch.Tensor, noise: torch.Tensor, target: torch.Tensor, mask: torch.Tensor, edited_weight: float = 0.0
) -> torch.Tensor:
    """Return the squared error of the velocity, (B,) float32, mean over tokens and channels.

    Args:
        velocity: (B, N, C) predicted.
        noise: (B, N, C) that was mixed in.
        target: (B, N, C) clean tokens.
        mask: (B, N) in [0, 1].
        edited_weight: Tokens weigh 1 + edited_weight * mask, normalised to mean 1.
    """
    error = (velocity.float() - (noise.float() - target.float())).square().mean(-1)
    weight = 1 + edited_weight * mask
    return (error * weight).mean(1) / weight.mean(1)


def step_losses(
    transformer: FluxTransformer2DModel, attention: StyleAttention | None, batch: PairBatch, noise: torch.Tensor,
    sigma: torch.Tensor, *, grid: tuple[int, int], flow: FlowConfig, supervision: AttentionConfig,
    stack: contextlib.ExitStack,
) -> StepLosses:  # fmt: skip
    """Run the transformer on a micro-batch and take all losses.

    Args:
        transformer: Called as it is; may be wrapped for several processes.
        attention: Recorder on the (unwrapped) transformer, or None to supervise nothing.
        batch: Encoded pairs.
        noise: (B, N, 64).
        sigma: (B,) noise levels.
        grid: Rows and columns of tokens.
        flow: Flow matching settings.
        supervision: Attention settings.
        stack: Keeps the recording open; close it after the backward pass, which recomputes under checkpointing.
    """
    level = sigma[:, None, None].to(batch.target.dtype)
    noisy = (1 - level) * batch.target + level * noise
    maps = None
    if attention is not None:
        maps = stack.enter_context(attention.record(batch.positions, batch.text.shape[1], noisy.shape[1]))
    velocity = predict_velocity(
        transformer, noisy, batch.context, sigma, grid=grid, text=batch.text, pooled=batch.pooled,
        guidance=flow.guidance,
    )  # fmt: skip
    error = flow_loss(velocity, noise, batch.target, batch.mask, flow.edited_weight)
    zero = torch.zeros_like(error)
    if maps is None:
        return StepLosses(flow.weight * error, error, zero, zero, torch.full_like(error, float("nan")))
    stacked = maps.stacked()
    with torch.no_grad():
        mass = mass_inside(stacked, batch.mask, maps.valid)
    if supervision.mode == "off":
        return StepLosses(flow.weight * error, error, zero, zero, mass)
    alpha = supervision.alpha or None
    counts = ((sigma >= supervision.gate[0]) & (sigma <= supervision.gate[1])).to(error)
    focus = counts * focus_loss(stacked, batch.mask, maps.valid, supervision.mode, supervision.tau)
    cover = counts * cover_loss(stacked, batch.mask, maps.valid, supervision.mode, alpha)
    total = flow.weight * error + supervision.focus * focus + supervision.cover * cover
    return StepLosses(total, error, focus, cover, mass)
