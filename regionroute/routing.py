"""Several experts in one batch: each row of a forward pass goes through its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from regionroute.experts import expert_name, loaded_experts
from rses.errors import InputError, did_you_mean, require

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel
    from torch import nn

BASE = "__base__"  # peft's name for "no adapter"


@contextmanager
def routed(transformer: FluxTransformer2DModel, styles: Sequence[str | None]) -> Iterator[None]:
    """Send row ``i`` of every forward pass inside the context through the expert of ``styles[i]``.

    Which expert is active does not matter inside and is the same afterwards. peft's layers take one adapter name per
    row, but the transformer does not pass such names on; forward hooks on those layers do, and are always removed.

    Gradients reach each row's own expert, as far as it is trainable: ``transformer.set_adapters([...])`` makes several
    trainable at once. Under gradient checkpointing keep the context open until after ``backward``, which runs the
    layers again. ``joint_attention_kwargs={"scale": ...}`` scales the active experts only; leave it out here.

    Args:
        transformer: Carries the experts.
        styles: One entry per row of the batch as the transformer sees it; None is the base model without expert.

    Raises:
        InputError: No such expert is loaded; or, in the forward pass, the batch has another number of rows; or the
            experts are fused into the weights.

    Example:
        >>> with routed(transformer, ["pixel art", None, "line art"]):  # doctest: +SKIP
        ...     transformer(**inputs)
    """
    names = _names(transformer, styles)
    handles = []
    try:
        handles.append(transformer.register_forward_pre_hook(_check_rows(len(names)), with_kwargs=True))
        for layer in _layers(transformer):
            handles.append(layer.register_forward_pre_hook(_pass_names(names), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _names(transformer: FluxTransformer2DModel, styles: Sequence[str | None]) -> list[str]:
    if isinstance(styles, str):
        raise InputError(
            f'Routing needs a list with one style per row of the batch, not the text "{styles}".', code="wrong-type"
        )
    loaded = loaded_experts(transformer)
    names = [BASE if style is None else expert_name(style) for style in styles]
    listed = ", ".join(loaded) or "none"
    unknown = sorted(set(names) - {BASE, *loaded})
    if unknown:
        raise InputError(
            [f'There is no expert "{name}"; loaded: {listed}.{did_you_mean(name, loaded)}' for name in unknown],
            code="unknown-name",
        )
    return names


def _layers(transformer: FluxTransformer2DModel) -> list[nn.Module]:
    if not loaded_experts(transformer):
        return []
    tuner = require("peft.tuners.tuners_utils", "methods").BaseTunerLayer
    layers = [module for module in transformer.modules() if isinstance(module, tuner)]
    if any(layer.merged for layer in layers):
        raise InputError(
            "The experts are fused into the weights, so rows cannot differ. Call unfuse_lora() first.",
            code="unsupported",
        )
    return layers


def _pass_names(names: list[str]) -> Any:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**kwargs, "adapter_names": names}

    return hook


def _check_rows(expected: int) -> Any:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        rows = len(args[0] if args else kwargs["hidden_states"])
        if rows != expected:
            raise InputError(
                f"The batch has {rows} rows, but styles were given for {expected}. Give one per row.", code="mismatch"
            )

    return hook
