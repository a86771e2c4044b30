"""Statistics of regions before and after every kind of nuisance, so that the head learns to stay where it is.

Half of the regions are small objects of scenes, which are enlarged a lot, half are those of the other contents.
One file per ``SHARD`` contents, seen as scoring sees them; :mod:`benchmark_data.recipes.mini.train` asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmark_data.recipes.mini.content import FIRST_SCENE, make_content
from benchmark_data.recipes.mini.features import save_whole
from benchmark_data.recipes.mini.nuisances import affine, gamma, gaussian_blur, hue_turned, jpeg, noisy, resized, scaled
from benchmark_data.scenes import make_scene
from rses.backbones.mini_network import ImageEncoder
from rses.functional.style import region_view

__all__ = ["KINDS", "SHARD", "extract_quiet"]

SHARD = 40
SCENE_SIDE = 128
# Other seeds than those of the training pictures.
FIRST = 5_000_000
Picture = np.ndarray
Random = np.random.Generator

KINDS: dict[str, Callable[[Picture, Random], Picture]] = {
    "JPEG": lambda x, rng: jpeg(x, int(rng.integers(25, 95))),
    "resized": lambda x, rng: resized(x, rng.uniform(0.35, 0.9), Image.Resampling.LANCZOS),
    "brighter": lambda x, rng: scaled(x, rng.uniform(1.05, 1.5)),
    "darker": lambda x, rng: scaled(x, rng.uniform(0.6, 0.95)),
    "more contrast": lambda x, rng: affine(x, gain=rng.uniform(1.05, 1.5)),
    "less contrast": lambda x, rng: affine(x, gain=rng.uniform(0.6, 0.95)),
    "hue forward": lambda x, rng: hue_turned(x, rng.uniform(5, 60)),
    "hue back": lambda x, rng: hue_turned(x, -rng.uniform(5, 60)),
    "less colour": lambda x, rng: hue_turned(x, 0, rng.uniform(0, 0.8)),
    "blur": lambda x, rng: gaussian_blur(x, rng.uniform(0.4, 2.0)),
    "noise": lambda x, rng: noisy(x, rng, rng.uniform(0.01, 0.1)),
    "gamma up": lambda x, rng: gamma(x, rng.uniform(1.1, 1.6)),
    "gamma down": lambda x, rng: gamma(x, rng.uniform(0.65, 0.9)),
}
"""Each in one direction, so that what it does on average can be seen."""


def quiet_region(seed: int, pictures: Path) -> tuple[Picture, Picture]:
    """Return a picture (H, W, 3) and a region (H, W) of it."""
    if seed % 2:
        scene = make_scene(FIRST_SCENE + seed, SCENE_SIDE)
        return scene.image, scene.target.mask > 0.5
    content = make_content(seed, pictures)
    return content.image, content.masks[0] > 127


def quiet_views(seed: int, pictures: Path, size: int, mean: tuple[float, float, float]) -> torch.Tensor:
    """Return a region as it is and under every kind of nuisance, (1 + kinds, 3, size, size) in [0, 1]."""
    image, region = quiet_region(seed, pictures)
    rng = np.random.default_rng([seed, 79])
    versions = np.stack([image, *(change(image, rng) for change in KINDS.values())])
    stack = torch.from_numpy(versions).permute(0, 3, 1, 2).float() / 255
    mask = torch.from_numpy(np.ascontiguousarray(region))[None, None].float().expand(len(stack), -1, -1, -1)
    return region_view(stack, mask, size, mean, "masked")


@torch.no_grad()
def extract_quiet(
    encoder: ImageEncoder, size: int, mean: tuple[float, float, float], pictures: Path, folder: Path,
    shards: Sequence[int],
) -> None:  # fmt: skip
    """Write the statistics (SHARD, 1 + kinds, K) of every shard that is not there."""
    encoder = encoder.eval().to(memory_format=torch.channels_last)
    for shard in shards:
        target = folder / f"quiet-{shard:04d}.pt"
        if target.exists():
            continue
        seeds = range(FIRST + shard * SHARD, FIRST + (shard + 1) * SHARD)
        views = (quiet_views(seed, pictures, size, mean) for seed in seeds)
        rows = [encoder.statistics(view.contiguous(memory_format=torch.channels_last)).half() for view in views]
        save_whole(torch.stack(rows), target)
        print(target.name, flush=True)
