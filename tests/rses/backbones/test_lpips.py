"""LPIPS around local files equals the ``lpips`` package; wrong files are refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import lpips
import pytest
import torch
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from rses.backbones import load_perceptual
from rses.backbones.base import PerceptualBackbone
from rses.backbones.lpips import MIN_SIZE, LpipsPerceptual
from rses.backbones.published import LPIPS_TRUNKS, Need, Source, needs
from rses.errors import InputError, WeightsError
from rses.functional import masked_lpips
from tests.helpers.refusals import refused

NETS = ("alex", "vgg", "squeeze")
TV_NAMES = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}


@pytest.fixture
def load(
    trunk_folder: Path, unpin: Callable[[tuple[Need, ...]], tuple[Need, ...]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], LpipsPerceptual]:
    monkeypatch.setenv("RSES_WEIGHTS", str(trunk_folder))

    def loader(net: str) -> LpipsPerceptual:
        spec = f"lpips:{net}"
        backbone = load_perceptual(spec, "cpu", unpin(needs(spec)))
        assert isinstance(backbone, LpipsPerceptual)
        return backbone

    return loader


def distance(backbone: PerceptualBackbone, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(a.shape[0])
    layers = zip(backbone.features(a), backbone.features(b), backbone.weights(), strict=True)
    for of_a, of_b, weight in layers:
        total += (weight.view(1, -1, 1, 1) * (of_a - of_b) ** 2).sum(1).mean((1, 2))
    return total


def images(count: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    a = torch.rand(count, 3, height, width, generator=generator)
    return a, (a + 0.3 * torch.randn(a.shape, generator=generator)).clamp(0, 1)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("size", [(64, 64), (67, 93)])
def test_equals_the_lpips_package(net, size, load, random_trunks, monkeypatch):
    monkeypatch.setattr(lpips.pretrained_networks.tv, TV_NAMES[net], lambda pretrained: random_trunks[net])
    reference = lpips.LPIPS(net=net, verbose=False)  # with the trained heads of the wheel
    a, b = images(2, *size)
    expected = reference(a * 2 - 1, b * 2 - 1).flatten().detach()
    assert expected.min() > 1e-3
    torch.testing.assert_close(distance(load(net), a, b), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("net", NETS)
def test_equals_torchmetrics_where_the_normalisations_agree(net, load, random_trunks):
    backbone = load(net)
    reference = torchmetrics_lpips._LPIPS(pretrained=True, net=net, pnet_rand=True)
    # The slices are called otherwise for squeeze; their order is the same.
    values = backbone._trunk.state_dict().values()
    reference.net.load_state_dict(dict(zip(reference.net.state_dict(), values, strict=True)))
    a, b = images(2, 64, 64)
    expected = reference(a * 2 - 1, b * 2 - 1).flatten().detach()
    torch.testing.assert_close(distance(backbone, a, b), expected, rtol=1e-5, atol=1e-5)


def test_the_blackout_form_is_what_pie_bench_and_brushbench_compute(load):
    """Both scripts: torchmetrics LPIPS, squeeze, of [-1, 1] images whose region was multiplied by 0 before."""
    backbone = load("squeeze")
    reference = torchmetrics_lpips._LPIPS(pretrained=True, net="squeeze", pnet_rand=True)
    values = backbone._trunk.state_dict().values()
    reference.net.load_state_dict(dict(zip(reference.net.state_dict(), values, strict=True)))
    a, b = images(2, 96, 96)
    mask = torch.zeros(2, 1, 96, 96)
    mask[..., 20:70, 30:80] = 1
    expected = reference((a * (1 - mask)) * 2 - 1, (b * (1 - mask)) * 2 - 1).flatten().detach().double()
    measured = masked_lpips(a, b, mask, backbone, "blackout")
    torch.testing.assert_close(measured, expected, rtol=1e-4, atol=1e-5)


def test_where_activations_vanish_the_original_normalisation_is_followed(load):
    """x / (|x| + 1e-10), not x / sqrt(1e-8 + x^2): a feature of length 1e-5 still has length 1."""
    faint = torch.zeros(1, 4, 1, 1)
    faint[0, 1] = 1e-5
    assert load("alex")._normalise(faint)[0, 1].item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("net", NETS)
def test_contract(net, load):
    backbone = load(net)
    assert isinstance(backbone, PerceptualBackbone)
    assert backbone.id == f"lpips:{net}"
    assert len(backbone.sha256) == 64
    a, b = images(1, 64, 80)
    maps, weights = backbone.features(a), backbone.weights()
    mask = torch.zeros(1, 1, 64, 80)
    for layer, weight, touched in zip(maps, weights, backbone.touched(mask), strict=True):
        assert layer.shape[1] == weight.shape[0]
        assert layer.shape[2:] == touched.shape[2:]
        assert weight.min() >= 0
        lengths = layer.norm(dim=1)
        assert bool((((lengths - 1).abs() < 1e-5) | (lengths == 0)).all())
    assert distance(backbone, a, a).item() == 0
    assert distance(backbone, a, b).item() > 0


@pytest.mark.parametrize("net", NETS)
def test_min_size_is_the_smallest_that_the_trunk_can_take(net, load):
    backbone = load(net)
    side = MIN_SIZE[net]
    maps = backbone.features(torch.rand(1, 3, side, side))
    assert all(min(layer.shape[2:]) >= 1 for layer in maps)
    small = torch.rand(1, 3, side - 1, side - 1)
    with pytest.raises(RuntimeError):
        backbone._trunk(small)
    with refused(InputError, "wrong-size"):
        backbone.features(small)
    with refused(InputError, "wrong-shape"):
        backbone.features(torch.rand(3, 64, 64))


def test_loading_draws_no_random_numbers_and_opens_no_connection(load, no_network):
    before = torch.get_rng_state()
    load("squeeze")
    assert torch.equal(before, torch.get_rng_state())
    assert no_network == []


def test_autocast_around_the_call_changes_nothing(load):
    backbone = load("squeeze")
    a, _ = images(1, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = backbone.features(a)
    for within, without in zip(inside, backbone.features(a), strict=True):
        assert within.dtype == torch.float32
        assert torch.equal(within, without)


def test_gradients_reach_the_image(load):
    a, _ = images(1, 64, 64)
    a.requires_grad_(True)
    load("alex").features(a)[0].mean().backward()
    assert a.grad is not None
    assert a.grad.abs().max() > 0


def test_pinned_digest_refuses_other_weights(trunk_folder, monkeypatch):
    monkeypatch.setenv("RSES_WEIGHTS", str(trunk_folder))
    with refused(WeightsError, "changed-file", "squeezenet1_1-b8a52dc0.pth") as caught:
        load_perceptual("lpips:squeeze")
    assert "rses weights pull lpips:squeeze" in str(caught.value)


def from_files(trunk: Path, heads: Path) -> tuple[Need, ...]:
    return (Need("trunk", (Source(trunk.name, path=trunk),)), Need("heads", (Source(heads.name, path=heads),)))


def heads_of(net: str) -> Path:
    return Path(lpips.__path__[0]) / "weights" / "v0.1" / f"{net}.pth"


def test_trunk_given_as_heads_is_refused(trunk_folder):
    """lpips itself loads with strict=False and keeps random heads (pitfalls 4.4)."""
    trunk = trunk_folder / LPIPS_TRUNKS["squeeze"][0]
    with refused(WeightsError, "wrong-weights", "squeezenet1_1-b8a52dc0.pth"):
        load_perceptual("lpips:squeeze", "cpu", from_files(trunk, trunk))


def test_heads_given_as_trunk_are_refused(trunk_folder):
    with refused(WeightsError, "wrong-weights", "squeeze.pth"):
        load_perceptual("lpips:squeeze", "cpu", from_files(heads_of("squeeze"), heads_of("squeeze")))


def test_files_of_another_net_are_refused(trunk_folder):
    squeeze = trunk_folder / LPIPS_TRUNKS["squeeze"][0]
    with refused(WeightsError, "wrong-weights", "squeezenet1_1-b8a52dc0.pth"):
        load_perceptual("lpips:alex", "cpu", from_files(squeeze, heads_of("alex")))
    with refused(WeightsError, "wrong-weights", "vgg.pth"):
        load_perceptual("lpips:squeeze", "cpu", from_files(squeeze, heads_of("vgg")))


def test_heads_of_the_same_names_but_other_widths_are_refused(trunk_folder):
    trunk = trunk_folder / LPIPS_TRUNKS["vgg"][0]
    with refused(WeightsError, "wrong-weights", "alex.pth"):
        load_perceptual("lpips:vgg", "cpu", from_files(trunk, heads_of("alex")))


def test_negative_heads_are_refused(trunk_folder, tmp_path):
    heads = torch.load(heads_of("squeeze"), map_location="cpu", weights_only=True)
    heads["lin0.model.1.weight"][0, 0] = -1
    torch.save(heads, tmp_path / "squeeze.pth")
    with refused(WeightsError, "wrong-weights", "squeeze.pth"):
        load_perceptual(
            "lpips:squeeze", "cpu", from_files(trunk_folder / LPIPS_TRUNKS["squeeze"][0], tmp_path / "squeeze.pth")
        )


def test_truncated_trunk_is_refused(trunk_folder, tmp_path):
    whole = trunk_folder / LPIPS_TRUNKS["squeeze"][0]
    cut = tmp_path / whole.name
    shutil.copyfile(whole, cut)
    with cut.open("r+b") as stream:
        stream.truncate(whole.stat().st_size // 2)
    with refused(WeightsError, "unreadable", "squeezenet1_1-b8a52dc0.pth"):
        load_perceptual("lpips:squeeze", "cpu", from_files(cut, heads_of("squeeze")))
