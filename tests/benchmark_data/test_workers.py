"""Training on several processes: every one draws its own rows, all step alike."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing

from benchmark_data.recipes.kontext_mini.workers import average_gradients, share_out, worker


def share(rank: int, folder: Path) -> None:
    # Processes meet at a file: no port that another program may take, no name to resolve.
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    assert worker() == (rank, 2)
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    (layer(torch.tensor([[1.0, 2.0], [3.0, 4.0]])[rank : rank + 1]) * (1 + rank)).sum().backward()
    average_gradients(layer.parameters())
    shared = share_out(torch.neg, [torch.ones(2), torch.full((1, 2), 2.0), torch.zeros(1)])
    torch.save((layer.weight.grad, layer.bias.grad, shared), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_share_the_mean_of_their_gradients(tmp_path):
    multiprocessing.spawn(share, (tmp_path,), nprocs=2)
    # Gradients of the weights are [1, 2] and 2 x [3, 4], of the bias 1 and 2.
    for rank in range(2):
        weight, bias, shared = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert weight.tolist() == [[3.5, 5.0]]
        assert bias.tolist() == [1.5]
        assert [tensor.tolist() for tensor in shared] == [[-1, -1], [[-2, -2]], [0]]
