"""Which cells of a feature map can have seen a pixel: exact receptive fields by max-pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.squeezenet import Fire

from rses.errors import RsesError

# Layers that look at one cell only.
POINTWISE = (nn.ReLU, nn.Dropout, nn.Identity)


@dataclass(frozen=True)
class Window:
    """What one output cell of a convolution or pooling sees of its input, (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    ceil_mode: bool = False

    def spread(self, mask: torch.Tensor) -> torch.Tensor:
        """Mark the output cells (N, 1, H', W') that see a marked input cell (N, 1, H, W)."""
        rows, columns = self.padding
        # Padding is cells that hold nothing; max_pool2d alone would refuse more than half a kernel of it.
        padded = F.pad(mask, (columns, columns, rows, rows)) if rows or columns else mask
        return F.max_pool2d(
            padded, self.kernel, self.stride, padding=0, dilation=self.dilation, ceil_mode=self.ceil_mode
        )


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _windows(module: nn.Module) -> Iterator[Window]:
    if isinstance(module, nn.Conv2d):
        if isinstance(module.padding, str):
            raise RsesError(f"Receptive fields need padding in numbers, got {module.padding!r}.", code="unsupported")
        yield Window(_pair(module.kernel_size), _pair(module.stride), _pair(module.padding), _pair(module.dilation))
    elif isinstance(module, nn.MaxPool2d):
        kernel = _pair(module.kernel_size)
        stride = _pair(module.stride) if module.stride is not None else kernel
        if module.ceil_mode and _pair(module.padding) != (0, 0):
            raise RsesError(
                "Receptive fields of a padded pooling with ceil_mode are not implemented.", code="unsupported"
            )
        yield Window(kernel, stride, _pair(module.padding), _pair(module.dilation), module.ceil_mode)
    elif isinstance(module, Fire):
        # A Fire module's outputs see either 1x1 or 3x3; every channel counts, so the wider one decides.
        yield from _windows(module.squeeze)
        yield from _windows(module.expand3x3)
    elif isinstance(module, nn.Sequential):
        for child in module:
            yield from _windows(child)
    elif not isinstance(module, POINTWISE):
        raise RsesError(f"The receptive field of a {type(module).__name__} is not known.", code="unsupported")


def layer_windows(trunk: nn.Module) -> list[list[Window]]:
    """List, for each slice of an LPIPS trunk, the windows between the slice before it and its output.

    Raises:
        RsesError: A layer is neither a convolution, a max-pooling nor pointwise.

    Example:
        >>> trunk = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())])
        >>> [window.kernel for window in layer_windows(trunk)[0]]
        [(3, 3)]
    """
    return [list(_windows(child)) for child in trunk.children()]


def touched_cells(mask: torch.Tensor, layers: list[list[Window]]) -> list[torch.Tensor]:
    """Mark, per layer, the cells whose receptive field meets the mask.

    Returns:
        One (N, 1, H_l, W_l) in {0, 1} per layer.

    Example:
        >>> mask = torch.zeros(1, 1, 5, 5); mask[..., 2, 2] = 1
        >>> int(touched_cells(mask, [[Window((3, 3), (1, 1), (1, 1), (1, 1))]])[0].sum())
        9
    """
    maps = []
    current = mask.to(torch.float32)
    for windows in layers:
        for window in windows:
            current = window.spread(current)
        maps.append(current)
    return maps
