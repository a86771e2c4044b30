"""The running form of a metric: sufficient statistics, so that batches, streams and processes agree."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from rses.state.steady import steady

__all__ = ["MeanMetric"]


class MeanMetric(torch.nn.Module):
    """Mean over samples with ``update`` / ``compute`` / ``reset``, as torchmetrics objects have them.

    Subclasses define :meth:`values`. The state is two numbers, a sum and a count (plus the count of samples left
    out because their value is undefined or infinite), so memory does not grow with the number of updates and
    states of several processes can be merged. These are float64 on the CPU and stay so: no buffers, for
    ``module.half()`` or ``module.to("mps")`` would take precision, or the type itself, away from them.
    """

    higher_is_better: ClassVar[bool]
    _state: torch.Tensor
    _foreign: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def values(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return one value per sample, (N,)."""
        raise NotImplementedError

    @torch.no_grad()
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch."""
        self._add(self.values(*args, **kwargs))

    @steady()
    def _add(self, values: torch.Tensor) -> torch.Tensor:
        """Add a batch and return its own sum and counts, [sum, finite, others]."""
        # The CPU first: not every device has float64.
        numbers = values.detach().cpu().double()
        finite = torch.isfinite(numbers)
        parts = (torch.where(finite, numbers, 0.0).sum(), finite.sum().double(), (~finite).sum().double())
        batch = torch.stack(parts)
        self._state = self._state + batch
        return batch

    @property
    def total(self) -> torch.Tensor:
        """Sum of the values that are finite."""
        return self._state[0]

    @property
    def count(self) -> torch.Tensor:
        """How many samples the mean is over."""
        return self._state[1]

    @property
    def excluded(self) -> torch.Tensor:
        """How many samples were left out, because their value is undefined or infinite."""
        return self._state[2]

    def compute(self) -> torch.Tensor:
        """Return the mean over all samples since the last reset; NaN when there was none."""
        return self.total / self.count

    def reset(self) -> None:
        """Forget all samples."""
        self._state = torch.zeros(3, dtype=torch.float64, device="cpu")
        self._foreign = self._state

    def merge(self, *others: MeanMetric) -> None:
        """Add the samples seen by other copies, e.g. those of other processes."""
        for other in others:
            self._state = self._state + other._state

    def sync(self) -> None:
        """Add up the states of all processes of the default torch.distributed group, in place.

        May be called as often as one likes; what came from other processes is not sent to them again.
        """
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return
        own = self._state - self._foreign
        # NCCL sends what lies on a GPU alone.
        device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
        everything = own.to(device, copy=True)
        torch.distributed.all_reduce(everything)
        self._state = everything.cpu()
        self._foreign = self._state - own

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Add a batch and return the mean of that batch alone."""
        total, count, _ = self._add(self.values(*args, **kwargs))
        mean: torch.Tensor = total / count
        return mean
