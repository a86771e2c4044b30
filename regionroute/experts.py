"""Style experts: one LoRA a style on the frozen transformer, with their files.

The paper calls this LoRA-MoE; there is no learned router: the style phrase of the prompt names the expert. Which of
the loaded experts acts is chosen by ``transformer.set_adapters(expert_name(style))``, or a row of the batch at a time
by :func:`regionroute.routing.routed`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from regionroute.lora_format import (
    STYLE_ENTRY,
    LoraFile,
    LoraSettings,
    block_layers,
    infer_settings,
    lora_layers,
    read_lora,
    target_pattern,
    write_lora,
)
from rses.errors import InputError, WeightsError, did_you_mean, require

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel

__all__ = ["LoraSettings", "add_expert", "expert_name", "load_expert", "loaded_experts", "save_expert"]


def expert_name(style: str) -> str:
    """Return the name of a style's expert: its adapter's name and its file's stem.

    Raises:
        InputError: The style holds no letter or digit.

    Example:
        >>> expert_name("Pixel art")
        'pixel-art'
    """
    name = re.sub(r"[\W_]+", "-", style.casefold()).strip("-")
    if not name:
        raise InputError(f"A style needs letters or digits to name its expert, not {style!r}.")
    return name


def loaded_experts(transformer: FluxTransformer2DModel) -> list[str]:
    """Return the names of the experts on a transformer, in the order in which they came."""
    return list(getattr(transformer, "peft_config", {}) or {})


def add_expert(transformer: FluxTransformer2DModel, style: str, settings: LoraSettings) -> list[nn.Parameter]:
    """Put a new expert on the transformer, activate it and freeze everything else.

    A is drawn from a normal distribution of standard deviation ``1 / rank`` with torch's global generator, B is zero,
    so the transformer's output is unchanged at first. The expert's parameters are float32 whatever the transformer's
    dtype, so that small steps are not rounded away.

    Args:
        transformer: Any ``FluxTransformer2DModel``, with or without other experts.
        style: Names the expert.
        settings: Rank and places.

    Returns:
        The trainable parameters, A and B a layer, in the order of the layers.

    Raises:
        InputError: The transformer has this expert already, or lacks one of the targets.
    """
    name = expert_name(style)
    _require_new(transformer, name)
    _require_targets(transformer, settings)
    _inject(transformer, name, settings)
    transformer.requires_grad_(False)
    transformer.set_adapters(name)
    for linear in _linears(transformer, name):
        linear.float()
    return [linear.weight for linear in _linears(transformer, name)]


def save_expert(
    transformer: FluxTransformer2DModel, style: str, path: Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write an expert in the released format (see :mod:`regionroute.lora_format`), atomically.

    Args:
        transformer: The transformer that carries it.
        style: Which expert.
        path: The ``.safetensors`` file.
        metadata: Further text entries for the file's header, such as the id of the base weights.

    Raises:
        InputError: There is no such expert, or its alpha is not its rank, which the format cannot say.
        OSError: The folder cannot be written.
    """
    name = expert_name(style)
    config = (getattr(transformer, "peft_config", None) or {}).get(name)
    if config is None:
        raise InputError(_unknown(name, loaded_experts(transformer)))
    if config.lora_alpha != config.r:
        raise InputError(
            f'The expert "{name}" has alpha {config.lora_alpha} and rank {config.r}; files in the released format have '
            "alpha equal to rank. Add experts with regionroute.experts.add_expert."
        )
    matrices = {
        module: (layer.lora_A[name].weight, layer.lora_B[name].weight)
        for module, layer in transformer.named_modules()
        if name in getattr(layer, "lora_A", ())
    }
    write_lora(
        Path(path), LoraFile(infer_settings(transformer, matrices, config.r), matrices, dict(metadata or {})), style
    )


