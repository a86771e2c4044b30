"""Expert files in the released format: which tensors a file holds, and reading and writing them.

A file holds, for every wrapped linear layer of the transformer, ``transformer.<module path>.lora_A.weight`` of shape
``(rank, in_features)`` and ``transformer.<module path>.lora_B.weight`` of shape ``(out_features, rank)``, in float32.
There are no alpha tensors: alpha is the rank, so that the update is ``B @ A`` as it stands. On FLUX.1-Kontext with the
default settings that is 380 tensors. The layout is that of ``FluxKontextPipeline.save_lora_weights``: diffusers and
peft name the tensors and put them on a transformer; the checks of untrusted files are here.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from rses.errors import InputError, Place, WeightsError
from rses.files.atomic import write_atomic
from rses.files.text import parse_json

if TYPE_CHECKING:
    from torch import nn

Streams = Literal["both", "double", "single"]
STREAMS: dict[Streams, tuple[str, ...]] = {
    "both": ("transformer_blocks", "single_transformer_blocks"),
    "double": ("transformer_blocks",),
    "single": ("single_transformer_blocks",),
}
DEFAULT_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
PREFIX = "transformer."
KEY = re.compile(r"transformer\.(?P<module>.+)\.lora_[AB]\.weight")
MODULE = re.compile(r"(?P<stream>(?:single_)?transformer_blocks)\.\d+\.(?:attn\.)?(?P<target>.+)")
# Namespaced, so that nothing another tool wrote into its files is taken for ours.
METADATA = "regionroute."
STYLE_ENTRY = f"{METADATA}style"
ADAPTER = "lora_adapter_metadata"
"""Header entry in which diffusers states rank and alpha."""
FLOATS = {"F64", "F32", "F16", "BF16"}
Kind = tuple[tuple[int, ...], str]
"""Shape and type of a tensor, as a file's header states them."""


@dataclass(frozen=True)
class LoraSettings:
    """Where an expert sits and how large it is; its alpha is its rank.

    Attributes:
        rank: Width of the low-rank update, at least 1.
        streams: Blocks that carry it: the double-stream ones, the single-stream ones, or both.
        targets: Linear layers inside a block, by the end of their path. A target that one of the streams lacks
            (``to_out.0`` in single blocks) is left out there.

    Example:
        >>> LoraSettings(rank=8, streams="single").targets
        ('to_q', 'to_k', 'to_v', 'to_out.0')
    """

    rank: int = 4
    streams: Streams = "both"
    targets: tuple[str, ...] = DEFAULT_TARGETS

    def __post_init__(self) -> None:
        whole = isinstance(self.rank, int) and not isinstance(self.rank, bool) and self.rank >= 1
        named = not isinstance(self.targets, str) and self.targets and all(self.targets)
        if not whole or self.streams not in STREAMS or not named:
            raise InputError(
                f"A LoRA needs a rank of at least 1, one of the streams {', '.join(STREAMS)}, and a list of layer "
                f"names such as to_q; got {self.rank!r}, {self.streams!r}, {self.targets!r}.",
                code="wrong-argument",
            )
        object.__setattr__(self, "targets", tuple(self.targets))


@dataclass(frozen=True)
class LoraFile:
    """The checked content of an expert file."""

    settings: LoraSettings
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, str]


def target_pattern(settings: LoraSettings) -> str:
    """Return the regular expression that the full path of a wrapped layer matches from end to end.

    Anchoring matters: "single_transformer_blocks" contains "transformer_blocks".

    Example:
        >>> pattern = target_pattern(LoraSettings(streams="double"))
        >>> bool(re.fullmatch(pattern, "transformer_blocks.3.attn.to_q"))
        True
        >>> bool(re.fullmatch(pattern, "single_transformer_blocks.3.attn.to_q"))
        False
    """
    blocks = "|".join(STREAMS[settings.streams])
    targets = "|".join(re.escape(target) for target in settings.targets)
    return rf"(?:{blocks})\.\d+\.(?:.+\.)?(?:{targets})"


def lora_layers(transformer: nn.Module, settings: LoraSettings) -> dict[str, tuple[int, int]]:
    """Return the layers that an expert with these settings wraps, in the order of the transformer.

    Returns:
        Module path -> (in_features, out_features).
    """
    pattern = re.compile(target_pattern(settings))
    # Sizes come from the attributes, because the weight of a quantised layer is packed into another shape.
    return {
        name: (module.in_features, module.out_features)
        for name, module in transformer.named_modules()
        if pattern.fullmatch(name) and hasattr(module, "in_features")
    }


