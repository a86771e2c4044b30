"""From trained networks to the packaged files: round to float16, write with digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors.torch import save

from rses.backbones.mini_network import FORMAT, ImageEncoder, MiniConfig, PerceptualTrunk, TextEncoder
from rses.files.atomic import write_atomic

__all__ = ["MODEL_FOLDER", "write_model"]

MODEL_FOLDER = Path(__file__).resolve().parents[2] / "models" / "rses-mini"


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
    settings = {**config.to_dict(), "sha256": digest, "dtype": "float16", "format": FORMAT}
    write_atomic(folder / "model.safetensors", content)
    write_atomic(folder / "config.json", (json.dumps(settings, indent=2) + "\n").encode())
    return digest
