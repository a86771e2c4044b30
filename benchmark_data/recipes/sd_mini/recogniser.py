"""A classifier of what a scene of one object shows, to measure whether drawn objects can be told.

It is trained anew on scenes whenever a model is evaluated and belongs to no model.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmark_data.scenes import CLASSES, Scene, make_scene

NAMES = tuple(CLASSES)
FIRST_SEED = 60_000_000
"""No suite, training or evaluation uses these scenes."""


def lone_scenes(first_seed: int, count: int) -> list[Scene]:
    """Make scenes of one object, all classes in turn.

    Example:
        >>> [scene.target.name for scene in lone_scenes(5, 2)]
        ['cat', 'dog']
    """
    make = partial(_lone_scene, first_seed)
    if count <= len(NAMES) * 2:
        return [make(number) for number in range(count)]
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(make, range(count), chunksize=32))


def _lone_scene(first_seed: int, number: int) -> Scene:
    return make_scene(first_seed + number, n_objects=1, target=NAMES[number % len(NAMES)])


def train_recogniser(
    count: int = 2600, epochs: int = 12, batch_size: int = 64, first_seed: int = FIRST_SEED
) -> nn.Module:
    """Train on scenes of one object; every epoch mirrors, shifts and blurs them anew."""
    scenes = lone_scenes(first_seed, count)
    images = _stack([scene.image for scene in scenes])
    labels = torch.tensor([NAMES.index(scene.target.name) for scene in scenes])
    torch.manual_seed(0)
    model = _network()
    steps = epochs * -(-count // batch_size)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(count).split(batch_size):
            loss = nn.functional.cross_entropy(model(_varied(images[rows])), labels[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def recognise(model: nn.Module, images: list[np.ndarray]) -> list[str]:
    """Name what each picture (128, 128, 3) uint8 shows, a key of ``CLASSES``."""
    return [NAMES[number] for number in model(_stack(images)).argmax(1).tolist()]


def _network() -> nn.Module:
    layers: list[nn.Module] = []
    for inner, outer in ((3, 32), (32, 64), (64, 128), (128, 192)):
        layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(192, len(NAMES))]
    return nn.Sequential(*layers, *head)


def _stack(images: list[np.ndarray]) -> torch.Tensor:
    """Return (B, 3, 64, 64) in [-1, 1]."""
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return nn.functional.avg_pool2d(pixels, 2)


def _varied(images: torch.Tensor) -> torch.Tensor:
    """Mirror, shift and blur a batch: what a small model draws is softer than a scene."""
    images = images.flip(3) if torch.rand(()) < 0.5 else images
    images = images.roll(torch.randint(-6, 7, (2,)).tolist(), (2, 3))
    if torch.rand(()) < 0.5:
        images = nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    return images