def block_layers(transformer: nn.Module, streams: Streams = "both") -> list[str]:
    """Return the names of the linear layers inside the blocks, as LoRA targets name them."""
    found = [
        match["target"]
        for name, module in transformer.named_modules()
        if hasattr(module, "in_features") and (match := MODULE.fullmatch(name)) and ".lora_" not in name
        if match["stream"] in STREAMS[streams]
    ]
    return sorted({target.removesuffix(".base_layer") for target in found})


def infer_settings(transformer: nn.Module, modules: Iterable[str], rank: int) -> LoraSettings:
    """Return the settings of an expert that wraps these layers.

    The default targets are recognised although single blocks have no ``to_out.0``. Whether the layers exist, and
    whether some are missing, is for the caller to check with :func:`lora_layers`.
    """
    found = [match for match in map(MODULE.fullmatch, modules) if match]
    blocks = {match["stream"] for match in found}
    streams: Streams = next((name for name, wanted in STREAMS.items() if set(wanted) == blocks), "both")
    targets = sorted({match["target"] for match in found})
    default = LoraSettings(rank, streams)
    if not targets:
        return default
    settings = LoraSettings(rank, streams, tuple(targets))
    return default if lora_layers(transformer, settings) == lora_layers(transformer, default) else settings


def lora_shapes(layers: Mapping[str, tuple[int, int]], rank: int) -> dict[str, tuple[int, int]]:
    """Return the tensors of an expert file by their shapes.

    Example:
        >>> shapes = lora_shapes({"transformer_blocks.0.attn.to_q": (32, 64)}, rank=4)
        >>> shapes["transformer.transformer_blocks.0.attn.to_q.lora_B.weight"]
        (64, 4)
    """
    shapes = {}
    for module, (inputs, outputs) in layers.items():
        shapes[f"{PREFIX}{module}.lora_A.weight"] = (rank, inputs)
        shapes[f"{PREFIX}{module}.lora_B.weight"] = (outputs, rank)
    return shapes


def write_lora(path: Path, file: LoraFile, style: str) -> None:
    """Write an expert in float32, atomically; equal experts give equal bytes."""
    from diffusers import FluxKontextPipeline
    from safetensors.torch import save

    packed = FluxKontextPipeline.pack_weights(file.tensors, PREFIX.removesuffix("."))
    tensors = {key: tensor.detach().to("cpu", torch.float32).contiguous() for key, tensor in packed.items()}
    own = {"style": style, "rank": str(file.settings.rank), "streams": file.settings.streams}
    metadata = {**file.metadata, "format": "pt", **{METADATA + entry: value for entry, value in own.items()}}
    write_atomic(path, _sort_header(save(tensors, metadata)))


