"""One training on several processes: ``torchrun --nproc-per-node N -m RECIPE ...`` starts them.

Every process draws its own rows and gradients are averaged, so that all hold the same weights. On few CPU cores, two
processes of one thread are faster than one of two.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import distributed, nn

__all__ = ["average_gradients", "join_workers", "share_out", "worker"]


def join_workers() -> None:
    """Meet the other processes, where ``torchrun`` started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        distributed.init_process_group("gloo")


def worker() -> tuple[int, int]:
    """Return this process's number and how many there are.

    Example:
        >>> worker()
        (0, 1)
    """
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average gradients over all processes; nothing where there is one."""
    count = worker()[1]
    if count == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= count
    for gradient, values in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(values.view_as(gradient))


def share_out(work: Callable[[torch.Tensor], torch.Tensor], tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return ``work`` of every tensor, of its shape; every process does its part of them and gets all.

    Example:
        >>> share_out(torch.neg, [torch.ones(2)])
        [tensor([-1., -1.])]
    """
    own, count = worker()
    if count == 1:
        return [work(tensor) for tensor in tensors]
    done = [work(tensor) if i % count == own else torch.zeros_like(tensor) for i, tensor in enumerate(tensors)]
    flat = torch.cat([result.flatten() for result in done])
    distributed.all_reduce(flat)
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