def load_expert(transformer: FluxTransformer2DModel, style: str, path: Path) -> LoraSettings:
    """Load an expert for inference: checked first, then put on the transformer, activated and frozen.

    Its parameters take the transformer's dtype. ``transformer.set_adapters(name)`` makes them trainable again.
    On a transformer on the ``meta`` device the expert alone is materialised, on the CPU.

    Args:
        transformer: The transformer that it was trained for. It is untouched if anything is wrong.
        style: Names the expert.
        path: A file in the released format.

    Returns:
        The expert's rank and places.

    Raises:
        InputError: The transformer has this expert already.
        WeightsError: The file is missing, damaged, of another format, or for another model or style.
    """
    name = expert_name(style)
    _require_new(transformer, name)
    file = read_lora(Path(path), transformer)
    stated = file.metadata.get(STYLE_ENTRY, style)
    if stated != style and expert_name(stated) != name:
        raise WeightsError(f'{path} holds the expert of "{stated}", not of "{style}". Load it under its own style.')
    # A quantised transformer stores its weights as integers, in which no update could be held.
    dtype = transformer.dtype if transformer.dtype.is_floating_point else torch.float32
    active = list(transformer.active_adapters()) if loaded_experts(transformer) else []
    trainable = {id(parameter) for parameter in transformer.parameters() if parameter.requires_grad}
    try:
        _inject(transformer, name, file.settings)
        for module, matrices in file.matrices.items():
            layer = transformer.get_submodule(module)
            for linear, values in zip((layer.lora_A[name], layer.lora_B[name]), matrices, strict=True):
                device = values.device if linear.weight.is_meta else linear.weight.device
                linear.weight = nn.Parameter(values.to(device, dtype), requires_grad=False)
    except BaseException:
        _remove(transformer, name, active)
        for parameter in transformer.parameters():
            parameter.requires_grad_(id(parameter) in trainable)
        raise
    return file.settings


def _inject(transformer: FluxTransformer2DModel, name: str, settings: LoraSettings) -> None:
    peft = require("peft", "methods")
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.rank,
        init_lora_weights="gaussian",
        target_modules=target_pattern(settings),
    )
    with warnings.catch_warnings():
        # Several experts on one transformer are meant.
        warnings.filterwarnings("ignore", "Already found a `peft_config` attribute")
        transformer.add_adapter(config, adapter_name=name)
    transformer.set_adapters(name)


def _remove(transformer: FluxTransformer2DModel, name: str, active: list[str]) -> None:
    if name in loaded_experts(transformer):
        transformer.delete_adapters(name)
    if active:
        transformer.set_adapters(active)
    elif not loaded_experts(transformer):
        transformer.unload_lora()


def _linears(transformer: FluxTransformer2DModel, name: str) -> list[nn.Linear]:
    return [
        matrices[name]
        for layer in transformer.modules()
        for matrices in (getattr(layer, "lora_A", {}), getattr(layer, "lora_B", {}))
        if name in matrices
    ]


def _require_new(transformer: FluxTransformer2DModel, name: str) -> None:
    if name in loaded_experts(transformer):
        raise InputError(
            f'The transformer has an expert "{name}" already. '
            f'Remove it first with transformer.delete_adapters("{name}").'
        )


def _require_targets(transformer: FluxTransformer2DModel, settings: LoraSettings) -> None:
    if lora_layers(transformer, settings):
        absent = [
            target for target in settings.targets if not lora_layers(transformer, LoraSettings(targets=(target,)))
        ]
    else:
        absent = list(settings.targets)
    if absent:
        known = block_layers(transformer, settings.streams)
        raise InputError(
            [
                f'No layer of the "{settings.streams}" streams is called "{target}".{did_you_mean(target, known)} '
                f"Choose LoRA targets from {', '.join(known)}."
                for target in absent
            ]
        )


def _unknown(name: str, loaded: list[str]) -> str:
    listed = ", ".join(loaded) or "none"
    return f'There is no expert "{name}" on the transformer; loaded: {listed}.{did_you_mean(name, loaded)}'
