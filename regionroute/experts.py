"""Style experts: one LoRA per style on the frozen transformer, with their files.

The paper calls this LoRA-MoE; there is no learned router: the style phrase of the prompt names the expert. Which of
the loaded experts acts is chosen by ``transformer.set_adapters(expert_name(style))``, or per row of the batch by
:func:`regionroute.routing.routed`.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
)  # fmt: skip
from rses.errors import InputError, Place, WeightsError, did_you_mean, require

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
        raise InputError(f"A style needs letters or digits to name its expert, not {style!r}.", code="empty")
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
        The trainable parameters, A and B of each layer, in the order of the layers.

    Raises:
        InputError: The transformer has this expert already, or lacks one of the targets.
    """
    name = _new_name(transformer, style)
    _require_targets(transformer, settings)
    peft = require("peft", "methods")
    with _beside_others():
        transformer.add_adapter(peft.LoraConfig(init_lora_weights="gaussian", **_config(settings)), adapter_name=name)
    transformer.requires_grad_(False)
    transformer.set_adapters(name)
    linears = _linears(transformer, name)
    for linear in linears:
        linear.float()
    return [parameter for linear in linears for parameter in linear.parameters()]


def save_expert(
    transformer: FluxTransformer2DModel, style: str, path: Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write an expert in the released format (see :mod:`regionroute.lora_format`), atomically.

    Raises:
        InputError: There is no such expert, or its alpha is not its rank, which the format cannot say.
        OSError: The folder cannot be written.
    """
    name, loaded = expert_name(style), loaded_experts(transformer)
    if name not in loaded:
        raise InputError(
            f'There is no expert "{name}" on the transformer; loaded: {", ".join(loaded) or "none"}.'
            f"{did_you_mean(name, loaded)}",
            code="unknown-name",
        )
    config = transformer.peft_config[name]
    if config.lora_alpha != config.r:
        raise InputError(
            f'The expert "{name}" has alpha {config.lora_alpha} and rank {config.r}; files in the released format have '
            "alpha equal to rank. Add experts with regionroute.experts.add_expert.",
            code="unsupported",
        )
    tensors = require("peft", "methods").get_peft_model_state_dict(transformer, adapter_name=name)
    modules = {key.rsplit(".lora_", 1)[0] for key in tensors}
    settings = infer_settings(transformer, modules, config.r)
    write_lora(Path(path), LoraFile(settings, tensors, dict(metadata or {})), style)


def load_expert(transformer: FluxTransformer2DModel, style: str, path: Path) -> LoraSettings:
    """Load an expert for inference: checked first, then put on the transformer, activated and frozen.

    Its parameters take device and dtype of the layers they are put on, float32 on quantised ones.
    ``transformer.set_adapters(name)`` makes them trainable again.

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
    name = _new_name(transformer, style)
    file = read_lora(Path(path), transformer)
    stated = file.metadata.get(STYLE_ENTRY, style)
    if stated != style and expert_name(stated) != name:
        raise WeightsError(
            f'{path} holds the expert of "{stated}", not of "{style}". Load it under its own style.',
            code="wrong-weights",
            place=Place(str(path)),
        )
    with _all_or_nothing(transformer, name), _beside_others():
        # The configuration is ours: names inferred from the tensors would take "single_transformer_blocks" for
        # "transformer_blocks".
        transformer.load_lora_adapter(
            file.tensors, prefix=None, adapter_name=name, metadata=_config(file.settings), low_cpu_mem_usage=True
        )
        transformer.set_adapters(name)
        for linear in _linears(transformer, name):
            linear.requires_grad_(False)
    return file.settings


def _config(settings: LoraSettings) -> dict[str, Any]:
    return {"r": settings.rank, "lora_alpha": settings.rank, "target_modules": target_pattern(settings)}


@contextlib.contextmanager
def _beside_others() -> Iterator[None]:
    """Several experts on one transformer are meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config` attribute")
        yield


@contextlib.contextmanager
def _all_or_nothing(transformer: FluxTransformer2DModel, name: str) -> Iterator[None]:
    """Take a half-loaded expert off again, whatever went wrong; what was active and trainable is so again."""
    active = list(transformer.active_adapters()) if loaded_experts(transformer) else []
    trainable = {id(parameter) for parameter in transformer.parameters() if parameter.requires_grad}
    try:
        yield
    except BaseException:
        if name in loaded_experts(transformer):
            transformer.delete_adapters(name)
        if active:
            transformer.set_adapters(active)
        elif not loaded_experts(transformer):
            transformer.unload_lora()
        for parameter in transformer.parameters():
            parameter.requires_grad_(id(parameter) in trainable)
        raise


def _linears(transformer: FluxTransformer2DModel, name: str) -> list[nn.Linear]:
    return [
        matrices[name]
        for layer in transformer.modules()
        for matrices in (getattr(layer, "lora_A", {}), getattr(layer, "lora_B", {}))
        if name in matrices
    ]


def _new_name(transformer: FluxTransformer2DModel, style: str) -> str:
    name = expert_name(style)
    if name in loaded_experts(transformer):
        raise InputError(
            f'The transformer has an expert "{name}" already. '
            f'Remove it first with transformer.delete_adapters("{name}").',
            code="already-there",
        )
    return name


def _require_targets(transformer: FluxTransformer2DModel, settings: LoraSettings) -> None:
    # A target that one of two streams lacks is left out there; one that all lack is a mistake.
    usable = bool(lora_layers(transformer, settings))
    absent = [
        target
        for target in settings.targets
        if not (usable and lora_layers(transformer, LoraSettings(targets=(target,))))
    ]
    if absent:
        known = block_layers(transformer, settings.streams)
        raise InputError(
            [
                f'No layer of the "{settings.streams}" streams is called "{target}".{did_you_mean(target, known)} '
                f"Choose LoRA targets from {', '.join(known)}."
                for target in absent
            ],
            code="unknown-name",
        )
