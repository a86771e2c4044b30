"""What all adapters of diffusers pipelines share: finding weights, loading, seeds, sizes, and the way back."""

from __future__ import annotations

import contextlib
import importlib.resources
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from baselines.sizes import Near, SizeRule, resize, resize_mask, to_bytes
from rses.backbones.hub import EMBEDDED_ADVICE, gpu_error, load_error, weights_facts
from rses.errors import InputError, Place, RsesError, require
from rses.files.text import parse_json
from rses.methods import Edited, EditSample, MethodCard

if TYPE_CHECKING:
    import torch

BIG = 8.0
"""GB from which a hub model is not loaded onto a CPU unasked."""


@dataclass(frozen=True)
class Facts:
    """What is known about a method before anything is loaded.

    Attributes:
        name: Entry-point name.
        title: One line.
        paper: Citation or URL.
        year: Of the paper.
        weights: Hub id.
        licence: Of the weights.
        mask_used: Whether the method sees the mask.
        memory_gb: GPU memory needed, estimated from parameter counts.
        gated: Whether the hub asks for a login.
        mini: Folder of the embedded model, or "".
        max_batch: Most samples a call.
        dtype: Precision on a GPU.
        settings: Defaults of the settings that change the images.
    """

    name: str
    title: str
    paper: str
    year: int
    weights: str
    licence: str
    memory_gb: float
    mask_used: bool = False
    gated: bool = False
    mini: str = ""
    max_batch: int = 16
    dtype: str = "bfloat16"
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A batch as a pipeline takes it: pictures of one size, masks where the method sees them, one generator each."""

    samples: list[EditSample]
    images: list[Image.Image]
    masks: list[Image.Image]
    size: tuple[int, int]
    generators: list[torch.Generator]


class DiffusersMethod:
    """An adapter; a subclass says its facts, and what its pipeline is called with.

    Args:
        variant: "mini" for the embedded model, a hub id, or a folder. By default the embedded model where there is
            one, else the hub id.
        revision: Revision of a hub id.
        offload: Keep only the part in use on the GPU.
        allow_cpu: Load a large model onto the CPU where there is no GPU.
        settings: Changes to the settings that the facts list.

    Raises:
        InputError: A setting that the method does not have, or no embedded model where "mini" is asked for.
    """

    facts: ClassVar[Facts]
    pipeline: ClassVar[str]
    guidance: ClassVar[str] = "guidance_scale"
    """What the pipeline calls the setting ``guidance``."""

    def __init__(
        self, variant: str | None = None, revision: str = "main", offload: bool = False, allow_cpu: bool = False,
        **settings: Any,
    ):  # fmt: skip
        facts = self.facts
        unknown = sorted(set(settings) - set(facts.settings))
        if unknown:
            raise InputError(
                f"{facts.name} has no setting {unknown[0]}. It has: {', '.join(sorted(facts.settings)) or 'none'}.",
                code="unknown-key",
                place=Place(field=unknown[0]),
            )
        check_types(facts.name, facts.settings, settings)
        _check_own(facts.name, variant, revision, offload, allow_cpu)
        self.variant = variant or ("mini" if facts.mini else facts.weights)
        if self.variant == "mini" and not facts.mini:
            raise InputError(
                f"{facts.name} has no embedded model. Give a hub id or a folder, e.g. {facts.weights}.",
                code="missing-weights",
                place=Place(field="variant"),
            )
        self.mini = self.variant == "mini"
        self.source = str(mini_folder(facts.mini)) if self.mini else self.variant
        self.use = recommended(self.source)
        known = {key: value for key, value in self.use.items() if key in facts.settings}
        self.settings = {**facts.settings, **known, **settings}
        self.revision, self._offload, self._allow_cpu = revision, offload, allow_cpu
        self.size_rule = self.choose_sizes()
        self.loaded: dict[str, Any] = {}
        self.pipe: Any = None
        self.card = MethodCard(
            name=f"{facts.name}-mini" if self.mini else facts.name,
            title=facts.title, mask_used=facts.mask_used, paper=facts.paper, year=facts.year,
            weights=facts.mini if self.mini else self.variant, revision="" if self.mini else revision,
            licence="Apache-2.0" if self.mini else facts.licence,
            settings={**self.settings, "pipeline": self.pipeline, "size_rule": self.size_rule.describe()},
            max_batch=facts.max_batch, dtype=facts.dtype, memory_gb=0.1 if self.mini else facts.memory_gb,
            gated=facts.gated and not self.mini, full_size=_full_size(facts) if self.mini else "",
        )  # fmt: skip

    def choose_sizes(self) -> SizeRule:
        """Return the size rule of the variant in use; about 512 x 512, as of Stable Diffusion, unless it says more."""
        return Near(int(self.use.get("side", 512)), int(self.use.get("multiple", 64)))

    def arguments(self, request: Request) -> dict[str, Any]:
        """Return what the pipeline is called with beside steps, guidance and generators."""
        raise NotImplementedError

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline; return (H, W, 3) floats in [0, 1] at ``request.size``."""
        return list(self.pipe(
            **self.arguments(request), **{self.guidance: self.settings["guidance"]}, generator=request.generators,
            num_inference_steps=self.settings["steps"], output_type="np",
        ).images)  # fmt: skip

    def load(self, device: str, dtype: str) -> None:
        """Load the pipeline."""
        require("diffusers", "methods")
        import torch
        from safetensors import SafetensorError

        facts, is_hub = self.facts, not Path(self.source).is_dir()
        if device.startswith("cpu") and is_hub and facts.memory_gb >= BIG and not self._allow_cpu:
            advice = [EMBEDDED_ADVICE] if facts.mini else []
            advice.append("To run it on the CPU all the same, in hours: --set allow_cpu=true.")
            raise gpu_error(facts.name, facts.memory_gb, f"{self.source}, {facts.dtype}", " ".join(advice))
        try:
            self.pipe = self.build(dtype)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            offline = "The embedded model needs no download: --variant mini (it is a toy)." if facts.mini else ""
            raise load_error(facts.name, self.source, error, offline) from error
        self.pipe.set_progress_bar_config(disable=True)
        if self._offload and not device.startswith("cpu"):
            self.pipe.enable_model_cpu_offload(device=device)
        else:
            self.pipe.to(device)
        parts = {name: weights_facts(source, "main") for name, source in self.parts().items()}
        loaded = [name for name, part in self.pipe.components.items() if isinstance(part, torch.nn.Module)]
        self.loaded = {**weights_facts(self.source, self.revision, loaded), **parts}

    def build(self, dtype: str) -> Any:
        """Build the pipeline from the weights."""
        return load_pipeline(self.pipeline, self.source, dtype, self.revision, **self.shared(dtype))

    def shared(self, dtype: str) -> dict[str, Any]:
        """Load what a model folder shares with another: two embedded models have one autoencoder between them."""
        if "vae" not in self.use:
            return {}
        import diffusers
        import torch

        folder = mini_folder(self.use["vae"])
        return {"vae": diffusers.AutoencoderKL.from_pretrained(folder, subfolder="vae", dtype=getattr(torch, dtype))}

    def parts(self) -> dict[str, str]:
        """Return what is loaded beside ``source``, folder or hub id by its name: recorded with the results."""
        return {"vae": str(mini_folder(self.use["vae"]))} if "vae" in self.use else {}

    def edit(self, batch: Sequence[EditSample]) -> list[Edited]:
        """Edit samples of one size."""
        import torch

        height, width = batch[0].image.shape[:2]
        size = self.size_rule.choose(width, height)
        request = Request(
            list(batch),
            [Image.fromarray(resize(sample.image, size)) for sample in batch],
            [_mask_picture(sample, size) for sample in batch] if self.card.mask_used else [],
            size,
            [torch.Generator("cpu").manual_seed(sample.seed) for sample in batch],
        )
        details = {"size": f"{size[0]}x{size[1]}"}
        images = self.run(request)
        strange = [image.shape for image in images if image.shape != (size[1], size[0], 3)]
        if strange:
            # Resizing it back would stretch the picture without a word.
            raise RsesError(
                f"{self.facts.name}: the pipeline returned {strange[0]}, asked for {details['size']}.",
                code="wrong-result",
            )
        return [Edited(to_bytes(image, (width, height)), details) for image in images]


