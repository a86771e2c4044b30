"""Networks behind the metrics, loaded by name from local weights; importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rses.backbones.specs import DEFAULT_STYLE, parse_spec
from rses.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from rses.backbones.base import PerceptualBackbone, StyleBackbone
    from rses.backbones.published import Need

__all__ = ["DEFAULT_STYLE", "load_perceptual", "load_style", "require_weights"]


def load_style(
    spec: str = DEFAULT_STYLE, device: torch.device | str = "cpu", files: Sequence[Need] | None = None
) -> StyleBackbone:
    """Load a joint image/text encoder.

    Args:
        spec: ``open_clip:NAME/PRETRAINED``, ``open_clip:NAME//path/to/file.safetensors`` or ``rses-mini``.
        device: Where to put it, e.g. ``"cpu"`` or ``"cuda"``.
        files: Files to use instead of the published ones (see :mod:`rses.backbones.published`).

    Raises:
        WeightsError: Unknown name, or weights missing, damaged or of another model. Nothing is downloaded.

    Example:
        >>> load_style("lpips:alex")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rses.errors.WeightsError: "lpips:alex" measures perceptual distance and cannot compare images ...
    """
    if parse_spec(spec).kind == "lpips":
        raise WeightsError(
            f'"{spec}" measures perceptual distance and cannot compare images with texts. '
            f'Use "{DEFAULT_STYLE}", another open_clip model, or "rses-mini".',
            code="unsupported",
        )
    encoder: StyleBackbone = _load(spec, device, files, "load_mini_style")
    return encoder


def load_perceptual(
    spec: str = "lpips:alex", device: torch.device | str = "cpu", files: Sequence[Need] | None = None
) -> PerceptualBackbone:
    """Load a perceptual distance network.

    Args:
        spec: ``lpips:alex``, ``lpips:vgg``, ``lpips:squeeze`` or ``rses-mini``.
        device: As :func:`load_style`.
        files: As :func:`load_style`.

    Raises:
        WeightsError: As :func:`load_style`.

    Example:
        >>> load_perceptual("lpips:vgg16")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rses.errors.WeightsError: There is no backbone "lpips:vgg16". Did you mean "lpips:vgg"? ...
    """
    if parse_spec(spec).kind == "open_clip":
        raise WeightsError(
            f'"{spec}" compares images with texts and measures no perceptual distance. '
            'Use "lpips:alex", "lpips:vgg", "lpips:squeeze" or "rses-mini".',
            code="unsupported",
        )
    network: PerceptualBackbone = _load(spec, device, files, "load_mini_perceptual")
    return network


def _load(spec: str, device: torch.device | str, files: Sequence[Need] | None, mini: str) -> Any:
    """Load a backbone in plain float32, leaving the caller's random state alone."""
    from rses.state.steady import quiet_rng, steady

    kind = parse_spec(spec).kind
    with steady(), quiet_rng():
        if kind == "rses-mini":
            return getattr(import_module("rses.backbones.mini"), mini)().to(device)
        name = {"open_clip": "clip", "lpips": "lpips"}[kind]
        return getattr(import_module(f"rses.backbones.{name}"), f"load_{name}")(spec, device, files)


def require_weights(specs: Sequence[str]) -> None:
    """Check, before any work, that the right weights of all these backbones are on this machine.

    Raises:
        WeightsError: One message naming every missing file.

    Example:
        >>> require_weights(["rses-mini"])
    """
    from rses.backbones.weights import locate_all

    locate_all(dict.fromkeys(specs))
