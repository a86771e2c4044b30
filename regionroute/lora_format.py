"""Expert files in the released format: which tensors a file holds, and reading and writing them.

A file holds, for every wrapped linear layer of the transformer, ``transformer.<module path>.lora_A.weight`` of shape
``(rank, in_features)`` and ``transformer.<module path>.lora_B.weight`` of shape ``(out_features, rank)``, in float32.
There are no alpha tensors: alpha is the rank, so that the update is ``B @ A`` as it stands. On FLUX.1-Kontext with the
default settings that is 380 tensors. The layout is that of ``FluxKontextPipeline.save_lora_weights``.
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

from rses.errors import InputError, WeightsError
from rses.files.atomic import write_atomic
from rses.files.text import parse_json

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "LoraFile",
    "LoraSettings",
    "block_layers",
    "infer_settings",
    "lora_layers",
    "lora_shapes",
    "read_lora",
    "target_pattern",
    "write_lora",
]

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


@dataclass(frozen=True)
class LoraSettings:
    """Where an expert sits and how large it is; its alpha is its rank.

    Attributes:
        rank: Width of the low-rank update, at least 1.
        streams: Blocks that carry it: the double-stream ones, the single-stream ones, or both.
        targets: Linear layers inside a block, by the end of their path. A target that one of the streams lacks
            (``to_out.0`` in single blocks) is left out there.

    Raises:
        InputError: A value is out of range.

    Example:
        >>> LoraSettings(rank=8, streams="single").targets
        ('to_q', 'to_k', 'to_v', 'to_out.0')
    """

    rank: int = 4
    streams: Streams = "both"
    targets: tuple[str, ...] = DEFAULT_TARGETS

    def __post_init__(self) -> None:
        problems = []
        if not isinstance(self.rank, int) or isinstance(self.rank, bool) or self.rank < 1:
            problems.append(f"The LoRA rank must be a whole number of at least 1, not {self.rank!r}.")
        if self.streams not in STREAMS:
            problems.append(f'LoRA streams must be one of {", ".join(STREAMS)}, not "{self.streams}".')
        if isinstance(self.targets, str) or not self.targets or not all(self.targets):
            problems.append(f"LoRA targets must be a list of layer names such as to_q, not {self.targets!r}.")
        if problems:
            raise InputError(problems)
        object.__setattr__(self, "targets", tuple(self.targets))


@dataclass(frozen=True)
class LoraFile:
    """The checked content of an expert file.

    Attributes:
        settings: Inferred from the tensors.
        matrices: Module path -> (A of shape (rank, in), B of shape (out, rank)), float32.
        metadata: Text entries of the file's header.
    """

    settings: LoraSettings
    matrices: dict[str, tuple[torch.Tensor, torch.Tensor]]
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

    Args:
        transformer: With or without experts, on any device including ``meta``.
        settings: Streams and targets.

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
        shapes[_key(module, "A")] = (rank, inputs)
        shapes[_key(module, "B")] = (outputs, rank)
    return shapes


def write_lora(path: Path, file: LoraFile, style: str) -> None:
    """Write an expert in float32, atomically; equal experts give equal bytes.

    Args:
        path: The ``.safetensors`` file.
        file: What to write; its metadata is kept beside the entries that describe the settings.
        style: Stored in the header.

    Raises:
        OSError: The folder cannot be written.
    """
    from safetensors.torch import save

    tensors = {}
    for module, matrices in file.matrices.items():
        for matrix, tensor in zip("AB", matrices, strict=True):
            tensors[_key(module, matrix)] = tensor.detach().to("cpu", torch.float32).contiguous()
    metadata = {
        **file.metadata,
        "format": "pt",
        STYLE_ENTRY: style,
        f"{METADATA}rank": str(file.settings.rank),
        f"{METADATA}streams": file.settings.streams,
    }
    write_atomic(path, _sort_header(save(tensors, metadata)))


def read_lora(path: Path, transformer: nn.Module) -> LoraFile:
    """Read an expert file after checking that it fits the transformer, which is only looked at.

    Args:
        path: A file in the released format, in float32, float16 or bfloat16.
        transformer: The model that the expert is for, on any device including ``meta``.

    Raises:
        WeightsError: The file is missing, damaged, of another format or for another model.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"There is no expert file {path}. Train one with `regionroute train`, or check the path.")
    try:
        with safe_open(path, framework="pt") as content:
            slices = {key: content.get_slice(key) for key in content.keys()}  # noqa: SIM118 (not a mapping)
            shapes = {key: tuple(piece.get_shape()) for key, piece in slices.items()}
            kinds = {key: piece.get_dtype() for key, piece in slices.items()}
            metadata = dict(content.metadata() or {})
            settings = _check(path, transformer, shapes, kinds, metadata)
            tensors = {key: content.get_tensor(key).float() for key in shapes}
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"{path} is not a complete safetensors file: {reason}. Experts are only read from safetensors; "
            "copy or train it again."
        ) from error
    damaged = [key for key, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if damaged:
        raise WeightsError(f"{path} holds NaN or infinite values in {_some(damaged)}. Use an earlier checkpoint.")
    scale = _stated_scale(path, settings, metadata)
    matrices = {
        module: (tensors[_key(module, "A")], tensors[_key(module, "B")] * scale)
        for module in lora_layers(transformer, settings)
    }
    # The factor is in the matrices now; a copy that is written anew must not state it once more.
    return LoraFile(settings, matrices, {key: value for key, value in metadata.items() if key != ADAPTER})


def _check(
    path: Path,
    transformer: nn.Module,
    shapes: Mapping[str, tuple[int, ...]],
    kinds: Mapping[str, str],
    metadata: Mapping[str, str],
) -> LoraSettings:
    settings = infer_settings(transformer, _modules(path, shapes), _rank(path, shapes))
    _require_header(path, settings, metadata)
    layers = lora_layers(transformer, settings)
    expected = lora_shapes(layers, settings.rank)
    unknown = [key for key in shapes if key not in expected]
    missing = [key for key in expected if key not in shapes]
    what = f"{len(expected)} tensors for {len(layers)} layers ({settings.streams}: {', '.join(settings.targets)})"
    if unknown:
        raise WeightsError(
            f"{path} has {len(unknown)} tensors for layers that this transformer lacks: {_some(unknown)}. "
            f"Expected {what}. Is it the LoRA of another model?"
        )
    if missing:
        raise WeightsError(f"{path} lacks {len(missing)} of the expected {what}: {_some(missing)}. Is it cut short?")
    wrong = [f"{key} is {shapes[key]}, not {shape}" for key, shape in expected.items() if shapes[key] != shape]
    if wrong:
        raise WeightsError(
            f"{path} does not fit this transformer: {len(wrong)} tensors have another shape; {_some(wrong)}. "
            "Is it the LoRA of another model?"
        )
    integers = [f"{key} is {kind}" for key, kind in kinds.items() if kind not in FLOATS]
    if integers:
        raise WeightsError(f"{path} must hold float32, float16 or bfloat16 tensors, but {_some(integers)}.")
    return settings


def _modules(path: Path, keys: Iterable[str]) -> list[str]:
    keys = list(keys)
    if not keys:
        raise WeightsError(f"{path} holds no tensors. Expected LoRA matrices named {PREFIX}<layer>.lora_A.weight.")
    foreign = [key for key in keys if not KEY.fullmatch(key)]
    if not foreign:
        return [match["module"] for match in map(KEY.fullmatch, keys) if match]
    hint = "Is it the LoRA of another model or another tool's format?"
    if all(KEY.fullmatch(PREFIX + key) for key in keys):
        hint = f'Its keys lack the prefix "{PREFIX}"; save it with FluxKontextPipeline.save_lora_weights.'
    elif all(key.endswith(".alpha") for key in foreign):
        hint = "It carries alpha tensors; the format has none, because alpha is the rank. Scale B by alpha / rank."
    raise WeightsError(
        f"{path} has {len(foreign)} unknown keys: {_some(foreign)}. "
        f"Expected {PREFIX}<layer>.lora_A.weight and .lora_B.weight. {hint}"
    )


def _rank(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> int:
    flat = [f"{key} is {shape}" for key, shape in shapes.items() if len(shape) != 2]
    if flat:
        raise WeightsError(f"{path} must hold matrices, but {_some(flat)}.")
    ranks = Counter(shape[0] if key.endswith(".lora_A.weight") else shape[1] for key, shape in shapes.items())
    if len(ranks) > 1:
        listed = ", ".join(f"{rank} ({count} tensors)" for rank, count in ranks.most_common())
        raise WeightsError(f"{path} mixes LoRA ranks: {listed}. An expert has one rank; train or export it again.")
    rank = next(iter(ranks))
    if rank < 1:
        raise WeightsError(f"{path} holds empty matrices (rank 0). Train or export it again.")
    return rank


def _require_header(path: Path, settings: LoraSettings, metadata: Mapping[str, str]) -> None:
    found = {"rank": str(settings.rank), "streams": settings.streams}
    for entry, value in found.items():
        stated = metadata.get(METADATA + entry, value)
        if stated != value:
            raise WeightsError(
                f"The header of {path} says {entry} {stated}, but its tensors say {value}. Is it damaged? Train or "
                "export it again."
            )


def _stated_scale(path: Path, settings: LoraSettings, metadata: Mapping[str, str]) -> float:
    """Return alpha / rank as diffusers' own header entry states it, 1 without one.

    Raises:
        WeightsError: It cannot be read, or states factors that differ between layers.
    """
    if ADAPTER not in metadata:
        return 1.0
    try:
        stated = parse_json(metadata[ADAPTER])
        facts = {key.removeprefix(PREFIX): value for key, value in stated.items()}
        rank, alpha = float(facts.get("r", settings.rank)), float(facts.get("lora_alpha", settings.rank))
        if not (math.isfinite(rank) and math.isfinite(alpha)):
            raise ValueError("rank and alpha must be finite")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"The header entry {ADAPTER} of {path} cannot be read: {error}. Export it again.") from error
    uneven = [key for key in ("alpha_pattern", "rank_pattern", "use_rslora", "use_dora") if facts.get(key)]
    if uneven or rank != settings.rank:
        raise WeightsError(
            f"The header of {path} states {', '.join(uneven) or f'rank {rank:g}, its tensors have {settings.rank}'}. "
            "Experts have one rank and one factor alpha / rank for all layers: scale each B and drop the entry."
        )
    return alpha / rank


def _key(module: str, matrix: str) -> str:
    return f"{PREFIX}{module}.lora_{matrix}.weight"


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