def read_lora(path: Path, transformer: nn.Module) -> LoraFile:
    """Read an expert file after checking that it fits the transformer, which is only looked at.

    Args:
        path: A file in the released format, in float32, float16 or bfloat16.
        transformer: The model that the expert is for, on any device including ``meta``.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(
            f"There is no expert file {path}. Train one with `regionroute train`, or check the path.",
            code="missing-weights",
            place=Place(str(path)),
        )
    try:
        with safe_open(path, framework="pt") as content:
            slices = {key: content.get_slice(key) for key in content.keys()}  # noqa: SIM118 (not a mapping)
            found = {key: (tuple(piece.get_shape()), piece.get_dtype()) for key, piece in slices.items()}
            metadata = dict(content.metadata() or {})
            settings = _check(path, transformer, found, metadata)
            tensors = {key.removeprefix(PREFIX): content.get_tensor(key).float() for key in found}
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"{path} is not a complete safetensors file: {reason}. Experts are only read from safetensors; "
            "copy or train it again.",
            code="damaged",
            place=Place(str(path)),
        ) from error
    damaged = [key for key, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if damaged:
        raise WeightsError(
            f"{path} holds NaN or infinite values in {_some(damaged)}. Use an earlier checkpoint.",
            code="not-finite",
            place=Place(str(path)),
        )
    scale = _stated_scale(path, settings, metadata)
    scaled = {key: tensor * scale if ".lora_B." in key else tensor for key, tensor in tensors.items()}
    # The factor is in the tensors now; a copy that is written anew must not state it once more.
    return LoraFile(settings, scaled, {key: value for key, value in metadata.items() if key != ADAPTER})


def _check(path: Path, transformer: nn.Module, found: Mapping[str, Kind], metadata: Mapping[str, str]) -> LoraSettings:
    """Compare shapes and types of the tensors with those that the transformer takes; return the file's settings."""
    layout = f"{PREFIX}<layer>.lora_A.weight and .lora_B.weight, as FluxKontextPipeline.save_lora_weights names them"
    if not found:
        raise WeightsError(f"{path} holds no tensors. Expected {layout}.", code="empty", place=Place(str(path)))
    if foreign := [key for key in found if not KEY.fullmatch(key)]:
        hint = "Is it the LoRA of another model or another tool's format?"
        if all(key.endswith(".alpha") for key in foreign):
            hint = "The format has no alpha tensors, because alpha is the rank. Scale B by alpha / rank."
        raise WeightsError(
            f"{path} has {len(foreign)} unknown keys: {_some(foreign)}. Expected {layout}. {hint}",
            code="unknown-key",
            place=Place(str(path)),
        )
    ranks = Counter(shape[0] for key, (shape, _) in found.items() if ".lora_A." in key and len(shape) == 2 and shape[0])
    if not ranks:
        raise WeightsError(
            f"{path} holds no matrix of rank 1 or more. Train or export it again.", code="empty", place=Place(str(path))
        )
    settings = infer_settings(transformer, [match["module"] for match in map(KEY.fullmatch, found) if match],
                              ranks.most_common(1)[0][0])  # fmt: skip
    for entry, value in (("rank", str(settings.rank)), ("streams", settings.streams)):
        if (stated := metadata.get(METADATA + entry, value)) != value:
            raise WeightsError(
                f"The header of {path} says {entry} {stated}, but its tensors say {value}. Is it damaged? Train or "
                "export it again.",
                code="contradiction",
                place=Place(str(path)),
            )
    expected = lora_shapes(lora_layers(transformer, settings), settings.rank)
    faults = [f"{key} is for a layer that this transformer lacks" for key in found if key not in expected]
    faults += [f"{key} is missing" for key in expected if key not in found]
    faults += [
        f"{key} is {kind} {shape}, not floats {expected[key]}"
        for key, (shape, kind) in found.items()
        if key in expected and (shape != expected[key] or kind not in FLOATS)
    ]
    if faults:
        raise WeightsError(
            f"{path} does not fit this transformer: {_some(faults)}. Expected {len(expected)} tensors of rank "
            f"{settings.rank} ({settings.streams}: {', '.join(settings.targets)}). Is it the LoRA of another model, or "
            "cut short?",
            code="wrong-weights",
            place=Place(str(path)),
        )
    return settings


def _stated_scale(path: Path, settings: LoraSettings, metadata: Mapping[str, str]) -> float:
    """Return alpha / rank as diffusers' own header entry states it, 1 without one."""
    if ADAPTER not in metadata:
        return 1.0
    try:
        stated = parse_json(metadata[ADAPTER])
        facts = {key.removeprefix(PREFIX): value for key, value in stated.items()}
        rank, alpha = float(facts.get("r", settings.rank)), float(facts.get("lora_alpha", settings.rank))
        if not (math.isfinite(rank) and math.isfinite(alpha)):
            raise ValueError("rank and alpha must be finite")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(
            f"The header entry {ADAPTER} of {path} cannot be read: {error}. Export it again.",
            code="not-json",
            place=Place(str(path)),
        ) from error
    uneven = [key for key in ("alpha_pattern", "rank_pattern", "use_rslora", "use_dora") if facts.get(key)]
    if uneven or rank != settings.rank:
        raise WeightsError(
            f"The header of {path} states {', '.join(uneven) or f'rank {rank:g}, its tensors have {settings.rank}'}. "
            "Experts have one rank and one factor alpha / rank for all layers: scale each B and drop the entry.",
            code="unsupported",
            place=Place(str(path)),
        )
    return alpha / rank


def _some(items: list[str], count: int = 3) -> str:
    rest = len(items) - count
    return ", ".join(items[:count]) + (f" and {rest} more" if rest > 0 else "")


def _sort_header(data: bytes) -> bytes:
    """Order the header's entries, which safetensors writes in a random order when there are several."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    encoded = header.encode()
    encoded += b" " * (-len(encoded) % 8)
    return struct.pack("<Q", len(encoded)) + encoded + data[8 + length :]
