"""Mask-free regional editing: a base model, its style experts, and the prompt that names both object and style."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from regionroute.attention import AttentionMaps, StyleAttention
from regionroute.base import BaseFacts, base_facts, base_source, load_base
from regionroute.experts import expert_name, load_expert, loaded_experts
from regionroute.flux import choose_bucket, to_pixels
from regionroute.gate import Gate, gate_of
from regionroute.losses import mean_map
from regionroute.matting import blend, refine_mask
from regionroute.routing import routed
from regionroute.styles import EXPERT_STYLES, FINDER, StyleMatch, find_style
from regionroute.tokens import prompt_positions, style_positions
from rses.errors import InputError, Place, WeightsError
from rses.images.tensors import resize_array

if TYPE_CHECKING:
    from diffusers import FluxKontextPipeline


@dataclass(frozen=True)
class Edit:
    """One edited picture.

    Attributes:
        image: (H, W, 3) uint8, the source's size.
        style: Style of the expert that made it; None where the base model worked alone.
        size: (width, height) it was edited at.
        attention: (h, w) float32, mean probability that a place gives the style tokens; None unless asked for.
        mask: (H, W) float32 in [0, 1], where a routed edit put the style; None for plain edits.
    """

    image: np.ndarray
    style: str | None
    size: tuple[int, int]
    attention: np.ndarray | None = None
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class _Sampling:
    """How the sampler runs."""

    steps: int
    guidance: float
    true_cfg: float


@dataclass(frozen=True)
class _Rows:
    """Pictures that are edited at one size, with what is asked of each."""

    images: list[np.ndarray]
    prompts: list[str]
    styles: list[str | None]
    seeds: list[int]
    size: tuple[int, int]


class RegionRoutePipeline:
    """Edits pictures from words alone.

    Example:
        >>> pipe = RegionRoutePipeline.from_pretrained("mini")  # doctest: +SKIP
        >>> edit = pipe.edit([image], ["make the cat in pixel art style"])[0]  # doctest: +SKIP
        >>> edit.image.shape == image.shape  # doctest: +SKIP
        True
    """

    def __init__(self, pipe: FluxKontextPipeline, facts: BaseFacts, gate: Gate | None = None):
        self.pipe, self.facts, self.gate = pipe, facts, gate or Gate()
        self.attention = StyleAttention(pipe.transformer)

    @classmethod
    def from_pretrained(
        cls, base: str = "mini", experts: Mapping[str, Path | str] | Path | str | None = None, *,
        dtype: str = "float32", device: str = "cpu", revision: str = "main",
    ) -> RegionRoutePipeline:  # fmt: skip
        """Load a base model and experts.

        Args:
            base: "mini", "flux-kontext", a hub id, or a folder.
            experts: Files by style, or a folder of ``<style>.safetensors``; by default the embedded ones for "mini".
                One of them may be the finder's.
            dtype: "float32", "bfloat16" or "float16".
            device: Torch device.
            revision: Revision of a hub id.

        Raises:
            WeightsError: Base weights or an expert cannot be had.
        """
        files = expert_files(base, experts)
        pipe = load_base(base, dtype=dtype, device=device, revision=revision)
        for style, path in files.items():
            load_expert(pipe.transformer, style, path)
        return cls(pipe, base_facts(base_source(base)), gate_of(files.values()))

    @property
    def styles(self) -> list[str]:
        """Styles that have an expert."""
        loaded = loaded_experts(self.pipe.transformer)
        return [style for style in EXPERT_STYLES if expert_name(style) in loaded]

    def route(self, prompt: str) -> str:
        """Return the style whose expert a prompt asks for.

        Raises:
            InputError: No known style in the prompt, or no expert for it.
        """
        return self._find(prompt).style

    @property
    def has_finder(self) -> bool:
        """Whether a finder says where routed edits go; without one the expert of the style does."""
        return FINDER in loaded_experts(self.pipe.transformer)

    def looker(self, style: str | None) -> str | None:
        """Return whose attention makes the mask of a routed edit: the finder's, or without one the style's expert's."""
        return FINDER if self.has_finder else style

    def _find(self, prompt: str, routed: bool = False) -> StyleMatch:
        match = find_style(prompt)
        # Routed editing by a finder needs no expert.
        if match.style not in self.styles and not (routed and self.has_finder):
            there = ", ".join(self.styles) or "none"
            raise InputError(
                f"The prompt asks for {match.style}, which has no expert here. Experts that there are: {there}.",
                code="unknown-name",
            )
        return match

    def edit(
        self, images: Sequence[np.ndarray], prompts: Sequence[str], *, seeds: Sequence[int] | None = None,
        styles: Sequence[str | None] | None = None, steps: int | None = None, guidance: float | None = None,
        true_cfg: float = 1.0, attention: bool = False, routed: bool = False,
    ) -> list[Edit]:  # fmt: skip
        """Edit pictures of any size, each by its prompt; those that come to one size are edited together.

        Args:
            images: (H, W, 3) uint8 each.
            prompts: One per picture.
            seeds: One per picture, 0 by default; a result depends on its own seed, not on its neighbours.
            styles: Expert of each picture, or None for the base model alone; by default the prompt decides. In a routed
                edit without a finder it says where.
            steps: Denoising steps; by default the base model's.
            guidance: Guidance scale that the base model was given to distil; by default the base model's.
            true_cfg: Above 1, also guide away from the empty prompt by so much; twice the time.
            attention: Also return where the style tokens were attended to, mean over all steps and layers.
            routed: Edit in two passes: the attention of the finder, or without one of the style's expert, finds the
                object (in the gate's few steps), the base restyles the whole picture, and the source is kept outside
                the mask; see ``docs/routing.md``.

        Raises:
            InputError: Lengths differ, a picture cannot be used, a prompt names no known style or one that is cut
                off, or a routed edit is to have another style than its prompt's.
            WeightsError: The gate was fitted to the attention of others than look here.
        """
        if not len(images) == len(prompts) == len(seeds if seeds is not None else prompts):
            raise InputError(f"{len(images)} pictures need as many prompts and seeds.", code="mismatch")
        if styles is not None and len(styles) != len(images):
            raise InputError(f"{len(images)} pictures need as many styles, got {len(styles)}.", code="mismatch")
        seeds = [0] * len(images) if seeds is None else seeds
        for number, image in enumerate(images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise InputError(
                    f"Picture {number} is {image.dtype} {image.shape}, expected uint8 (H, W, 3).", code="wrong-shape"
                )
        chosen = [self._find(prompt, routed).style for prompt in prompts] if styles is None else list(styles)
        for prompt in prompts if styles is None else ():
            # A style that the model never reads would be left to the expert alone, without a word.
            match = self._find(prompt, routed)
            style_positions(self.pipe.tokenizer_2, prompt, (match.start, match.end), self.facts.text_length)
        sizes = [choose_bucket((image.shape[1], image.shape[0]), self.facts.buckets) for image in images]
        sampling = _Sampling(steps or self.facts.steps, self.facts.guidance if guidance is None else guidance, true_cfg)
        edits: dict[int, Edit] = {}
        for size in dict.fromkeys(sizes):
            numbers = [number for number, own in enumerate(sizes) if own == size]
            rows = _Rows(
                [images[n] for n in numbers], [prompts[n] for n in numbers], [chosen[n] for n in numbers],
                [seeds[n] for n in numbers], size,
            )  # fmt: skip
            run = self._routed if routed else self._plain
            edits.update(zip(numbers, run(rows, sampling, attention), strict=True))
        return [edits[number] for number in range(len(images))]

    def _plain(self, rows: _Rows, sampling: _Sampling, attention: bool) -> list[Edit]:
        """The paper's editing: the expert under the regional prompt."""
        pictures, maps = self._run(rows, sampling, attention)
        return [
            Edit(_fit(pictures[row], image), rows.styles[row], rows.size, maps[row] if maps is not None else None)
            for row, image in enumerate(rows.images)
        ]

    def _routed(self, rows: _Rows, sampling: _Sampling, attention: bool) -> list[Edit]:
        """The finder, or else the style's expert, says where; the base how."""
        asked = [find_style(prompt).style for prompt in rows.prompts]
        for own, style in zip(rows.styles, asked, strict=True):
            if own not in (None, style):
                raise InputError(
                    f"A routed edit has the style that its prompt names, {style}; it cannot have that of {own}.",
                    code="contradiction",
                )
        heat = self._look(rows)
        prompts = [whole_prompt(style) for style in asked]
        whole = dataclasses.replace(rows, prompts=prompts, styles=[None] * len(prompts))
        pictures, _ = self._run(whole, sampling, False)
        cells = self.gate.mask(torch.from_numpy(heat).flatten(1)).view(heat.shape).numpy()
        edits = []
        for row, image in enumerate(rows.images):
            mask = refine_mask(cells[row], image, rows.size)
            picture = blend(image, _fit(pictures[row], image), mask)
            edits.append(Edit(picture, rows.styles[row], rows.size, heat[row] if attention else None, mask))
        return edits

    def _look(self, rows: _Rows) -> np.ndarray:
        """Return the maps (B, h, w) that masks are made of, whatever guidance the picture is made with."""
        if self.gate.finder not in (None, self.has_finder):
            fitted, here = ("a finder", "the experts") if self.gate.finder else ("experts", "a finder")
            raise WeightsError(
                f"The gate was fitted to the attention of {fitted}, and here {here} would look. Fit it again with "
                "`regionroute gate`.",
                code="mismatch",
            )
        rows = dataclasses.replace(rows, styles=[self.looker(style) for style in rows.styles])
        _, heat = self._run(rows, _Sampling(self.gate.steps, self.facts.guidance, 1.0), True, decode=False)
        assert heat is not None
        return heat

    @torch.no_grad()
    def _run(
        self, rows: _Rows, sampling: _Sampling, attention: bool, decode: bool = True
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Run one batch; return pictures (B, H, W, 3) uint8, none if they are not decoded, and maps (B, h, w)."""
        width, height = rows.size
        pixels = torch.stack([to_pixels(image, rows.size) for image in rows.images])
        # One generator per picture, on the CPU: noise does not depend on the batch or the device.
        generators = [torch.Generator().manual_seed(seed) for seed in rows.seeds]
        with contextlib.ExitStack() as stack:
            stack.enter_context(routed(self.pipe.transformer, rows.styles))
            watch = stack.enter_context(self._watch(rows.prompts, rows.size)) if attention else None
            result = self.pipe(
                image=pixels / 2 + 0.5, prompt=rows.prompts, height=height, width=width, max_area=width * height,
                num_inference_steps=sampling.steps, guidance_scale=sampling.guidance, generator=generators,
                output_type="np" if decode else "latent", max_sequence_length=self.facts.text_length,
                _auto_resize=False, true_cfg_scale=sampling.true_cfg,
                negative_prompt=[""] * len(pixels) if sampling.true_cfg > 1 else None,
                callback_on_step_end=watch.step if watch else None,
            )  # fmt: skip
        if not np.isfinite(images := result.images if decode else result.images.float().cpu().numpy()).all():
            raise WeightsError(
                "The model returned values that are not finite. Use bfloat16 or float32.", code="not-finite"
            )
        pictures = (images * 255).round().astype(np.uint8) if decode else images[:0]
        return pictures, watch.mean() if watch else None

    @contextlib.contextmanager
    def _watch(self, prompts: list[str], size: tuple[int, int]) -> Iterator[_Watch]:
        cell = self.pipe.vae_scale_factor * 2
        grid = (size[1] // cell, size[0] // cell)
        positions = [prompt_positions(self.pipe.tokenizer_2, prompt, self.facts.text_length) for prompt in prompts]
        with self.attention.record(positions, self.facts.text_length, grid[0] * grid[1]) as maps:
            yield _Watch(maps, grid)


class _Watch:
    """Averages attention maps over the steps of a sampler."""

    def __init__(self, maps: AttentionMaps, grid: tuple[int, int]):
        self._maps, self._grid = maps, grid
        self._sum: torch.Tensor | None = None
        self._steps = 0

    def step(self, _pipe: Any, _step: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Take the maps of the step that has just ended."""
        heat = mean_map(self._maps.stacked(), self._maps.valid).cpu()
        self._sum = heat if self._sum is None else self._sum + heat
        self._steps += 1
        self._maps.clear()
        return values

    def mean(self) -> np.ndarray:
        """Return (B, h, w)."""
        assert self._sum is not None
        return (self._sum / self._steps).view(-1, *self._grid).numpy()


def _fit(picture: np.ndarray, source: np.ndarray) -> np.ndarray:
    return resize_array(picture, (source.shape[1], source.shape[0]))


def whole_prompt(style: str) -> str:
    """Return what the base is asked in a routed edit.

    Example:
        >>> whole_prompt("line art")
        'make the image in line art style'
    """
    return f"make the image in {style} style"


def embedded_experts() -> Path:
    """Return the folder of kontext-mini's experts."""
    return Path(base_source("mini")).parent / "regionroute-mini"


def expert_files(base: str, experts: Mapping[str, Path | str] | Path | str | None) -> dict[str, Path]:
    """Return the files of experts, and of a finder, by style.

    Raises:
        WeightsError: There is none.
    """
    if isinstance(experts, Mapping):
        return {style: Path(path) for style, path in experts.items()}
    if experts is None and base != "mini":
        raise WeightsError(
            f'The base model "{base}" needs experts: give --experts DIR with files such as pixel-art.safetensors.',
            code="missing-weights",
        )
    folder = embedded_experts() if experts is None else Path(experts)
    found = {style: folder / f"{expert_name(style)}.safetensors" for style in (*EXPERT_STYLES, FINDER)}
    present = {style: path for style, path in found.items() if path.is_file()}
    if not present:
        names = ", ".join(path.name for path in found.values())
        raise WeightsError(
            f"{folder} holds no expert. Expected one or more of {names}.",
            code="missing-weights",
            place=Place(str(folder)),
        )
    return present
