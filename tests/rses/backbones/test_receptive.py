"""Receptive fields: cell by cell against networks in which every weight counts, and by perturbation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rses.backbones.lpips import build_trunk
from rses.backbones.receptive import layer_windows, touched_cells
from rses.errors import RsesError
from tests.helpers.refusals import refused

NETS = ("alex", "vgg", "squeeze")


def averaging(net: str) -> nn.Module:
    """A trunk whose every convolution averages: a cell is positive exactly if it sees a positive pixel."""
    trunk = build_trunk(net).to_empty(device="cpu").double()
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            nn.init.zeros_(module.bias)
    return trunk


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("size", [(64, 64), (71, 98)])
def test_touched_is_exact(net, size):
    height, width = size
    trunk = averaging(net)
    generator = torch.Generator().manual_seed(1)
    masks = torch.zeros(5, 1, height, width)
    masks[0, 0, 0, 0] = 1
    masks[1, 0, -1, -1] = 1
    masks[2, 0, height // 2, width // 3] = 1
    masks[3, 0, 20:31, 13:40] = 1
    masks[4] = (torch.rand(1, height, width, generator=generator) > 0.999).float()
    cells = touched_cells(masks, layer_windows(trunk))
    with torch.no_grad():
        seen = trunk(masks.double().expand(-1, 3, -1, -1))
    for index, (cell, layer) in enumerate(zip(cells, seen, strict=True)):
        expected = (layer > 0).any(1, keepdim=True).float()
        assert cell.shape == expected.shape, index
        assert torch.equal(cell, expected), f"layer {index}"
    assert any(0 < float(cell[3].mean()) < 1 for cell in cells)


@pytest.mark.parametrize("net", NETS)
def test_changes_inside_the_mask_reach_only_touched_cells(net, random_trunks):
    trunk = build_trunk(net)
    names = {key.partition(".")[2]: key for key in trunk.state_dict()}
    state = {names[key]: value for key, value in random_trunks[net].features.state_dict().items()}
    trunk.load_state_dict(state, assign=True)
    generator = torch.Generator().manual_seed(2)
    image = torch.randn(1, 3, 80, 96, generator=generator)
    mask = torch.zeros(1, 1, 80, 96)
    mask[..., 30:42, 50:61] = 1
    changed = image + mask * torch.randn(image.shape, generator=generator)
    with torch.no_grad():
        pairs = zip(trunk(image), trunk(changed), touched_cells(mask, layer_windows(trunk)), strict=True)
    for a, b, cell in pairs:
        difference = (a - b).abs().amax(1, keepdim=True)
        assert float(difference.max()) > 1e-4
        assert float((difference * (1 - cell)).max()) <= 1e-6 * float(a.abs().max())


def test_empty_and_full_masks():
    windows = layer_windows(build_trunk("squeeze"))
    assert all(float(cell.max()) == 0 for cell in touched_cells(torch.zeros(2, 1, 40, 50), windows))
    assert all(float(cell.min()) == 1 for cell in touched_cells(torch.ones(2, 1, 40, 50), windows))


def test_unknown_layers_are_refused():
    with refused(RsesError, "unsupported"):
        layer_windows(nn.ModuleList([nn.Sequential(nn.AvgPool2d(2))]))
    with refused(RsesError, "unsupported"):
        layer_windows(nn.ModuleList([nn.Sequential(nn.Conv2d(3, 3, 3, padding="same"))]))