def check_types(name: str, defaults: dict[str, Any], settings: dict[str, Any]) -> None:
    """Refuse settings of another type than their defaults have, before anything is loaded.

    Example:
        >>> check_types("m", {"steps": 28, "guidance": 3.5}, {"steps": 4, "guidance": 1})
    """
    for key, value in settings.items():
        kind = type(defaults[key])
        kinds = (int, float) if kind is float else (kind,)
        if not isinstance(value, kinds) or isinstance(value, bool):
            words = {int: "a whole number", float: "a number", str: "text"}
            raise InputError(
                f"{name}: {key} must be {words.get(kind, kind.__name__)}, e.g. {defaults[key]}; got {value!r}.",
                code="wrong-argument",
                place=Place(field=key),
            )
        if key == "steps" and value < 1:
            raise InputError(
                f"{name}: steps must be at least 1, got {value}.", code="out-of-range", place=Place(field="steps")
            )


def _check_own(name: str, variant: object, revision: object, offload: object, allow_cpu: object) -> None:
    """Refuse other types than the arguments that all methods take are declared with: "no" would pass for true."""
    for key, flag in (("offload", offload), ("allow_cpu", allow_cpu)):
        if not isinstance(flag, bool):
            raise InputError(
                f"{name}: {key} must be true or false, got {flag!r}.", code="wrong-argument", place=Place(field=key)
            )
    # No variant is the method's own; no revision would say nothing in the results.
    for key, text in (("variant", "" if variant is None else variant), ("revision", revision)):
        if not isinstance(text, str):
            raise InputError(
                f"{name}: {key} must be text, got {text!r}. Quote a number: --set '{key}=\"{text}\"'.",
                code="wrong-argument",
                place=Place(field=key),
            )


