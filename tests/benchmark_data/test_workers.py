"""Training on several processes: every one draws its own rows, all step alike."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from benchmark_data.recipes.kontext_mini.workers import average_gradients, worker

SCRIPT = """
import pathlib, sys, torch
from benchmark_data.recipes.kontext_mini.workers import average_gradients, join_workers, worker

join_workers()
number, count = worker()
torch.manual_seed(0)
layer = torch.nn.Linear(2, 1)
(layer(torch.tensor([[1.0, 2.0], [3.0, 4.0]])[number : number + 1]) * (1 + number)).sum().backward()
average_gradients(layer.parameters())
values = torch.cat([layer.weight.grad[0], layer.bias.grad]).tolist()
pathlib.Path(sys.argv[1], f"{number}-of-{count}.txt").write_text(str(values))
"""


def test_one_process_keeps_its_gradients():
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    average_gradients(layer.parameters())
    assert worker() == (0, 1)
    assert layer.weight.grad.tolist() == [[1, 1]]


@pytest.mark.slow
def test_two_processes_share_the_mean_of_their_gradients(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*launcher, str(script), str(tmp_path)], check=True, capture_output=True, timeout=120)
    # Gradients of the weights are [1, 2] and 2 x [3, 4], of the bias 1 and 2.
    for number in range(2):
        assert (tmp_path / f"{number}-of-2.txt").read_text() == str([3.5, 5.0, 1.5])
