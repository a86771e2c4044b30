"""Load the frozen base model: the embedded kontext-mini, a hub id, or a folder."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.resources
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.backbones.hub import load_error
from rses.errors import InputError, RsesError, WeightsError, require
from rses.files.text import parse_json
from rses.methods import DTYPES

if TYPE_CHECKING:
    from diffusers import FluxKontextPipeline

__all__ = ["FULL_SIZE", "MINI", "VARIANTS", "BaseFacts", "base_facts", "base_source", "choose_dtype", "load_base"]

MINI = "mini"
VARIANTS = {"mini": MINI, "flux-kontext": "black-forest-labs/FLUX.1-Kontext-dev"}
"""Names that the command line knows, and what they load."""


@dataclass(frozen=True)
class BaseFacts:
    """How a base model wants to be used.

    Attributes:
        buckets: Sizes (width, height) it was trained at; empty means FLUX.1-Kontext's preferred ones.
        text_length: T5 tokens.
        guidance: Guidance scale at inference.
        steps: Denoising steps.
    """

    buckets: tuple[tuple[int, int], ...] = ()
    text_length: int = 512
    guidance: float = 3.5
    steps: int = 28


FULL_SIZE = BaseFacts()
"""FLUX.1-Kontext as the paper runs it: 28 steps, guidance 3.5."""


def base_source(base: str) -> str:
    """Return what ``from_pretrained`` is to load: the embedded folder for "mini", else ``base`` itself.

    Raises:
        WeightsError: The embedded model is not installed.
    """
    if base != MINI:
        return VARIANTS.get(base, base)
    folder = importlib.resources.files("benchmark_data").joinpath("models").joinpath("kontext-mini")
    if not folder.joinpath("model_index.json").is_file():
        raise WeightsError(
            "The embedded model kontext-mini is not installed. Reinstall the package with its data files."
        )
    return str(folder)


def choose_dtype(dtype: str, variant: str) -> str:
    """Return the dtype that the command line asks for, or what the variant needs if it asks for none.

    Raises:
        InputError: There is no such dtype.

    Example:
        >>> choose_dtype("", "mini"), choose_dtype("float16", "mini")
        ('float32', 'float16')
    """
    chosen = dtype or ("float32" if variant == MINI else "bfloat16")
    if chosen not in DTYPES:
        raise InputError(f'--dtype must be float32, bfloat16 or float16, got "{chosen}".')
    return chosen


def base_facts(source: str) -> BaseFacts:
    """Read ``regionroute.json`` beside the weights; models without one are taken for FLUX.1-Kontext.

    Raises:
        WeightsError: The file cannot be used.
    """
    path = Path(source) / "regionroute.json"
    if not path.is_file():
        return FULL_SIZE
    try:
        values = parse_json(path.read_bytes())
        buckets = tuple((int(width), int(height)) for width, height in values.pop("buckets", ()))
        facts = dataclasses.replace(FULL_SIZE, buckets=buckets, **values)
        _require_sound(facts)
        return facts
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} cannot be used: {error}.") from error


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
    diffusers = require("diffusers", "methods")
    import torch

    source = base_source(base)
    options: dict[str, Any] = {"dtype": getattr(torch, dtype)}
    if not Path(source).is_dir():
        options["revision"] = revision
    if quantise != "none":
        options["quantization_config"] = _quantisation(quantise, options["dtype"])
    try:
        with _quiet():
            pipe = diffusers.FluxKontextPipeline.from_pretrained(source, **options)
    except (OSError, ValueError, KeyError) as error:
        offline = 'The embedded model needs none: --variant mini, or [model] base = "mini" for training.'
        raise load_error(f'base model "{base}"', source, error, offline) from error
    except (RuntimeError, ImportError) as error:
        if quantise == "none":
            raise
        raise RsesError(
            f'Cannot quantise to {quantise}: {error} Use a CUDA device, or [model] quantise = "none".'
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loading bars of diffusers and transformers away from what is no terminal."""
    if sys.stderr.isatty():
        yield
        return
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    chatty = [part for part in (diffusers_logging, transformers_logging) if part.is_progress_bar_enabled()]
    for part in chatty:
        part.disable_progress_bar()
    try:
        yield
    finally:
        for part in chatty:
            part.enable_progress_bar()


def _quantisation(kind: str, dtype: Any) -> Any:
    """Configure bitsandbytes for the transformer alone."""
    require("bitsandbytes", "quantised")
    from diffusers import PipelineQuantizationConfig

    options = (
        {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype}
        if kind == "nf4"
        else {"load_in_8bit": True}
    )
    try:
        return PipelineQuantizationConfig(
            quant_backend=f"bitsandbytes_{'4' if kind == 'nf4' else '8'}bit",
            quant_kwargs=options,
            components_to_quantize=["transformer"],
        )
    except Exception as error:
        raise RsesError(f"Cannot quantise to {kind}: {error}") from error