def load_pipeline(kind: str, source: str, dtype: str, revision: str, **parts: Any) -> Any:
    """Load a diffusers pipeline by the name of its class; a safety checker would turn some edits black."""
    import diffusers
    import torch

    options: dict[str, Any] = {"dtype": getattr(torch, dtype), **parts}
    if kind.startswith("StableDiffusion"):
        options |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    if not Path(source).is_dir():
        options["revision"] = revision
    with _without_bars():
        return getattr(diffusers, kind).from_pretrained(source, **options)


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    """Keep the loading bars of diffusers and transformers away from what is no terminal."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    parts = () if sys.stderr.isatty() else (diffusers_logging, transformers_logging)
    chatty = [part for part in parts if part.is_progress_bar_enabled()]
    for part in chatty:
        part.disable_progress_bar()
    try:
        yield
    finally:
        for part in chatty:
            part.enable_progress_bar()


def mini_folder(name: str) -> Path:
    """Return the folder of an embedded model."""
    return Path(str(importlib.resources.files("benchmark_data").joinpath("models").joinpath(name)))


def recommended(source: str) -> dict[str, Any]:
    """Read how a model folder wants to be used: ``use.json``, or ``regionroute.json`` of kontext-mini."""
    for name in ("use.json", "regionroute.json"):
        path = Path(source) / name
        if path.is_file():
            found: dict[str, Any] = parse_json(path.read_bytes())
            return found
    return {}


def _full_size(facts: Facts) -> str:
    gate = ", gated" if facts.gated else ""
    return f"{facts.weights} ({facts.licence}{gate}, about {facts.memory_gb:.0f} GB)"


def _mask_picture(sample: EditSample, size: tuple[int, int]) -> Image.Image:
    assert sample.mask is not None
    if sample.mask.shape != sample.image.shape[:2]:
        raise InputError(
            f'The mask of "{sample.id}" is {sample.mask.shape}, its image {sample.image.shape[:2]}.', code="wrong-size"
        )
    return Image.fromarray(resize_mask(sample.mask, size).astype(np.uint8) * 255)
