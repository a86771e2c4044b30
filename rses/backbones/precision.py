"""Full float32 inside the backbones, whatever surrounds the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["full_precision"]


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch autocast and TF32 off for a block.

    A training loop that scores under ``torch.autocast`` would otherwise get bfloat16 features, and cuDNN
    rounds convolutions to TF32 (10 bits) by default, so that a GPU would not agree with a CPU.

    Example:
        >>> with torch.autocast("cpu"), full_precision(torch.device("cpu")):
        ...     print((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        torch.float32
    """
    with torch.autocast(device.type, enabled=False):
        if device.type != "cuda":
            yield
            return
        with torch.backends.cudnn.flags(
            enabled=torch.backends.cudnn.enabled,
            benchmark=torch.backends.cudnn.benchmark,
            deterministic=torch.backends.cudnn.deterministic,
            allow_tf32=False,
        ):
            yield
