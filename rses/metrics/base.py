"""The running form of a metric: sufficient statistics, so that batches, streams and processes agree."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

__all__ = ["MeanMetric"]


class MeanMetric(torch.nn.Module):
    """Mean over samples with ``update`` / ``compute`` / ``reset``, as torchmetrics objects have them.

    Subclasses define :meth:`values`. The state is two numbers, a sum and a count (plus the count of samples left
    out because their value is undefined or infinite), so memory does not grow with the number of updates and
    states of several processes can be merged.
    """

    higher_is_better: ClassVar[bool]
    total: torch.Tensor
    count: torch.Tensor
    excluded: torch.Tensor
    foreign: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "count", "excluded"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64), persistent=False)
        self.register_buffer("foreign", torch.zeros(3, dtype=torch.float64), persistent=False)

    def values(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return one value a sample, (N,)."""
        raise NotImplementedError

    @torch.no_grad()
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch."""
        self._add(self.values(*args, **kwargs))

    def _add(self, values: torch.Tensor) -> None:
        finite = torch.isfinite(values)
        self.total += torch.where(finite, values, 0.0).sum().to(self.total)
        self.count += finite.sum().to(self.count)
        self.excluded += (~finite).sum().to(self.excluded)

    def compute(self) -> torch.Tensor:
        """Return the mean over all samples since the last reset; NaN when there was none."""
        return self.total / self.count

    def reset(self) -> None:
        """Forget all samples."""
        for buffer in (self.total, self.count, self.excluded, self.foreign):
            buffer.zero_()

    def merge(self, *others: MeanMetric) -> None:
        """Add the samples seen by other copies, e.g. those of other processes."""
        for other in others:
            self.total += other.total.to(self.total)
            self.count += other.count.to(self.count)
            self.excluded += other.excluded.to(self.excluded)

    def sync(self) -> None:
        """Add up the states of all processes of the default torch.distributed group, in place.

        May be called as often as one likes; what came from other processes is not sent to them again.
        """
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return
        own = torch.stack([self.total, self.count, self.excluded]) - self.foreign
        everything = own.clone()
        torch.distributed.all_reduce(everything)
        for buffer, value in zip((self.total, self.count, self.excluded), everything, strict=True):
            buffer.copy_(value)
        self.foreign = everything - own

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Add a batch and return the mean of that batch alone."""
        values = self.values(*args, **kwargs)
        self._add(values)
        finite = torch.isfinite(values)
        return torch.where(finite, values, 0.0).sum() / finite.sum()
