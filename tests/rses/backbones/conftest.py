"""Empty caches, a blocked network, and full-size networks with random weights for the published ones."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import open_clip
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from rses.backbones.published import LPIPS_TRUNKS, Need


@pytest.fixture
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without any weights."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "RSES_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt to reach the network raises and is recorded here."""
    attempts: list[object] = []

    def refuse(*args: object, **kwargs: object) -> None:
        attempts.append(args)
        raise OSError("network blocked by the test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


@pytest.fixture(scope="session")
def unpin() -> Callable[[tuple[Need, ...]], tuple[Need, ...]]:
    """The published files without their digests, so that random weights under their names are accepted."""

    def without_digests(files: tuple[Need, ...]) -> tuple[Need, ...]:
        return tuple(
            Need(need.role, tuple(replace(source, sha256="") for source in need.sources))
            if need.role != "heads"
            else need
            for need in files
        )

    return without_digests


@pytest.fixture(scope="session")
def random_trunks() -> dict[str, torch.nn.Module]:
    """Full-size classification networks, initialised at random; VGG without its huge classifier."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = {
            "alex": torchvision.models.alexnet(weights=None),
            "squeeze": torchvision.models.squeezenet1_1(weights=None),
        }
        with torch.device("meta"):
            vgg = torchvision.models.vgg16(weights=None)
        vgg.classifier = torch.nn.Identity()
        vgg.to_empty(device="cpu")
        for module in vgg.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        models["vgg"] = vgg
        for model in models.values():
            for module in model.features.modules():
                if isinstance(module, torch.nn.Conv2d):
                    # Biases of either sign make some cells all zero, where normalisation matters.
                    torch.nn.init.normal_(module.bias, std=0.05)
    return {net: model.eval() for net, model in models.items()}


@pytest.fixture(scope="session")
def trunk_folder(tmp_path_factory: pytest.TempPathFactory, random_trunks: dict[str, torch.nn.Module]) -> Iterator[Path]:
    """A folder for $RSES_WEIGHTS with the random networks under the published file names."""
    folder = tmp_path_factory.mktemp("trunks")
    for net, model in random_trunks.items():
        torch.save(model.state_dict(), folder / LPIPS_TRUNKS[net][0])
    yield folder
    shutil.rmtree(folder)  # 300 MB, which pytest would keep for three runs


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A full-size ViT-B/32 with random weights in half precision, as OpenAI published it."""
    path = tmp_path_factory.mktemp("clip") / "random.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.create_model("ViT-B-32-quickgelu")
    save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, path)
    yield path
    path.unlink()  # 300 MB, which pytest would keep for three runs
