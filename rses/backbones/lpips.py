"""LPIPS trunks and heads around the modules of the ``lpips`` package, from local weights only.

Source: https://arxiv.org/abs/1801.03924, https://github.com/richzhang/PerceptualSimilarity
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rses.backbones.identity import lpips_digest
from rses.backbones.published import Need
from rses.backbones.receptive import layer_windows, touched_cells
from rses.backbones.specs import parse_spec
from rses.backbones.state import load_strict, read_tensors
from rses.backbones.weights import locate
from rses.errors import InputError, Place, WeightsError
from rses.state.steady import steady

# Smallest side for which every layer has at least one cell; measured, see the tests.
MIN_SIZE = {"alex": 31, "vgg": 16, "squeeze": 17}


class LpipsPerceptual:
    """An LPIPS network as :class:`rses.backbones.base.PerceptualBackbone`.

    Its distance map of layer l is ``sum_c w_c (f_c(a) - f_c(b))^2``; the mean of each map, summed over the
    layers, is ``lpips.LPIPS(net=...)(2a - 1, 2b - 1)``.

    Args:
        net: ``alex``, ``vgg`` or ``squeeze``.
        trunk: Module of ``lpips.pretrained_networks`` with weights.
        heads: Non-negative weights of each layer, [(C_l,)].
        sha256: Digest of the digests of both files.
    """

    def __init__(self, net: str, trunk: nn.Module, heads: Sequence[torch.Tensor], *, sha256: str):
        import lpips

        self.id = f"lpips:{net}"
        self.sha256 = sha256
        self.min_size = MIN_SIZE[net]
        self._scaling: nn.Module = lpips.ScalingLayer()
        self._normalise = lpips.normalize_tensor
        self._trunk = trunk
        self._heads = list(heads)
        self._windows = layer_windows(trunk)
        self.device = torch.device("cpu")

    def to(self, device: torch.device | str) -> LpipsPerceptual:
        """Move the network to ``device`` and return it."""
        self.device = torch.device(device)
        self._scaling.to(self.device)
        self._trunk.to(self.device)
        self._heads = [head.to(self.device) for head in self._heads]
        return self

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map images (N, 3, H, W) in [0, 1] to maps of unit length over channels, [(N, C_l, H_l, W_l)].

        Raises:
            InputError: Not (N, 3, H, W), or a side is below ``min_size``.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise InputError(f"{self.id} takes images (N, 3, H, W), got {tuple(images.shape)}.", code="wrong-shape")
        if min(images.shape[2:]) < self.min_size:
            height, width = images.shape[2:]
            raise InputError(
                f"{self.id} needs sides of at least {self.min_size} px, got {height} x {width}.", code="wrong-size"
            )
        x = images.to(self.device, torch.float32)
        with steady():
            maps = self._trunk(self._scaling(2 * x - 1))
            return [self._normalise(item) for item in maps]

    def weights(self) -> list[torch.Tensor]:
        """Return the non-negative head of each layer, [(C_l,)]."""
        return list(self._heads)

    def touched(self, mask: torch.Tensor) -> list[torch.Tensor]:
        """Mark the cells whose receptive field meets ``mask`` (N, 1, H, W) in {0, 1}: [(N, 1, H_l, W_l)]."""
        return touched_cells(mask, self._windows)


def load_lpips(spec: str, device: torch.device | str = "cpu", files: Sequence[Need] | None = None) -> LpipsPerceptual:
    """Load LPIPS from weights that are on this machine.

    Raises:
        WeightsError: Unknown name; weights missing, damaged or not those of this network.
    """
    net = parse_spec(spec).name
    if spec != f"lpips:{net}":
        raise WeightsError(f'"{spec}" is not an LPIPS network.', code="unsupported")
    located = locate(spec, files)
    trunk_file, heads_file = located["trunk"], located["heads"]
    trunk = build_trunk(net)
    _load_trunk(trunk, read_tensors(trunk_file.path, pinned=trunk_file.pinned), trunk_file.path, spec)
    heads = _read_heads(heads_file.path, _channels(net), spec)
    return LpipsPerceptual(net, trunk, heads, sha256=lpips_digest(trunk_file, heads_file)).to(device)


def _channels(net: str) -> tuple[int, ...]:
    return {
        "alex": (64, 192, 384, 256, 256),
        "vgg": (64, 128, 256, 512, 512),
        "squeeze": (64, 128, 256, 384, 384, 512, 512),
    }[net]


def build_trunk(net: str) -> nn.Module:
    """Make the trunk without weights: nothing is fetched, initialised or drawn from the random generator."""
    from lpips import pretrained_networks

    kind = {
        "alex": pretrained_networks.alexnet,
        "vgg": pretrained_networks.vgg16,
        "squeeze": pretrained_networks.squeezenet,
    }[net]
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore", UserWarning)  # lpips names a parameter that torchvision has renamed
        trunk: nn.Module = kind(pretrained=False)
    return trunk


def _load_trunk(trunk: nn.Module, tensors: dict[str, torch.Tensor], path: Path, spec: str) -> None:
    """Rename torchvision's ``features.3.weight`` to the slice that holds layer 3, and load it strictly.

    The classifier is not part of the trunk; it alone may be present or absent.
    """
    names = {key.partition(".")[2]: key for key in trunk.state_dict()}
    renamed = {}
    for key, value in tensors.items():
        group, _, rest = key.partition(".")
        if group == "classifier":
            continue
        renamed[names.get(rest, key) if group == "features" else key] = value
    load_strict(trunk, renamed, path=path, purpose=f"the trunk of {spec}")


class _Heads(nn.Module):
    """The linear layers under the names they have in the files of ``lpips``."""

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        import lpips

        for index, count in enumerate(channels):
            self.add_module(f"lin{index}", lpips.NetLinLayer(count, use_dropout=True))


def _read_heads(path: Path, channels: Sequence[int], spec: str) -> list[torch.Tensor]:
    with torch.device("meta"):
        heads: Any = _Heads(channels)
    load_strict(heads, read_tensors(path), path=path, purpose=f"the linear heads of {spec}")
    vectors = [value.reshape(-1) for value in heads.state_dict().values()]
    if any(bool((vector < 0).any()) for vector in vectors):
        raise WeightsError(
            f"{path} is not the linear heads of {spec}: it holds negative weights.",
            code="wrong-weights",
            place=Place(str(path)),
        )
    return vectors
