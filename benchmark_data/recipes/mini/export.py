"""From training checkpoints to the packaged files: fold normalisation, round to float16, write with digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from rses.backbones.mini_network import ConvBlock, ImageEncoder, MiniConfig, PerceptualTrunk, TextEncoder
from rses.files.atomic import write_atomic

__all__ = ["MODEL_FOLDER", "fold_norms", "write_model"]

MODEL_FOLDER = Path(__file__).resolve().parents[2] / "models" / "rses-mini"


def fold_norms(trained: ImageEncoder, config: MiniConfig) -> ImageEncoder:
    """Return an encoder without normalisation layers that computes the same.

    Batch normalisation at inference is an affine map per channel, hence part of the convolution before it
    (https://arxiv.org/abs/1502.03167, section 3.1).
    """
    plain = ImageEncoder(config)
    plain.head.load_state_dict(trained.head.state_dict())
    pairs = zip(_blocks(trained), _blocks(plain), strict=True)
    with torch.no_grad():
        for old, new in pairs:
            norm = old.norm
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_var is not None
            assert norm.running_mean is not None
            assert old.conv.bias is not None
            assert new.conv.bias is not None
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            new.conv.weight.copy_(old.conv.weight * gain[:, None, None, None])
            new.conv.bias.copy_((old.conv.bias - norm.running_mean) * gain + norm.bias)
    return plain.eval()


def _blocks(encoder: ImageEncoder) -> list[ConvBlock]:
    return [module for module in encoder.modules() if isinstance(module, ConvBlock)]


def write_model(
    folder: Path, image: ImageEncoder, text: TextEncoder, trunk: PerceptualTrunk, config: MiniConfig
) -> str:
    """Write ``model.safetensors`` and ``config.json``; return the digest of the former."""
    parts = {"image.": image, "text.": text, "trunk.": trunk}
    tensors = {
        prefix + name: tensor.detach().half().contiguous()
        for prefix, network in parts.items()
        for name, tensor in network.state_dict().items()
    }
    content = save(tensors, metadata={"format": "pt", "model": "rses-mini"})
    digest = hashlib.sha256(content).hexdigest()
    settings = {**config.to_dict(), "sha256": digest, "dtype": "float16", "format": 1}
    write_atomic(folder / "model.safetensors", content)
    write_atomic(folder / "config.json", (json.dumps(settings, indent=2) + "\n").encode())
    return digest
