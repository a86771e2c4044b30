"""Published numbers, wherever the real weights are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as tvf

from rses.backbones import load_perceptual, load_style
from rses.backbones.published import needs
from rses.backbones.specs import DEFAULT_STYLE
from rses.backbones.weights import find


def skip_without_weights(spec: str) -> None:
    for need in needs(spec):
        if not any(find(source) for source in need.sources):
            pytest.skip(f"the real weights of {spec} are not on this machine: rses weights pull {spec}")


def test_clip_on_the_diagram_of_its_readme(real_data: Path):
    """https://github.com/openai/CLIP#usage prints 0.9928, 0.0042, 0.0030."""
    skip_without_weights(DEFAULT_STYLE)
    path = real_data / "CLIP.png"
    if not path.is_file():
        pytest.skip(f"put CLIP.png of github.com/openai/CLIP into {real_data}")
    backbone = load_style(DEFAULT_STYLE)
    image = tvf.resize(Image.open(path).convert("RGB"), backbone.image_size, tvf.InterpolationMode.BICUBIC)
    tensor = tvf.to_tensor(tvf.center_crop(image, backbone.image_size))[None]
    texts = backbone.encode_texts(["a diagram", "a dog", "a cat"])
    probabilities = (backbone.logit_scale * backbone.encode_images(tensor) @ texts.T).softmax(dim=1)
    torch.testing.assert_close(probabilities[0], torch.tensor([0.9928, 0.0042, 0.0030]), rtol=0, atol=5e-4)


def test_lpips_squeeze_on_the_example_of_torchmetrics():
    """https://lightning.ai/docs/torchmetrics/stable/image/learned_perceptual_image_patch_similarity.html"""
    skip_without_weights("lpips:squeeze")
    backbone = load_perceptual("lpips:squeeze")
    generator = torch.Generator().manual_seed(42)
    a, b = (torch.rand(10, 3, 100, 100, generator=generator) for _ in range(2))
    layers = zip(backbone.features(a), backbone.features(b), backbone.weights(), strict=True)
    value = sum((w.view(1, -1, 1, 1) * (x - y) ** 2).sum(1).mean() for x, y, w in layers)
    assert float(value) == pytest.approx(0.1024, abs=1e-4)
