"""Muon (https://kellerjordan.github.io/posts/muon/) in float32: torch's own computes in bfloat16, slow on many CPUs."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from benchmark_data.recipes.kontext_mini.workers import share_out

__all__ = ["Muon", "orthogonalise"]


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal; for weights with two or more dimensions inside a network.

    Args:
        parameters: Matrices, or kernels of convolutions, which count as matrices (out, in x height x width).
        lr: Step size; an orthogonal step times this, times sqrt(max(1, rows / columns)).
        momentum: Share of the former direction that is kept (Nesterov).
        weight_decay: Decoupled, as AdamW's.
    """

    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Take one step; of several processes, each makes a part of the directions orthogonal."""
        for group in self.param_groups:
            trained = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in trained:
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                # The gradient is not needed any more: it becomes the direction.
                parameter.grad.lerp_(state["momentum"], group["momentum"])
            for parameter, update in zip(trained, share_out(_update, trained), strict=True):
                rows, columns = len(parameter), parameter[0].numel()
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def _update(parameter: torch.Tensor) -> torch.Tensor:
    direction = parameter.grad
    assert direction is not None
    return orthogonalise(direction.reshape(len(direction), -1)).view_as(parameter)


def orthogonalise(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Return the (nearly) orthogonal factor of a matrix by the quintic Newton-Schulz iteration.

    Singular values end between about 0.7 and 1.2.

    Example:
        >>> q = orthogonalise(torch.randn(8, 32, generator=torch.Generator().manual_seed(0)))
        >>> bool((torch.linalg.svdvals(q) - 1).abs().max() < 0.5)
        True
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315) @ x
    return x.T if tall else x
