"""Published numbers that the real weights must give."""

from __future__ import annotations

from pathlib import Path

import torch

from rses.backbones import DEFAULT_STYLE, load_perceptual, load_style
from rses.errors import WeightsError

DIAGRAM = (0.9928, 0.0042, 0.0030)
"""Probabilities of "a diagram", "a dog", "a cat" for CLIP.png: https://github.com/openai/CLIP#usage"""
NOISE = 0.1024
"""LPIPS squeeze of two noises: https://lightning.ai/docs/torchmetrics, learned perceptual image patch similarity."""


def clip_on_diagram(picture: str | Path) -> tuple[float, ...]:
    """Return what CLIP ViT-B/32 says of ``CLIP.png`` of its publishers, to compare with :data:`DIAGRAM`."""
    from torchvision.transforms import functional as tvf

    from rses.images.tensors import as_image

    backbone = load_style(DEFAULT_STYLE)
    image = tvf.to_pil_image(as_image(picture))
    small = tvf.resize(image, backbone.image_size, tvf.InterpolationMode.BICUBIC)
    tensor = tvf.to_tensor(tvf.center_crop(small, backbone.image_size))[None]
    texts = backbone.encode_texts(["a diagram", "a dog", "a cat"])
    with torch.inference_mode():
        logits = backbone.logit_scale * backbone.encode_images(tensor) @ texts.T
    return tuple(logits.softmax(dim=1)[0].tolist())


def lpips_on_noise() -> float:
    """Return the plain distance of torchmetrics' example, to compare with :data:`NOISE`."""
    backbone = load_perceptual("lpips:squeeze")
    generator = torch.Generator().manual_seed(42)
    a, b = (torch.rand(10, 3, 100, 100, generator=generator) for _ in range(2))
    layers = zip(backbone.features(a), backbone.features(b), backbone.weights(), strict=True)
    with torch.inference_mode():
        return float(sum((w.view(1, -1, 1, 1) * (x - y) ** 2).sum(1).mean() for x, y, w in layers))


def present(spec: str) -> bool:
    """Whether the weights of a backbone are on this machine, and are the right ones."""
    from rses.backbones.weights import locate

    try:
        locate(spec)
    except WeightsError:
        return False
    return True
