"""The running form of a metric: sufficient statistics, so that batches, streams and processes agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torchmetrics import Metric

from rses.state.steady import steady

__all__ = ["MeanMetric"]

STATES = ("total", "count", "excluded")


class MeanMetric(Metric):
    """Mean over samples; a :class:`torchmetrics.Metric`, so it works in collections, in Lightning and distributed.

    Subclasses define :meth:`values`. The state is three numbers: the sum and the count of finite values, and the count
    of samples left out because their value is undefined or infinite. They are float64 whatever becomes of the module
    that holds the metric: ``.half()``, ``.bfloat16()`` and ``.to(dtype)`` change no mean.

    Args:
        kwargs: Of :class:`torchmetrics.Metric`.
    """

    is_differentiable = False
    full_state_update = False
    total: torch.Tensor
    count: torch.Tensor
    excluded: torch.Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in STATES:
            self.add_state(name, torch.zeros((), dtype=torch.float64, device="cpu"), dist_reduce_fx="sum")

    def values(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return one value per sample, (N,)."""
        raise NotImplementedError

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch."""
        self._add(self.values(*args, **kwargs))

    @steady()
    def _add(self, values: torch.Tensor) -> None:
        # The CPU first: not every device has float64.
        numbers = values.detach().cpu().double()
        finite = torch.isfinite(numbers)
        self.total = self.total + torch.where(finite, numbers, 0.0).sum().to(self.total.device)
        self.count = self.count + finite.sum().to(self.count)
        self.excluded = self.excluded + (~finite).sum().to(self.excluded)

    def compute(self) -> torch.Tensor:
        """Return the mean over all samples since the last reset, float64; NaN when there was none."""
        return self.total / self.count

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], exclude_state: Sequence[str] = "") -> torch.nn.Module:
        # `fn` may change the device, the type or both; sums follow the device alone.
        super()._apply(fn, exclude_state=(*exclude_state, *STATES))
        # MPS has no float64; three numbers may as well lie on the CPU.
        device = torch.device("cpu") if self.device.type == "mps" else self.device
        for name in STATES:
            setattr(self, name, getattr(self, name).to(device))
            default = self._defaults[name]
            assert isinstance(default, torch.Tensor)
            self._defaults[name] = default.to(device)
        return self
