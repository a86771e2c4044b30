"""Reading weights files executes nothing, and loading accepts exactly the tensors of the module."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rses.backbones.state import load_strict, read_tensors
from rses.errors import WeightsError
from tests.helpers.refusals import refused


class Touch:
    """Creates a file when unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path):
    trap, weights = tmp_path / "trap", tmp_path / "weights.pth"
    torch.save({"w": torch.zeros(1), "x": Touch(trap)}, weights)
    with refused(WeightsError, "wrong-content", "weights.pth"):
        read_tensors(weights)
    assert not trap.exists()
    weights.write_bytes(pickle.dumps(Touch(trap)))
    with pytest.raises(WeightsError):
        read_tensors(weights)
    assert not trap.exists()


def test_wrappers_are_taken_off(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"epoch": 3, "state_dict": {"module.w": torch.ones(2), "module.b": torch.zeros(1)}}, path)
    assert sorted(read_tensors(path)) == ["b", "w"]


@pytest.mark.parametrize("content", [[1, 2], {}, {"w": "text"}])
def test_no_state_dict(tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with refused(WeightsError, "wrong-content", "x.pth"):
        read_tensors(path)


@pytest.mark.parametrize("name", ["x.safetensors", "x.pth"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x00" * 64])
def test_not_a_weights_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        read_tensors(path)


def test_truncated_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"w": torch.rand(100)}, path)
    path.write_bytes(path.read_bytes()[:-40])
    with refused(WeightsError, "damaged", "x.safetensors"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.zeros(2, 3)}, r"1 tensors are missing \(bias\)"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2), "more": torch.zeros(1)}, r"1 are unexpected \(more\)"),
        ({"weight": torch.zeros(3, 2), "bias": torch.zeros(2)}, r"weight: expected \(2, 3\), got \(3, 2\)"),
        ({"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}, "NaN"),
    ],
)
def test_strict(tensors, message):
    with pytest.raises(WeightsError, match=message):
        load_strict(nn.Linear(3, 2), tensors, path=Path("x.pth"), purpose="a layer")


def test_half_precision_becomes_float32_on_a_meta_module():
    with torch.device("meta"):
        layer = nn.Linear(3, 2)
    source = {"weight": torch.rand(2, 3).half(), "bias": torch.rand(2).half()}
    load_strict(layer, source, path=Path("x.pth"), purpose="a layer")
    assert layer.weight.dtype == torch.float32
    assert torch.equal(layer.weight, source["weight"].float())
    assert not layer.weight.requires_grad
    assert not layer.training
