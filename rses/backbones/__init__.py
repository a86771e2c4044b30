"""Networks behind the metrics, loaded by name from local weights; importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from rses.backbones.specs import DEFAULT_STYLE, parse_spec
from rses.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from rses.backbones.base import PerceptualBackbone, StyleBackbone
    from rses.backbones.weights import Need

_Backbone = TypeVar("_Backbone")

__all__ = ["DEFAULT_STYLE", "load_perceptual", "load_style", "require_weights"]


def load_style(
    spec: str = DEFAULT_STYLE, device: torch.device | str = "cpu", files: Sequence[Need] | None = None
) -> StyleBackbone:
    """Load a joint image/text encoder.

    Args:
        spec: ``open_clip:NAME/PRETRAINED``, ``open_clip:NAME//path/to/file.safetensors`` or ``rses-mini``.
        device: Where to put it, e.g. ``"cpu"`` or ``"cuda"``.
        files: Files to use instead of the published ones (see :mod:`rses.backbones.weights`).

    Raises:
        WeightsError: Unknown name, or weights missing, damaged or of another model. Nothing is downloaded.

    Example:
        >>> load_style("lpips:alex")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rses.errors.WeightsError: "lpips:alex" measures perceptual distance and cannot compare images ...
    """
    kind = parse_spec(spec).kind
    if kind in ("rses-mini", "open_clip"):
        from rses.state.steady import quiet_rng, steady

        with steady(), quiet_rng():
            if kind == "rses-mini":
                from rses.backbones.mini import load_mini_style

                return _moved(load_mini_style(), device)
            from rses.backbones.clip import load_clip

            return load_clip(spec, device, files)
    raise WeightsError(
        f'"{spec}" measures perceptual distance and cannot compare images with texts. '
        f'Use "{DEFAULT_STYLE}", another open_clip model, or "rses-mini".'
    )


def load_perceptual(
    spec: str = "lpips:alex", device: torch.device | str = "cpu", files: Sequence[Need] | None = None
) -> PerceptualBackbone:
    """Load a perceptual distance network.

    Args:
        spec: ``lpips:alex``, ``lpips:vgg``, ``lpips:squeeze`` or ``rses-mini``.
        device: Where to put it.
        files: Files to use instead of the published ones (see :mod:`rses.backbones.weights`).

    Raises:
        WeightsError: Unknown name, or weights missing, damaged or of another network. Nothing is downloaded.

    Example:
        >>> load_perceptual("lpips:vgg16")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rses.errors.WeightsError: There is no backbone "lpips:vgg16". Did you mean "lpips:vgg"? ...
    """
    kind = parse_spec(spec).kind
    if kind in ("rses-mini", "lpips"):
        from rses.state.steady import quiet_rng, steady

        with steady(), quiet_rng():
            if kind == "rses-mini":
                from rses.backbones.mini import load_mini_perceptual

                return _moved(load_mini_perceptual(), device)
            from rses.backbones.lpips import load_lpips

            return load_lpips(spec, device, files)
    raise WeightsError(
        f'"{spec}" compares images with texts and measures no perceptual distance. '
        'Use "lpips:alex", "lpips:vgg", "lpips:squeeze" or "rses-mini".'
    )


def require_weights(specs: Sequence[str]) -> None:
    """Check, before any work, that the right weights of all these backbones are on this machine.

    Raises:
        WeightsError: One message naming every missing file.

    Example:
        >>> require_weights(["rses-mini"])
    """
    from rses.backbones.weights import locate_all

    locate_all(dict.fromkeys(specs))


def _moved(backbone: _Backbone, device: torch.device | str) -> _Backbone:
    """Move a backbone that can be moved, keeping its type."""
    move = getattr(backbone, "to", None)
    if move is not None:
        move(device)
    return backbone
