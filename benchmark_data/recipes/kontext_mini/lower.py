"""Matrix products in bfloat16, everything else in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional

__all__ = ["multiply_in_bfloat16"]


def multiply_in_bfloat16(model: nn.Module, inside: Callable[[str, nn.Parameter], bool]) -> None:
    """Let linear layers multiply in bfloat16; inputs, outputs, weights and gradients stay in float32.

    ``torch.autocast`` would take attention along, which is slower in bfloat16 on a CPU.

    Args:
        model: Changed in place.
        inside: Says by a weight's name whether its layer is meant.
    """
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear) and inside(f"{name}.weight", layer.weight):
            layer.forward = partial(_product, layer)  # type: ignore[method-assign]


def _product(layer: nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    bias = None if layer.bias is None else layer.bias.bfloat16()
    return functional.linear(inputs.bfloat16(), layer.weight.bfloat16(), bias).float()
