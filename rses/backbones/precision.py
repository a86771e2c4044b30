"""Full float32 inside the backbones, whatever surrounds the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["full_precision"]


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch autocast, TF32 and reduced-precision matrix products off for a block, and back afterwards.

    A training loop that scores under ``torch.autocast`` would otherwise get bfloat16 features;
    ``torch.set_float32_matmul_precision("high")`` and cuDNN's default round to TF32 (10 bits), so that a GPU
    would not agree with a CPU.

    Example:
        >>> with torch.autocast("cpu"), full_precision(torch.device("cpu")):
        ...     print((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        torch.float32
    """
    settings = _settings()
    before = [getattr(owner, name) for owner, name, _ in settings]
    try:
        for owner, name, exact in settings:
            setattr(owner, name, exact)
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for (owner, name, _), value in zip(settings, before, strict=True):
            setattr(owner, name, value)


def _settings() -> list[tuple[Any, str, Any]]:
    """List what decides the precision of float32 arithmetic: owner, name, exact value."""
    backends: Any = torch.backends
    if hasattr(backends.cudnn, "conv"):
        # torch 2.9 and later; the old switches raise an error if the caller uses the new ones.
        owners = (backends.cudnn.conv, backends.cuda.matmul, backends.mkldnn.conv, backends.mkldnn.matmul)
        return [(owner, "fp32_precision", "ieee") for owner in owners]
    return [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]
