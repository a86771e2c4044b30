"""From a picture's latent to the noise it would have come from, and what makes the way back exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

INVERSIONS = ("direct", "ddim", "null-text")
PREDICTIONS = ("epsilon", "v_prediction")

SCALE = 2.0**16
"""Factor on the error on its way back through half precision, which would take small gradients for zero."""

Noise = Callable[[torch.Tensor, int, torch.Tensor], torch.Tensor]
"""Predicts noise from (latent, timestep, text states)."""


def to_noise(predicted: torch.Tensor, latent: torch.Tensor, alpha: torch.Tensor, kind: str) -> torch.Tensor:
    """Return the noise that a UNet's output says is in a latent.

    Example:
        >>> clean, noise, alpha = torch.tensor(3.0), torch.tensor(-2.0), torch.tensor(0.36)
        >>> latent, v = 0.6 * clean + 0.8 * noise, 0.6 * noise - 0.8 * clean
        >>> round(to_noise(v, latent, alpha, "v_prediction").item(), 4)
        -2.0
    """
    return predicted if kind == "epsilon" else alpha.sqrt() * predicted + (1 - alpha).sqrt() * latent


def ddim_step(latent: torch.Tensor, noise: torch.Tensor, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Move a latent between noise levels along the deterministic path of DDIM (arXiv 2010.02502, equation 12).

    Example:
        >>> x, e, a, b = torch.ones(1), torch.zeros(1), torch.tensor(1.0), torch.tensor(0.25)
        >>> ddim_step(x, e, a, b).item()
        0.5
    """
    clean = (latent - (1 - start).sqrt() * noise) / start.sqrt()
    return end.sqrt() * clean + (1 - end).sqrt() * noise


@torch.no_grad()
def invert(latent: torch.Tensor, text: torch.Tensor, noise: Noise, scheduler: Any) -> list[torch.Tensor]:
    """Walk from a clean latent to noise, without guidance.

    Args:
        latent: (B, C, h, w).
        text: Text states of the source captions.
        noise: The UNet.
        scheduler: A DDIM scheduler with its timesteps set.

    Returns:
        The latents on the way, from the clean one to noise: one more than there are timesteps.
    """
    path = [latent]
    for timestep in reversed(scheduler.timesteps.tolist()):
        before, after = _levels(scheduler, timestep)
        predicted = noise(path[-1], timestep, text)
        path.append(ddim_step(path[-1], predicted, before, after))
    return path


def null_text(
    path: list[torch.Tensor], text: torch.Tensor, empty: torch.Tensor, noise: Noise, scheduler: Any, *,
    guidance: float, inner_steps: int = 10, tolerance: float = 1e-5,
) -> list[torch.Tensor]:  # fmt: skip
    """Find, step by step, unconditional text states with which guidance retraces the path (arXiv 2211.09794).

    Args:
        path: From :func:`invert`.
        text: Text states of the source caption.
        empty: Text states of the empty caption, where the search starts.
        noise: The UNet.
        scheduler: As for :func:`invert`.
        guidance: Guidance scale of the edit.
        inner_steps: Most optimiser steps a timestep.
        tolerance: Squared error at which a timestep is done.

    Returns:
        One tensor of text states a timestep.
    """
    found: list[torch.Tensor] = []
    # In single precision, or Adam divides by an epsilon that half precision takes for zero.
    current, states = path[-1], empty.float()
    scale = SCALE if empty.dtype == torch.float16 else 1.0
    for number, timestep in enumerate(scheduler.timesteps.tolist()):
        states = states.detach().clone().requires_grad_()
        optimiser = torch.optim.Adam([states], lr=1e-2 * (1 - number / 100))
        after, before = _levels(scheduler, timestep)
        wanted = path[-number - 2]
        with torch.no_grad():
            conditional = noise(current, timestep, text)
        for _ in range(inner_steps):
            unconditional = noise(current, timestep, states.to(empty.dtype))
            guided = unconditional + guidance * (conditional - unconditional)
            error = (ddim_step(current, guided, before, after) - wanted).float().square().mean()
            states.grad, scale = _gradient(error, states, scale)
            optimiser.step()
            if error.item() < tolerance:
                break
        with torch.no_grad():
            unconditional = noise(current, timestep, states.to(empty.dtype))
            guided = unconditional + guidance * (conditional - unconditional)
            current = ddim_step(current, guided, before, after)
        found.append(states.detach().to(empty.dtype))
    return found


def _gradient(error: torch.Tensor, states: torch.Tensor, scale: float) -> tuple[torch.Tensor, float]:
    """Return the gradient of the error, and the scale, 1 or more, at which its way back did not overflow."""
    while True:
        (gradient,) = torch.autograd.grad(error * scale, states, retain_graph=True)
        if scale <= 1 or bool(torch.isfinite(gradient).all()):
            return gradient / scale, scale
        scale /= 4


def _levels(scheduler: Any, timestep: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cumulative alphas below and at a timestep."""
    step = scheduler.config.num_train_timesteps // scheduler.num_inference_steps
    below = timestep - step
    alphas = scheduler.alphas_cumprod
    return (alphas[below] if below >= 0 else scheduler.final_alpha_cumprod), alphas[timestep]
