"""Loading model weights of methods: from a hub id or a folder, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rses.errors import WeightsError
from rses.files import sha256_files

__all__ = ["folder_digest", "load_error", "weights_facts"]

IDENTIFYING = ("model_index.json", "config.json", "unet/config.json", "pytorch_lora_weights.safetensors")
"""Files of which a repository that was loaded has at least one in the cache: of a pipeline, a model, a UNet, a LoRA."""


def folder_digest(folder: Path) -> str:
    """Return one sha256 over all weight files of a model folder, their names included.

    Raises:
        WeightsError: The folder holds no safetensors file.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise WeightsError(f"{folder} holds no .safetensors file, expected a folder that save_pretrained wrote.")
    return sha256_files(files, folder)


def weights_facts(source: str, revision: str) -> dict[str, Any]:
    """Identify loaded weights: by digest if they lie in a folder, by the commit in the hub's cache if not."""
    if Path(source).is_dir():
        return {"sha256": folder_digest(Path(source))}
    from huggingface_hub import try_to_load_from_cache

    for name in IDENTIFYING:
        cached = try_to_load_from_cache(source, name, revision=revision)
        if isinstance(cached, str):
            return {"weights": source, "revision": Path(cached).parents[name.count("/")].name}
    return {"weights": source, "revision": revision}


def load_error(name: str, source: str, error: Exception, offline: str = "") -> WeightsError:
    """Turn what ``from_pretrained`` raised into a message that says what to do.

    Args:
        name: Name of the method.
        source: Hub id or folder.
        error: What was raised.
        offline: What can be had without the hub, one sentence.
    """
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if Path(source).is_dir():
        return WeightsError(
            f"{name}: {source} does not hold the pipeline this method needs, as save_pretrained writes it: {reason}"
        )
    return WeightsError(
        f"{name}: cannot load the weights {source}: {reason} "
        "If it is a folder, check its path. If it is on the hub, it may be gated: accept its licence on its page, "
        f"log in with `hf auth login`, and check the connection. {offline}".rstrip()
    )
