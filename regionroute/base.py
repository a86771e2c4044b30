"""Load the frozen base model: the embedded kontext-mini, a hub id, or a folder."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines import flux
from baselines.diffusion import load_pipeline, mini_folder
from rses.backbones.hub import load_error
from rses.errors import InputError, Place, RsesError, WeightsError, require
from rses.files.text import parse_json
from rses.methods import DTYPES

if TYPE_CHECKING:
    from diffusers import FluxKontextPipeline

MINI = "mini"
VARIANTS = {MINI: MINI, "flux-kontext": flux.KONTEXT}
"""Names that the command line knows, and what they load."""


@dataclass(frozen=True)
class BaseFacts:
    """How a base model wants to be used; by default as FLUX.1-Kontext does."""

    buckets: tuple[tuple[int, int], ...] = flux.BUCKETS
    text_length: int = flux.USE["text_length"]
    guidance: float = flux.USE["guidance"]
    steps: int = flux.USE["steps"]


def base_source(base: str) -> str:
    """Return what ``from_pretrained`` is to load: the embedded folder for "mini", else ``base`` itself."""
    if base != MINI:
        return VARIANTS.get(base, base)
    folder = mini_folder("kontext-mini")
    if not (folder / "model_index.json").is_file():
        raise WeightsError(
            "The embedded model kontext-mini is not installed. Reinstall the package with its data files.",
            code="missing-weights",
        )
    return str(folder)


def choose_dtype(dtype: str, variant: str) -> str:
    """Return the dtype that the command line asks for, or what the variant needs if it asks for none.

    Example:
        >>> choose_dtype("", "mini"), choose_dtype("float16", "mini")
        ('float32', 'float16')
    """
    chosen = dtype or ("float32" if variant == MINI else "bfloat16")
    if chosen not in DTYPES:
        raise InputError(
            f'--dtype must be float32, bfloat16 or float16, got "{chosen}".',
            code="unknown-value",
            place=Place(field="--dtype"),
        )
    return chosen


def base_facts(source: str) -> BaseFacts:
    """Read ``regionroute.json`` beside the weights; models without one are taken for FLUX.1-Kontext."""
    path = Path(source) / "regionroute.json"
    if not path.is_file():
        return BaseFacts()
    try:
        values = parse_json(path.read_bytes())
        if "buckets" in values:
            values["buckets"] = tuple((int(width), int(height)) for width, height in values["buckets"]) or flux.BUCKETS
        facts = dataclasses.replace(BaseFacts(), **values)
        _require_sound(facts)
        return facts
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} cannot be used: {error}.", code="unreadable", place=Place(str(path))) from error


def _require_sound(facts: BaseFacts) -> None:
    sides = [side for size in facts.buckets for side in size]
    for name, numbers in (("text_length", [facts.text_length]), ("steps", [facts.steps]), ("buckets", sides)):
        if not all(type(number) is int and 1 <= number < 2**31 for number in numbers):
            raise ValueError(f"{name} must be made of whole numbers from 1 up")
    guidance = facts.guidance
    if type(guidance) not in (int, float) or not math.isfinite(guidance) or guidance < 0:
        raise ValueError(f"guidance is {guidance!r}, expected a number of at least 0")


def load_base(
    base: str, *, dtype: str = "float32", device: str = "cpu", revision: str = "main", quantise: str = "none"
) -> FluxKontextPipeline:
    """Load the whole pipeline.

    Args:
        base: "mini", "flux-kontext", a hub id, or a folder.
        dtype: "float32", "bfloat16" or "float16".
        device: Torch device.
        revision: Revision of a hub id.
        quantise: "none", "nf4" or "int8": format of the frozen transformer.

    Raises:
        WeightsError: The weights cannot be had, with what to do.
        RsesError: An optional package is missing, or the machine cannot quantise.
    """
    require("diffusers", "methods")
    source = base_source(base)
    parts = {} if quantise == "none" else {"quantization_config": _quantisation(quantise, dtype)}
    try:
        pipe = load_pipeline("FluxKontextPipeline", source, dtype, revision, **parts)
    except (OSError, ValueError, KeyError) as error:
        offline = 'The embedded model needs none: --variant mini, or [model] base = "mini" for training.'
        raise load_error(f'base model "{base}"', source, error, offline) from error
    except (RuntimeError, ImportError) as error:
        if quantise == "none":
            raise
        raise RsesError(
            f'Cannot quantise to {quantise}: {error} Use a CUDA device, or [model] quantise = "none".', code="failed"
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)


def _quantisation(kind: str, dtype: str) -> Any:
    """Configure bitsandbytes for the transformer alone."""
    import torch

    require("bitsandbytes", "quantised")
    from diffusers import PipelineQuantizationConfig

    bits = "4" if kind == "nf4" else "8"
    options: dict[str, Any] = {f"load_in_{bits}bit": True}
    if kind == "nf4":
        options |= {"bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": getattr(torch, dtype)}
    try:
        return PipelineQuantizationConfig(
            quant_backend=f"bitsandbytes_{bits}bit", quant_kwargs=options, components_to_quantize=["transformer"]
        )
    except Exception as error:
        raise RsesError(f"Cannot quantise to {kind}: {error}", code="failed") from error
