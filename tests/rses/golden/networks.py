"""Published architectures with fixed weights that are not the published ones, which cannot be had offline.

Every tensor follows from its name by integers alone, so that the files are the same on any machine and under any
version of torch, and no random generator of the process is touched. The heads of LPIPS are the real ones of its wheel.

rses-v1 has its real CLIP, ViT-B/32 with QuickGELU. The ViT-L/14 of the legacy protocols would take minutes on one core,
so ViT-S/32, the smallest CLIP of open_clip, stands in for it, and for regionroute-paper, which uses its CLIP in the way
of rses-v1. Trunks of LPIPS and everything around the encoder (text, region, background) are each protocol's own.
"""

from __future__ import annotations

import contextlib
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import open_clip
import torch
import torchvision
from safetensors.torch import save_file

# The only names here that are not public: the digests that refuse any weights but the published ones.
from rses.backbones.published import LPIPS_TRUNKS
from rses.files.atomic import sha256_file

CLIP = {
    "rses-v1": "ViT-B-32-quickgelu",
    "regionroute-paper": "ViT-S-32-alt",
    "pie-bench": "ViT-S-32-alt",
    "brushbench": "ViT-S-32-alt",
}
TRUNKS = {
    "alex": torchvision.models.alexnet,
    "squeeze": torchvision.models.squeezenet1_1,
}


def tensor(name: str, shape: torch.Size) -> torch.Tensor:
    """Return float16 values, evenly spread over 256 levels, of a size that keeps signals of a network alive."""
    if name == "logit_scale":
        return torch.tensor(math.log(100.0), dtype=torch.float16)
    count = math.prod(shape)
    raw = np.frombuffer(np.random.RandomState(zlib.crc32(name.encode())).bytes(count), np.uint8)  # noqa: NPY002
    unit = torch.from_numpy(raw.astype(np.float32)).sub_(127.5).div_(128)  # deviation 0.577
    fan_in = math.prod(shape[1:]) if len(shape) > 1 else 0
    if "embedding" in name:
        spread = 0.5
    elif fan_in:
        spread = math.sqrt(2 / fan_in) * 1.7
    else:
        spread = 0.1
    centre = 1.0 if ".ln_" in f".{name}" and name.endswith("weight") else 0.0
    return unit.mul_(spread).add_(centre).to(torch.float16).reshape(shape)


def clip_file(architecture: str, folder: Path) -> Path:
    path = folder / f"{architecture}.safetensors"
    if not path.exists():
        config = dict(open_clip.get_model_config(architecture))
        with torch.device("meta"):
            model = open_clip.model.CLIP(**config)
        save_file({name: tensor(name, value.shape) for name, value in model.state_dict().items()}, path)
    return path


def trunk_file(net: str, folder: Path) -> Path:
    path = folder / LPIPS_TRUNKS[net][0]
    if not path.exists():
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in TRUNKS[net](weights=None).features.state_dict().items()}
        state = {f"features.{name}": tensor(name, shape).float() for name, shape in shapes.items()}
        torch.save(state, path)
    return path


def backbone(protocol: str, folder: Path) -> str:
    """Return the style backbone to score ``protocol`` with, after writing its weights to ``folder``."""
    architecture = CLIP[protocol]
    return f"open_clip:{architecture}/{clip_file(architecture, folder).absolute()}"


@contextlib.contextmanager
def fixed_weights(folder: Path) -> Iterator[None]:
    """Let LPIPS find the trunks of this module; the cache of digests goes to ``folder`` too."""
    pins = {net: (LPIPS_TRUNKS[net][0], sha256_file(trunk_file(net, folder))) for net in TRUNKS}
    places = {"RSES_WEIGHTS": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    with mock.patch.dict(LPIPS_TRUNKS, pins), mock.patch.dict(os.environ, places):
        yield
