"""Loading model weights of methods: from a hub id or a folder, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from rses.errors import Place, RsesError, WeightsError
from rses.files.atomic import sha256_files
from rses.files.text import parse_json

IDENTIFYING = ("model_index.json", "config.json", "unet/config.json", "pytorch_lora_weights.safetensors")
"""Files of which a repository that was loaded has at least one in the cache: of a pipeline, a model, a UNet, a LoRA."""

EMBEDDED_ADVICE = "The embedded model needs none: --variant mini (it is a toy)."


def folder_digest(folder: Path, parts: Collection[str] | None = None) -> str:
    """Return one sha256 over the weight files of a model folder, their names included.

    A pipeline's folder may hold more than is loaded: other precisions (``model.fp16.safetensors``), the whole model in
    one file, parts that a method does without. These are ignored, so that weights from the hub's cache and from a
    folder have the same digest.

    Raises:
        WeightsError: The folder holds no safetensors file.
    """
    index = folder / "model_index.json"
    if index.is_file():
        named = {name for name, part in parse_json(index.read_bytes()).items() if isinstance(part, list)}
        kept = named if parts is None else named.intersection(parts)
        files = [file for name in kept for file in _weight_files(folder / name) if "." not in file.stem]
    else:
        files = _weight_files(folder)
    if not files:
        raise WeightsError(
            f"{folder} holds no .safetensors file, expected a folder that save_pretrained wrote.",
            code="missing-weights",
            place=Place(str(folder)),
        )
    return sha256_files(sorted(files), folder)


def _weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files; where there are none, the pickles that are loaded then."""
    return list(folder.rglob("*.safetensors")) or list(folder.rglob("*.bin"))


def weights_facts(source: str, revision: str, parts: Collection[str] | None = None) -> dict[str, Any]:
    """Identify loaded weights by digest, and those of the hub also by the commit that its cache names."""
    if Path(source).is_dir():
        return {"sha256": folder_digest(Path(source), parts)}
    folder = snapshot(source, revision)
    if folder is None:
        return {"weights": source, "revision": revision}
    return {"weights": source, "revision": folder.name, "sha256": folder_digest(folder, parts)}


def snapshot(source: str, revision: str = "main") -> Path | None:
    """Return the folder in which the hub's cache holds a repository that was loaded; its name is the commit."""
    from huggingface_hub import try_to_load_from_cache

    for name in IDENTIFYING:
        cached = try_to_load_from_cache(source, name, revision=revision)
        if isinstance(cached, str):
            return Path(cached).parents[name.count("/")]
    return None


def load_error(name: str, source: str, error: Exception, offline: str = "") -> WeightsError:
    """Turn what ``from_pretrained`` raised into a message that says what to do."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if Path(source).is_dir():
        return WeightsError(
            f"{name}: {source} does not hold the pipeline this method needs, as save_pretrained writes it: {reason}",
            code="wrong-weights",
        )
    return WeightsError(
        f"{name}: cannot load the weights {source}: {reason} "
        "If it is a folder, check its path. If it is on the hub, it may be gated: accept its licence on its page, "
        f"log in with `hf auth login`, and check the connection. {offline}".rstrip(),
        code="missing-weights",
    )


def gpu_error(name: str, gigabytes: float, source: str, advice: str) -> RsesError:
    """Say that a model is too large to be run on this machine's CPU."""
    return RsesError(
        f"{name} needs a GPU with about {gigabytes:.0f} GB ({source}), and there is none here. {advice}",
        code="no-device",
    )
